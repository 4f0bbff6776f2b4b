// What is known of a device's state: online or not, last heard, last values.
#include <fmt/format.h>

#include "api/internal/api_impl.h"
#include "api/internal/quota_json.h"
#include "codec/json_encoder.h"
#include "net/http_problem.h"
#include "security/policy_gate.h"

namespace tidegate::api {
namespace {

using net::json_string;

std::string number_or_null(const std::optional<int64_t>& value) { return value ? std::to_string(*value) : "null"; }

// The last value of each column with the time of the record it is from; what is unknown is left out.
std::string values_json(const columnar::Batch& row, const std::vector<std::optional<int64_t>>& times_us) {
  std::string out = "{";
  for (size_t column = 0; column < row.columns.size(); ++column) {
    if (!times_us[column]) continue;
    if (out.size() > 1) out += ',';
    out += json_string(row.schema->fields[column].name) + ":{\"value\":";
    codec::append_json_value(*row.columns[column], 0, out);
    out += fmt::format(",\"time_us\":{}}}", *times_us[column]);
  }
  return out + "}";
}

std::string presence_json(const std::optional<registry::Presence>& presence) {
  if (!presence || !presence->online) return R"("online":null,"since_us":null,"reason":null,"connections":0)";
  return fmt::format(R"("online":{},"since_us":{},"reason":{},"connections":{})", *presence->online, presence->since_us,
                     presence->reason.empty() ? "null" : json_string(presence->reason), presence->connections);
}

}  // namespace

void ApiImpl::device_state(Call& call) {
  if (!parts_.registry.find_device(call.name)) {
    return call.reply(Error{ErrorCode::NotFound,
                            fmt::format("there is no device named '{}'", call.name),
                            "`tidegate device list` shows what there is",
                            {}});
  }
  std::string out = fmt::format(R"({{"name":{},{},"seen_us":{},"quota":{},"streams":[)", json_string(call.name),
                                presence_json(parts_.monitor.presence(call.name)),
                                number_or_null(parts_.last_values.seen_us(call.name)),
                                quota_state_json(parts_.quotas, "device:" + call.name));
  for (const registry::StreamState& state : parts_.last_values.state(call.name)) {
    const auto checked = parts_.gate.check(call.principal, state.stream->id, state.row);
    if (!checked) continue;  // a stream that the reader may not read
    if (out.back() != '[') out += ',';
    out += fmt::format(R"({{"stream":{},"current":{},"reading":{},"offset":{},"seen_us":{},"values":{}}})",
                       json_string(state.stream->name), state.current, state.reading,
                       state.offset ? std::to_string(state.offset->value) : "null",
                       state.offset ? std::to_string(state.seen_us) : "null",
                       values_json(checked->value(), state.times_us));
  }
  call.reply(out + "]}");
}

}  // namespace tidegate::api
