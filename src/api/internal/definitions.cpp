// Streams, pipelines, scripts and the overall status.
#include <fmt/format.h>

#include <algorithm>

#include "api/internal/api_impl.h"
#include "api/internal/definition_revision.h"
#include "api/internal/document_request.h"
#include "api/internal/request_json.h"
#include "api/internal/sink_json.h"
#include "api/internal/table_json.h"
#include "api/internal/values_json.h"
#include "api/internal/wait_json.h"
#include "api/internal/way_out.h"
#include "net/http_problem.h"

namespace tidegate::api {
namespace {

using net::json_string;

std::string_view state_name(catalog::PipelineState state) {
  switch (state) {
    case catalog::PipelineState::kRunning: return "running";
    case catalog::PipelineState::kStopped: return "stopped";
    case catalog::PipelineState::kFailed: return "failed";
  }
  return "failed";
}

std::string options_json(const std::map<std::string, std::string>& options) {
  std::string out = "{";
  for (const auto& [name, value] : options) {
    if (out.size() > 1) out += ',';
    out += json_string(name) + ":" + json_string(value);
  }
  return out + "}";
}

std::string operators_json(const std::vector<engine::OperatorStatus>& operators) {
  std::string out = "[";
  for (const auto& one : operators) {
    if (out.size() > 1) out += ',';
    out += fmt::format(R"({{"id":{},"kind":{},"rows_in":{},"rows_out":{},"late":{},"errors":{},"memory_bytes":{}}})",
                       json_string(one.operator_id), json_string(one.kind), one.rows_in, one.rows_out, one.late,
                       one.errors, one.memory_bytes);
  }
  return out + "]";
}

std::string results_json(const std::vector<StatementResult>& results) {
  std::string out = "[";
  for (const auto& one : results) {
    if (out.size() > 1) out += ',';
    out += fmt::format(R"({{"action":{},"kind":{},"name":{})", json_string(one.action), json_string(one.kind),
                       json_string(one.name));
    if (one.action == "listed") {
      std::string names;
      for (const auto& name : one.names) names += (names.empty() ? "" : ",") + json_string(name);
      out += ",\"names\":[" + names + "]";
    }
    if (one.action == "explained") out += ",\"text\":" + json_string(one.text);
    out += '}';
  }
  return out + "]";
}

}  // namespace

void ApiImpl::statements(Call& call) {
  std::string script = std::move(call.request.body);
  const auto type = call.request.header("content-type").value_or("application/json");
  if (type.starts_with("application/json")) {
    auto members = parse_members(script, {"sql"}, {});
    if (!members) return call.reply(members.error());
    script = std::move(members->at("sql"));
  }
  const ScriptOutcome outcome = parts_.statements.run(script);
  for (const auto& one : outcome.results) {
    if (one.action == "created" || one.action == "altered" || one.action == "dropped") {
      audit(call, one.kind + "." + one.action, one.name, {});
    }
  }
  if (!outcome.error) return call.reply(fmt::format(R"({{"results":{}}})", results_json(outcome.results)));
  audit(call, "statement.failed", "", fail(*outcome.error));
  net::HttpResponse response = net::problem_response(*outcome.error);
  response.body.pop_back();  // the closing brace; what ran before the error is a member more
  response.body += fmt::format(R"(,"results":{}}})", results_json(outcome.results));
  call.responder->respond(std::move(response));
}

std::string ApiImpl::stream_json(const catalog::StreamDefinition& definition, bool whole) {
  std::string out = fmt::format(R"({{"name":{},"connector":"{}","begin_offset":{},"end_offset":{})",
                                json_string(definition.name), connector_name(definition.connector),
                                parts_.log.begin(definition.id).value, parts_.log.end(definition.id).value);
  for (const auto& counters : parts_.ingest.counters()) {
    if (counters.stream != definition.name) continue;
    out += fmt::format(R"(,"ingested_rows":{},"ingested_bytes":{},"dead_letters":{})", counters.rows, counters.bytes,
                       counters.dead_letters);
  }
  if (whole) {
    const auto column = [&](std::optional<size_t> index) {
      return index ? json_string(definition.schema->fields[*index].name) : std::string("null");
    };
    out += fmt::format(R"(,"schema":{},"time_column":{},"device_column":{},"options":{},"sql":{})",
                       schema_json(*definition.schema), column(definition.time_column),
                       column(definition.device_column), options_json(definition.options), json_string(definition.sql));
    out += values_members(definition);
  }
  return out + "}";
}

void ApiImpl::streams(Call& call) {
  std::string out = "{\"streams\":[";
  for (const auto& stream : parts_.catalog.streams()) {
    if (out.back() != '[') out += ',';
    out += stream_json(*stream, false);
  }
  call.reply(out + "]}");
}

void ApiImpl::stream(Call& call) {
  const auto found = parts_.catalog.find_stream(call.name);
  if (!found) return call.reply(Error{ErrorCode::NotFound, fmt::format("there is no stream '{}'", call.name), "", {}});
  call.reply_revision(stream_json(*found, true), revision_of(*found));
}

ApiImpl::PipelineStates ApiImpl::pipeline_states() const {
  PipelineStates states{{}, parts_.statements.failures(), sink_status(), parts_.clock.now_us()};
  for (auto& status : parts_.engine.status()) {
    const PipelineId id = status.id;
    states.running.emplace(id, std::move(status));
  }
  return states;
}

std::string ApiImpl::pipeline_json(const catalog::PipelineDefinition& definition, const PipelineStates& states,
                                   bool whole) {
  const auto found = states.running.find(definition.id);
  const engine::PipelineStatus* status = found == states.running.end() ? nullptr : &found->second;
  const auto failure = states.failures.find(definition.name);
  const bool failed = failure != states.failures.end();
  const auto state = failed              ? catalog::PipelineState::kFailed
                     : status != nullptr ? status->state
                                         : catalog::PipelineState::kStopped;
  std::string out = fmt::format(R"({{"name":{},"target":{},"state":"{}","wanted":"{}")", json_string(definition.name),
                                json_string(definition.target), state_name(state), state_name(definition.wanted));
  const std::string error = failed ? failure->second : status != nullptr ? status->error : "";
  if (!error.empty()) out += ",\"error\":" + json_string(error);
  if (status != nullptr) {
    out += fmt::format(
        R"(,"rows_in":{},"rows_out":{},"late":{},"dead_letters":{},"epochs":{},"lag_rows":{},"watermark_us":{})"
        R"(,"watermark_lag_us":{})",
        status->rows_in, status->rows_out, status->late, status->dead_letters, status->epochs, status->lag_rows,
        status->watermark == kMinWatermark ? "null" : std::to_string(status->watermark.value),
        status->watermark_lag_us);
    out += fmt::format(R"(,"memory_bytes":{},"spilled_bytes":{},"commit_latency_ms":{:.3f},"waits":{})",
                       status->memory_bytes, status->spilled_bytes, status->commit_latency_ms,
                       waits_json(status->waits, definition.target, states.sinks, states.now_us));
    if (whole) out += ",\"operators\":" + operators_json(status->operators);
  }
  if (whole) {
    out += fmt::format(R"(,"sql":{},"time_zone":{})", json_string(definition.sql),
                       json_string(definition.time_zone.empty() ? "UTC" : definition.time_zone));
  }
  return out + "}";
}

void ApiImpl::pipelines(Call& call) {
  const PipelineStates states = pipeline_states();
  std::string out = "{\"pipelines\":[";
  for (const auto& pipeline : parts_.catalog.pipelines()) {
    if (out.back() != '[') out += ',';
    out += pipeline_json(pipeline, states, false);
  }
  call.reply(out + "]}");
}

void ApiImpl::pipeline(Call& call) {
  const auto found = parts_.catalog.find_pipeline(call.name);
  if (!found)
    return call.reply(Error{ErrorCode::NotFound, fmt::format("there is no pipeline '{}'", call.name), "", {}});
  call.reply_revision(pipeline_json(*found, pipeline_states(), true), revision_of(*found));
}

void ApiImpl::change(Call& call) {
  using Change = Result<> (StatementExecutor::*)(std::string_view, StatementExecutor::Expected);
  const auto [what, change] = [&]() -> std::pair<std::string, Change> {
    switch (call.endpoint) {
      case Endpoint::kDropStream: return {"stream.dropped", &StatementExecutor::drop_stream};
      case Endpoint::kDropPipeline: return {"pipeline.dropped", &StatementExecutor::drop_pipeline};
      case Endpoint::kStopPipeline: return {"pipeline.stopped", &StatementExecutor::stop_pipeline};
      default: return {"pipeline.started", &StatementExecutor::start_pipeline};
    }
  }();
  const auto outcome = [&, method = change]() -> Result<> {
    TRY_ASSIGN(const auto revision, expected_revision(call.request));
    return (parts_.statements.*method)(call.name, revision);
  }();
  audit(call, what, call.name, outcome);
  if (!outcome) return call.reply(outcome.error());
  call.reply("", 204);
}

void ApiImpl::status(Call& call) {
  std::string warnings;
  for (const std::string& warning : options_.warnings ? options_.warnings() : std::vector<std::string>()) {
    warnings += (warnings.empty() ? "" : ",") + json_string(warning);
  }
  size_t running = 0;
  size_t failed = parts_.statements.failures().size();
  for (const auto& pipeline : parts_.engine.status()) {
    running += pipeline.state == catalog::PipelineState::kRunning ? 1 : 0;
    failed += pipeline.state == catalog::PipelineState::kFailed ? 1 : 0;
  }
  uint64_t rows = 0;
  uint64_t dead_letters = 0;
  for (const auto& stream : parts_.ingest.counters()) {
    rows += stream.rows;
    dead_letters += stream.dead_letters;
  }
  call.reply(fmt::format(
      R"({{"version":{},"ready":{},"uptime_s":{},"streams":{},"pipelines":{},"pipelines_running":{},)"
      R"("pipelines_failed":{},"live_queries":{},"ingested_rows":{},"dead_letters":{},"log_queued_bytes":{},)"
      R"("warnings":[{}],"sinks":{},"tables":{}}})",
      json_string(options_.version), ready_.load(), (parts_.clock.monotonic_us() - started_us_) / kMicrosPerSecond,
      parts_.catalog.streams().size(), parts_.catalog.pipelines().size(), running, failed, live_.readers(), rows,
      dead_letters, parts_.log.queued_bytes(), warnings, sinks_json(sink_status()), tables_json(table_status())));
}

}  // namespace tidegate::api
