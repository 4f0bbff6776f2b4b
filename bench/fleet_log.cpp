#include "bench/fleet_log.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "bench/harness.h"

namespace tidegate::bench {

uint64_t check_fleet_log(const ServerProcess& server, const std::map<std::string, std::vector<bool>>& sent) {
  std::map<std::string, std::vector<bool>> found;
  for (const auto& [device, messages] : sent) found[device].resize(messages.size());
  uint64_t twice = 0;
  for (int64_t next = 0;;) {
    const auto page =
        boost::json::parse(server.call("GET", fmt::format("/api/v1/streams/fleet/records?from={}&limit=10000", next)));
    const auto& records = page.at("records").as_array();
    if (records.empty()) break;
    next = page.at("next").to_number<int64_t>();
    for (const auto& record : records) {
      const std::string device(record.at("device").as_string());
      const auto number = record.at("n").to_number<uint64_t>();
      if (number >= found[device].size()) give_up(fmt::format("{} never sent its message {}", device, number));
      twice += found[device][number] ? 1 : 0;
      found[device][number] = true;
    }
  }
  for (const auto& [device, messages] : sent) {
    for (size_t number = 0; number < messages.size(); ++number) {
      if (messages[number] && !found[device][number]) {
        give_up(fmt::format("message {} of {} was acknowledged and is not in the log", number, device));
      }
    }
  }
  return twice;
}

}  // namespace tidegate::bench
