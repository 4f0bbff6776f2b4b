// Tests only: windows computed the slow and obvious way, one row at a time, to compare the engine with.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/internal/fixture.h"

namespace tidegate::engine {

class NaiveWindows {
 public:
  NaiveWindows(const catalog::StreamDefinition& stream, const Query& query);

  // One epoch, at this clock reading.
  void epoch(const std::vector<Reading>& readings, int64_t clock_us);

  std::vector<std::string> results;
  std::vector<std::string> late;

 private:
  struct DeviceState {
    int64_t watermark = -kFar;
    int64_t last_seen_us = 0;
  };
  struct WindowKey {
    std::string device;  // whose watermark closes it; "" if shared
    std::string key;
    int64_t end = 0;
    auto operator<=>(const WindowKey&) const = default;
  };
  static constexpr int64_t kFar = int64_t{1} << 62;

  [[nodiscard]] std::string key_of(const Reading& reading) const;
  struct Session {
    int64_t start;
    int64_t end;
    std::vector<Reading> rows;
  };
  [[nodiscard]] bool add_to_session(const Reading& reading, int64_t judged_by);
  void emit_rows(const std::string& key, int64_t start, int64_t end, const std::vector<Reading>& rows);
  void row(const Reading& reading, int64_t clock_us);
  void fire(const std::string& device, int64_t watermark);
  void emit(const WindowKey& window, const std::vector<Reading>& rows);
  void close_silent(int64_t clock_us);
  void move_shared(int64_t clock_us);

  const catalog::StreamDefinition& stream_;
  const Query& query_;
  const bool own_;
  std::map<std::string, DeviceState> devices_;
  std::map<WindowKey, std::vector<Reading>> windows_;
  std::map<WindowKey, std::vector<Session>> sessions_;  // the key's end is 0
  int64_t shared_ = -kFar;
  int64_t greatest_ = -kFar;
};

}  // namespace tidegate::engine
