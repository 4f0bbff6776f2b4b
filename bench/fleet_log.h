// What a fleet's messages become in the log, and whether all of them are there.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bench/server_process.h"

namespace tidegate::bench {

// The stream of fleets; they send to its topic.
inline constexpr const char* kFleetTopic = "bench/fleet";
inline constexpr const char* kFleetTable =
    "CREATE TABLE fleet (device STRING NOT NULL, n BIGINT NOT NULL) "
    "WITH ('device' = 'device', 'mqtt.topic' = 'bench/fleet');";

// `sent`: by device, for each message whether it was acknowledged. Ends the benchmark if an acknowledged message is not
// in the log, or one that was never sent is. Returns how often messages are in it twice: those that were sent again
// because their answer was lost.
uint64_t check_fleet_log(const ServerProcess& server, const std::map<std::string, std::vector<bool>>& sent);

}  // namespace tidegate::bench
