// Corrections of records by people.
#include <fmt/format.h>

#include <future>

#include "api/corrections.h"
#include "api/internal/api_impl.h"
#include "api/internal/correction.h"
#include "catalog/catalog.h"
#include "net/http_problem.h"

namespace tidegate::api {
namespace {

using net::json_string;

std::string text_json(const std::optional<std::string>& text) { return text ? json_string(*text) : "null"; }

std::string correction_json(const Correction& made, std::string_view stream, std::string_view author) {
  std::string changed;
  for (const ChangedValue& one : made.changed) {
    changed += fmt::format(R"({}{{"column":{},"before":{},"after":{}}})", changed.empty() ? "" : ",",
                           json_string(one.column), text_json(one.before), text_json(one.after));
  }
  return fmt::format(R"({{"stream":{},"author":{},"found":{},"changed":[{}]}})", json_string(stream),
                     json_string(author), made.found, changed);
}

// Record and notes become durable together; waits for it.
Result<> write(log::Log& log, StreamId stream, StreamId corrections, Correction& made) {
  log::EpochCommit both;
  both.outputs.emplace_back(stream, made.record);
  both.outputs.emplace_back(corrections, made.notes);
  // Shared: the log may answer when nobody waits any more.
  const auto durable = std::make_shared<std::promise<Result<>>>();
  auto outcome = durable->get_future();
  log.commit(std::move(both), [durable](Result<> result) { durable->set_value(std::move(result)); });
  return outcome.get();
}

}  // namespace

void ApiImpl::correct(Call& call) {
  const auto made = [&]() -> Result<Correction> {
    const auto stream = parts_.catalog.find_stream(call.name);
    if (!stream) return fail(ErrorCode::NotFound, fmt::format("there is no stream '{}'", call.name));
    const auto corrections = parts_.catalog.find_stream(kCorrections);
    if (!corrections || !catalog::is_system_stream(*corrections)) {
      return fail(ErrorCode::InUse, fmt::format("a stream of yours is called '{}'", kCorrections),
                  "The server keeps corrections in a stream of that name: drop yours and start the server again");
    }
    TRY_ASSIGN(const WantedCorrection wanted, parse_correction(call.request.body));
    const std::lock_guard turn(correcting_);
    TRY_ASSIGN(Correction correction, make_correction({parts_.log, parts_.gate}, *stream, *corrections, wanted,
                                                      call.principal, parts_.clock.now_us()));
    TRY(write(parts_.log, stream->id, corrections->id, correction));
    return correction;
  }();
  audit(call, "record.correct", call.name, made ? Result<>() : Result<>(fail(made.error())));
  if (!made) return call.reply(made.error());
  call.reply(correction_json(*made, call.name, call.principal.name), 201);
}

}  // namespace tidegate::api
