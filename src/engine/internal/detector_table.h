// The partitions of a detection, and whose deadline is next.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/internal/detector.h"
#include "engine/internal/window_math.h"

namespace tidegate::engine {

// Partitions lie in pots: one per device where devices go by their own watermarks, else all in the first.
// One thread at a time.
class DetectorTable {
 public:
  struct Partition {
    Detector detector;
    uint16_t key_group = 0;
  };
  using Partitions = std::map<std::string, Partition, std::less<>>;
  using Place = Partitions::iterator;

  // The partition, and whether it is there at all.
  [[nodiscard]] std::pair<Place, bool> find(uint32_t pot, std::string_view key);
  // Takes one in, in place of what was there.
  Place add(uint32_t pot, std::string_view key, const Partition& partition);
  // Changes a detector by `change(detector)`.
  template <class Change>
  void change(uint32_t pot, Place place, Change change) {
    Detector& detector = place->second.detector;
    const int64_t before_us = detector.deadline_us();
    bytes_ -= detector.memory_bytes();
    change(detector);
    bytes_ += detector.memory_bytes();
    move_deadline(pot, place, before_us);
  }
  void forget(uint32_t pot, Place place);
  // Forgets those of which `gone(partition)` is true.
  template <class Gone>
  void forget_if(uint32_t pot, Gone gone) {
    Partitions& partitions = pots_[pot].partitions;
    for (Place place = partitions.begin(); place != partitions.end();) {
      const Place each = place++;
      if (gone(each->second)) forget(pot, each);
    }
  }

  [[nodiscard]] uint32_t pots() const { return static_cast<uint32_t>(pots_.size()); }
  [[nodiscard]] const Partitions& partitions(uint32_t pot) const { return pots_[pot].partitions; }
  // kNever: none.
  [[nodiscard]] int64_t next_deadline_us(uint32_t pot) const {
    const bool none = pot >= pots_.size() || pots_[pot].deadlines.empty();
    return none ? kNever : pots_[pot].deadlines.begin()->first;
  }
  // The partition whose deadline is next; only if there is one.
  [[nodiscard]] Place next(uint32_t pot) const { return pots_[pot].deadlines.begin()->second; }
  void clear();

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] size_t deadlines() const { return deadlines_; }
  [[nodiscard]] size_t memory_bytes() const { return pots_.capacity() * sizeof(Pot) + bytes_; }

 private:
  static constexpr size_t kOverhead = 160;  // of a partition's nodes in the containers, about

  struct Sooner {
    bool operator()(const std::pair<int64_t, Place>& a, const std::pair<int64_t, Place>& b) const {
      return a.first != b.first ? a.first < b.first : a.second->first < b.second->first;
    }
  };
  struct Pot {
    Partitions partitions;
    std::set<std::pair<int64_t, Place>, Sooner> deadlines;
  };

  void move_deadline(uint32_t pot, Place place, int64_t before_us);

  std::vector<Pot> pots_;
  size_t size_ = 0;
  size_t deadlines_ = 0;
  size_t bytes_ = 0;
};

}  // namespace tidegate::engine
