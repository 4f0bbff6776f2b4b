#include "api/internal/sink_json.h"

#include <fmt/format.h>

#include "catalog/remote_connectors.h"

#include "codec/timestamp_text.h"
#include "net/http_problem.h"

namespace tidegate::api {

using net::json_string;

std::string_view connector_name(catalog::Connector connector) {
  switch (connector) {
    case catalog::Connector::kStream: return "stream";
    case catalog::Connector::kMqtt: return "mqtt";
    case catalog::Connector::kFile: return "file";
  }
  if (connector == catalog::kWebhookConnector) return "webhook";
  if (connector == catalog::kEmailConnector) return "email";
  return "stream";
}

std::string sinks_json(const std::vector<sinks::SinkStatus>& sinks) {
  std::string out = "[";
  for (const auto& sink : sinks) {
    if (out.size() > 1) out += ',';
    out += fmt::format(
        R"({{"stream":{},"connector":"{}","state":"{}","position":{},"backlog_rows":{},"delivered":{},"retries":{},)"
        R"("dead_letters":{},"due_in_ms":{})",
        json_string(sink.stream), connector_name(sink.connector), sinks::sink_state_name(sink.state),
        sink.position.value, sink.lag_rows, sink.delivered, sink.retries, sink.dead_letters,
        sink.due_in_us / kMicrosPerMilli);
    if (!sink.last_error.empty()) {
      std::string since;
      codec::append_timestamp(sink.failing_since_us, columnar::TypeKind::kTimestampLtz, since);
      out += fmt::format(R"(,"last_error":{},"failing_since":"{}")", json_string(sink.last_error), since);
    }
    out += '}';
  }
  return out + "]";
}

}  // namespace tidegate::api
