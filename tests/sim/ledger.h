// What was sent and what became of it, and whether what the program holds agrees with that.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "life.h"

namespace tidegate::simulation {

struct Sent {
  std::string stream;
  std::vector<std::string> values;  // as a Row has them
  bool acknowledged = false;
  int64_t acknowledged_us = 0;
};

class Ledger {
 public:
  void sent(int64_t id, Sent record) { sent_.emplace(id, std::move(record)); }
  void acknowledged(int64_t id, int64_t now_us) {
    sent_.at(id).acknowledged = true;
    sent_.at(id).acknowledged_us = now_us;
  }

  // What must hold at any moment; what is found is remembered, for it must still be there in later lives. The first
  // thing that is wrong, or "".
  [[nodiscard]] std::string check(const Life& life, int64_t now_us);
  // What must hold in addition once everything was processed and windows up to `closed_us` are closed.
  [[nodiscard]] std::string check_results(const Life& life, int64_t closed_us);

  // What must hold after the disk changed what was durable: whatever is missing was said to be, and nothing is made up.
  [[nodiscard]] std::string check_after_damage(const Life& life) const;

  [[nodiscard]] size_t records() const { return sent_.size(); }

 private:
  [[nodiscard]] std::string check_sent(const std::string& stream, const std::vector<Row>& rows) const;
  [[nodiscard]] std::string check_nothing_lost(const std::vector<Row>& readings) const;
  [[nodiscard]] std::string check_retention(const std::vector<Row>& fleeting, int64_t now_us) const;
  [[nodiscard]] std::string check_same_as_before(const std::string& stream, const std::vector<Row>& rows);

  std::map<int64_t, Sent> sent_;
  std::map<std::string, std::map<int64_t, Row>> seen_;  // by stream and offset
};

}  // namespace tidegate::simulation
