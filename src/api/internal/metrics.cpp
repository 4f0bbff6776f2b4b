// /metrics in the Prometheus text format, version 0.0.4.
#include <fmt/format.h>

#include "api/internal/api_impl.h"

namespace tidegate::api {
namespace {

std::string label_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

// One family after the other; the samples of a family belong together.
class Page {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <class Value>
  void sample(const std::string& labels, Value value) {
    text_ += labels.empty() ? fmt::format("{} {}\n", name_, value) : fmt::format("{}{{{}}} {}\n", name_, labels, value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string name_;
  std::string text_;
};

void stream_families(Page& page, const std::vector<ingest::StreamCounters>& streams) {
  const auto each = [&](std::string_view name, std::string_view help, uint64_t ingest::StreamCounters::* value) {
    page.family(name, "counter", help);
    for (const auto& stream : streams)
      page.sample(fmt::format("stream=\"{}\"", label_value(stream.stream)), stream.*value);
  };
  each("tidegate_stream_rows_total", "Records accepted.", &ingest::StreamCounters::rows);
  each("tidegate_stream_bytes_total", "Payload bytes received.", &ingest::StreamCounters::bytes);
  each("tidegate_stream_dead_letters_total", "Records that did not fit.", &ingest::StreamCounters::dead_letters);
}

void pipeline_families(Page& page, const std::vector<engine::PipelineStatus>& pipelines) {
  using Status = engine::PipelineStatus;
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    page.family(name, type, help);
    for (const auto& one : pipelines) page.sample(fmt::format("pipeline=\"{}\"", label_value(one.name)), value(one));
  };
  each("tidegate_pipeline_up", "gauge", "1 while it runs.",
       [](const Status& s) { return s.state == catalog::PipelineState::kRunning ? 1 : 0; });
  each("tidegate_pipeline_rows_in_total", "counter", "Rows read.", [](const Status& s) { return s.rows_in; });
  each("tidegate_pipeline_rows_out_total", "counter", "Rows written.", [](const Status& s) { return s.rows_out; });
  each("tidegate_pipeline_late_total", "counter", "Rows too late for their window.",
       [](const Status& s) { return s.late; });
  each("tidegate_pipeline_epochs_total", "counter", "Epochs committed.", [](const Status& s) { return s.epochs; });
  each("tidegate_pipeline_lag_rows", "gauge", "Committed input not yet processed.",
       [](const Status& s) { return s.lag_rows; });
  each("tidegate_pipeline_watermark_lag_seconds", "gauge", "Clock minus watermark.",
       [](const Status& s) { return static_cast<double>(s.watermark_lag_us) / 1e6; });
  each("tidegate_pipeline_memory_bytes", "gauge", "Operator state in memory.",
       [](const Status& s) { return s.memory_bytes; });
  each("tidegate_pipeline_spilled_bytes", "gauge", "Operator state that is in the store only.",
       [](const Status& s) { return s.spilled_bytes; });
  each("tidegate_pipeline_commit_latency_seconds", "gauge", "Of the last epoch.",
       [](const Status& s) { return s.commit_latency_ms / 1e3; });
}

void wait_family(Page& page, const std::vector<engine::PipelineStatus>& pipelines) {
  page.family("tidegate_pipeline_waits", "gauge",
              "1 for what a pipeline waits for; its text is in the pipeline's status.");
  for (const auto& pipeline : pipelines) {
    for (const engine::Wait& wait : pipeline.waits) {
      page.sample(fmt::format("pipeline=\"{}\",reason=\"{}\",stream=\"{}\"", label_value(pipeline.name),
                              engine::wait_reason_name(wait.reason), label_value(wait.stream)),
                  1);
    }
  }
}

void operator_families(Page& page, const std::vector<engine::PipelineStatus>& pipelines) {
  using Status = engine::OperatorStatus;
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    page.family(name, type, help);
    for (const auto& pipeline : pipelines) {
      for (const auto& one : pipeline.operators) {
        page.sample(fmt::format("pipeline=\"{}\",operator=\"{}\",kind=\"{}\"", label_value(pipeline.name),
                                label_value(one.operator_id), label_value(one.kind)),
                    value(one));
      }
    }
  };
  each("tidegate_operator_rows_in_total", "counter", "Rows in.", [](const Status& s) { return s.rows_in; });
  each("tidegate_operator_rows_out_total", "counter", "Rows out.", [](const Status& s) { return s.rows_out; });
  each("tidegate_operator_late_total", "counter", "Rows too late.", [](const Status& s) { return s.late; });
  each("tidegate_operator_errors_total", "counter", "Values that could not be computed and are NULL.",
       [](const Status& s) { return s.errors; });
  each("tidegate_operator_memory_bytes", "gauge", "State in memory.", [](const Status& s) { return s.memory_bytes; });
}

void sink_families(Page& page, const std::vector<sinks::SinkStatus>& sinks) {
  using Status = sinks::SinkStatus;
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    page.family(name, type, help);
    for (const auto& one : sinks) page.sample(fmt::format("stream=\"{}\"", label_value(one.stream)), value(one));
  };
  each("tidegate_sink_up", "gauge", "1 while its last attempt went well.",
       [](const Status& s) { return s.last_error.empty() ? 1 : 0; });
  each("tidegate_sink_lag_rows", "gauge", "Committed records that have not gone out.",
       [](const Status& s) { return s.lag_rows; });
  each("tidegate_sink_delivered_total", "counter", "Records that went out.",
       [](const Status& s) { return s.delivered; });
  each("tidegate_sink_retries_total", "counter", "Attempts that failed.", [](const Status& s) { return s.retries; });
}

void table_families(Page& page, const std::vector<lookup::TableStatus>& tables) {
  using Status = lookup::TableStatus;
  const auto each = [&](std::string_view name, std::string_view help, auto value) {
    page.family(name, "gauge", help);
    for (const auto& one : tables) page.sample(fmt::format("table=\"{}\"", label_value(one.name)), value(one));
  };
  each("tidegate_lookup_table_up", "1 while the lookup table holds what its source says.",
       [](const Status& s) { return s.last_error.empty() ? 1 : 0; });
  each("tidegate_lookup_table_rows", "Rows of the lookup table.", [](const Status& s) { return s.rows; });
  each("tidegate_lookup_table_version", "Number of the lookup table's content.",
       [](const Status& s) { return s.version; });
  each("tidegate_lookup_table_memory_bytes", "Memory of the lookup table's rows.",
       [](const Status& s) { return s.memory_bytes; });
  each("tidegate_lookup_table_loaded_timestamp_seconds", "When its content was taken.",
       [](const Status& s) { return static_cast<double>(s.loaded_us) / 1e6; });
}

}  // namespace

