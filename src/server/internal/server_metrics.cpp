#include "server/internal/server_metrics.h"

#include <fmt/format.h>

#include <iterator>

namespace tidegate::server {
namespace {

void add(std::vector<api::Metric>& all, std::vector<api::Metric> some) {
  all.insert(all.end(), std::move_iterator(some.begin()), std::move_iterator(some.end()));
}

}  // namespace

void add_mqtt_metrics(std::vector<api::Metric>& all, const net::MqttBroker& broker, const net::MqttListener& listener,
                      size_t limit) {
  const net::MqttStats stats = broker.stats();
  const auto number = [](uint64_t value) { return static_cast<double>(value); };
  add(all,
      {{"tidegate_mqtt_connections", "MQTT connections open now", false, number(stats.connections)},
       {"tidegate_mqtt_connections_limit", "MQTT connections that are taken at most", false, number(limit)},
       {"tidegate_mqtt_connections_refused_total", "MQTT connections over the limit", true, number(listener.refused())},
       {"tidegate_mqtt_messages_in_total", "MQTT publications received", true, number(stats.messages_in)},
       {"tidegate_mqtt_messages_out_total", "MQTT publications delivered", true, number(stats.messages_out)},
       {"tidegate_mqtt_messages_dropped_total", "for slow or absent subscribers", true, number(stats.messages_dropped)},
       {"tidegate_mqtt_bytes_in_total", "bytes received over MQTT", true, number(stats.bytes_in)},
       {"tidegate_mqtt_bytes_out_total", "bytes sent over MQTT", true, number(stats.bytes_out)}});
}

void add_log_metrics(std::vector<api::Metric>& all, const log::EmbeddedLog& log, const store::Store& store) {
  const log::LogStats stats = log.stats();
  size_t quarantined = 0;
  for (const log::StreamStats& stream : stats.streams) quarantined += stream.quarantined.size();
  const auto number = [](auto value) { return static_cast<double>(value); };
  constexpr double kMicro = 1e-6;
  add(all, {{"tidegate_log_commits_total", "group commits, each with one fsync", true, number(stats.commits)},
            {"tidegate_log_failed_commits_total", "group commits that failed", true, number(stats.failed_commits)},
            {"tidegate_log_rows_total", "rows committed since the start", true, number(stats.rows)},
            {"tidegate_log_commit_p50_seconds", "queued to durable, recent commits", false,
             number(stats.p50_commit_us) * kMicro},
            {"tidegate_log_commit_p99_seconds", "queued to durable, recent commits", false,
             number(stats.p99_commit_us) * kMicro},
            {"tidegate_log_integrity_errors_total", "stored pieces found damaged since the start", true,
             number(stats.integrity_errors)},
            {"tidegate_log_quarantined_ranges", "ranges of offsets that are lost", false, number(quarantined)},
            {"tidegate_store_lost_changes", "acknowledged changes found lost at this start, at least", false,
             number(store.damage().lost_changes)},
            {"tidegate_store_quarantines", "damaged write-ahead logs kept aside", false,
             number(store.damage().quarantines)}});
}

void add_sink_metrics(std::vector<api::Metric>& all, const sinks::SinkRunner& all_sinks) {
  double lag_rows = 0;
  double delivered = 0;
  double failing = 0;
  for (const sinks::SinkStatus& sink : all_sinks.status()) {
    lag_rows += static_cast<double>(sink.lag_rows);
    delivered += static_cast<double>(sink.delivered);
    failing += sink.last_error.empty() ? 0 : 1;
  }
  add(all, {{"tidegate_sinks_lag_rows", "committed records that have not gone out, over all sinks", false, lag_rows},
            {"tidegate_sinks_delivered_total", "records that went out since the start", true, delivered},
            {"tidegate_sinks_failing", "sinks whose last attempt failed", false, failing}});
}

void add_device_metrics(std::vector<api::Metric>& all, const registry::Registry& registry,
                        const registry::LastValues& last_values) {
  const registry::LastValueStats stats = last_values.stats();
  const auto number = [](auto value) { return static_cast<double>(value); };
  add(all,
      {{"tidegate_devices", "registered", false, number(registry.device_count())},
       {"tidegate_last_values_bytes", "memory for last values", false, number(stats.bytes)},
       {"tidegate_last_values_skipped_rows_total", "records not looked at for last values, for want of time", true,
        number(stats.skipped_rows)},
       {"tidegate_last_values_refused_total", "records of devices that found no room", true, number(stats.refused)}});
}

void add_quota_metrics(std::vector<api::Metric>& all, registry::Quotas& quotas) {
  registry::QuotaTotals& totals = quotas.totals();
  const auto refused = [&](registry::QuotaVerdict verdict) {
    return static_cast<double>(totals.refused[static_cast<size_t>(verdict)].load());
  };
  using enum registry::QuotaVerdict;
  add(all, {{"tidegate_quotas", "quotas that are set", false, static_cast<double>(quotas.list().size())},
            {"tidegate_quota_refused_messages_total", "over a quota of messages per second", true, refused(kMessages)},
            {"tidegate_quota_refused_bytes_total", "messages over a quota of bytes per second", true, refused(kBytes)},
            {"tidegate_quota_refused_payloads_total", "messages larger than a quota", true, refused(kPayload)},
            {"tidegate_quota_refused_connections_total", "MQTT connections over a quota", true, refused(kConnections)},
            {"tidegate_quota_dropped_messages_total", "QoS 0 messages over a quota", true,
             static_cast<double>(totals.dropped.load())},
            {"tidegate_quota_held_total", "times that reading from an MQTT 3.1.1 connection was put off", true,
             static_cast<double>(totals.held.load())}});
}

std::vector<std::string> damage_warnings(const store::Store& store) {
  const store::StoreDamage damage = store.damage();
  std::vector<std::string> all;
  if (damage.lost) {
    all.push_back(
        fmt::format("TG4015 at this start acknowledged changes were found lost, {} at least: the store's write-ahead "
                    "log is damaged",
                    damage.lost_changes));
  }
  if (damage.quarantines > 0) {
    all.push_back(fmt::format("damaged write-ahead logs are kept in {} ({}); delete them when they are looked into",
                              damage.folder, damage.quarantines));
  }
  return all;
}

}  // namespace tidegate::server
