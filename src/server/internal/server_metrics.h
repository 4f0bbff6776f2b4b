// What the server adds to /metrics and to the warnings of its status, part by part.
#pragma once

#include <string>
#include <vector>

#include "api/api.h"
#include "log/embedded_log.h"
#include "net/mqtt_broker.h"
#include "net/mqtt_listener.h"
#include "registry/last_values.h"
#include "registry/quotas.h"
#include "registry/registry.h"
#include "sinks/sink_runner.h"
#include "store/store.h"

namespace tidegate::server {

// `limit` of connections.
void add_mqtt_metrics(std::vector<api::Metric>& all, const net::MqttBroker& broker, const net::MqttListener& listener,
                      size_t limit);
void add_log_metrics(std::vector<api::Metric>& all, const log::EmbeddedLog& log, const store::Store& store);
void add_sink_metrics(std::vector<api::Metric>& all, const sinks::SinkRunner& all_sinks);
void add_device_metrics(std::vector<api::Metric>& all, const registry::Registry& registry,
                        const registry::LastValues& last_values);
void add_quota_metrics(std::vector<api::Metric>& all, registry::Quotas& quotas);
[[nodiscard]] std::vector<std::string> damage_warnings(const store::Store& store);

}  // namespace tidegate::server