void ApiImpl::metrics(Call& call) {
  Page page;
  stream_families(page, parts_.ingest.counters());
  page.family("tidegate_stream_end_offset", "gauge", "The next offset to be given out.");
  for (const auto& stream : parts_.catalog.streams()) {
    page.sample(fmt::format("stream=\"{}\"", label_value(stream->name)), parts_.log.end(stream->id).value);
  }
  const auto pipelines = parts_.engine.status();
  pipeline_families(page, pipelines);
  wait_family(page, pipelines);
  operator_families(page, pipelines);
  page.family("tidegate_pipelines_not_started", "gauge", "Pipelines that are wanted and could not be started.");
  page.sample("", parts_.statements.failures().size());
  page.family("tidegate_log_queued_bytes", "gauge", "Accepted and not yet durable.");
  page.sample("", parts_.log.queued_bytes());
  sink_families(page, sink_status());
  table_families(page, table_status());
  page.family("tidegate_live_queries", "gauge", "Open live queries.");
  page.sample("", live_.readers());
  page.family("tidegate_stored_queries", "gauge",
              "Queries over what is stored that are at work or have pages to fetch.");
  page.sample("", queries_.queries());
  if (options_.more_metrics) {
    for (const auto& metric : options_.more_metrics()) {
      page.family(metric.name, metric.counter ? "counter" : "gauge", metric.help);
      page.sample("", metric.value);
    }
  }
  net::HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = page.take();
  call.responder->respond(std::move(response));
}

}  // namespace tidegate::api
