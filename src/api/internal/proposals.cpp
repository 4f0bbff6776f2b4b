// A stream proposed from messages: those that the request brings, or those that come next.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/internal/api_impl.h"
#include "api/internal/catalog_names.h"
#include "api/internal/stream_proposal.h"
#include "crypto/mac.h"
#include "net/http_problem.h"

namespace tidegate::api {
namespace {

namespace json = boost::json;
using net::json_string;

constexpr int64_t kDefaultMessages = 20;
constexpr int64_t kDefaultSeconds = 30;

struct Request {
  std::string name = "new_stream";
  std::vector<codec::Sample> samples;
  std::string capture_topic;  // empty: the samples are there
  int64_t messages = kDefaultMessages;
  int64_t seconds = kDefaultSeconds;
};

std::unexpected<Error> bad_request(std::string what) {
  return fail(ErrorCode::BadRequest, std::move(what),
              R"(send {"name": "readings", "samples": [{"topic": "plant/m1", "text": "{\"temp\":21.5}"}]}, or )"
              R"({"capture": {"topic": "plant/#", "messages": 20, "seconds": 30}})");
}

const json::value* find(const json::object& object, std::string_view name) {
  return object.if_contains({name.data(), name.size()});
}

Result<std::string> text_member(const json::object& object, std::string_view name) {
  const json::value* value = find(object, name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return bad_request(fmt::format("'{}' is no text", name));
  return std::string(value->get_string());
}

Result<int64_t> number_member(const json::object& object, std::string_view name, int64_t otherwise) {
  const json::value* value = find(object, name);
  if (value == nullptr) return otherwise;
  if (!value->is_int64()) return bad_request(fmt::format("'{}' is no whole number", name));
  return value->get_int64();
}

Result<codec::Sample> read_sample(const json::value& value) {
  if (!value.is_object()) return bad_request("a sample is no object");
  const json::object& object = value.get_object();
  const bool text = find(object, "text") != nullptr;
  if (text == (find(object, "base64") != nullptr)) return bad_request("a sample has either 'text' or 'base64'");
  codec::Sample out;
  TRY_ASSIGN(out.topic, text_member(object, "topic"));
  TRY_ASSIGN(out.payload, text_member(object, text ? "text" : "base64"));
  if (text) return out;
  auto bytes = crypto::from_base64(out.payload);
  if (!bytes) return bad_request("the 'base64' of a sample is not base64");
  out.payload = std::move(*bytes);
  return out;
}

Result<Request> read_request(std::string_view body) {
  json::error_code error;
  const json::value parsed = json::parse({body.data(), body.size()}, error);
  if (error || !parsed.is_object()) return bad_request("the body is not a JSON object");
  const json::object& object = parsed.get_object();
  Request out;
  TRY_ASSIGN(const std::string name, text_member(object, "name"));
  if (!name.empty()) out.name = name;
  const json::value* samples = find(object, "samples");
  const json::value* capture = find(object, "capture");
  if ((samples == nullptr) == (capture == nullptr))
    return bad_request("the request has neither or both of 'samples' and 'capture'");
  if (samples != nullptr) {
    if (!samples->is_array()) return bad_request("'samples' is no list");
    for (const json::value& one : samples->get_array()) {
      TRY_ASSIGN(codec::Sample sample, read_sample(one));
      out.samples.push_back(std::move(sample));
    }
    return out;
  }
  if (!capture->is_object()) return bad_request("'capture' is no object");
  TRY_ASSIGN(out.capture_topic, text_member(capture->get_object(), "topic"));
  if (out.capture_topic.empty()) return bad_request("'capture' names no 'topic'");
  TRY_ASSIGN(out.messages, number_member(capture->get_object(), "messages", kDefaultMessages));
  TRY_ASSIGN(out.seconds, number_member(capture->get_object(), "seconds", kDefaultSeconds));
  return out;
}

std::string_view role_name(codec::ColumnRole role) {
  return role == codec::ColumnRole::kDevice ? "device" : role == codec::ColumnRole::kTime ? "time" : "value";
}

std::string columns_json(const codec::Proposal& proposal) {
  std::string out;
  for (const codec::ProposedColumn& column : proposal.columns) {
    out += fmt::format(R"({}{{"name":{},"type":"{}","nullable":{},"role":"{}","sure":{},"why":{}}})",
                       out.empty() ? "" : ",", json_string(column.name), columnar::type_name(column.type),
                       column.nullable, role_name(column.role), column.sure, json_string(column.why));
  }
  return "[" + out + "]";
}

std::string letters_json(const std::vector<codec::PreviewLetter>& letters, std::span<const codec::Sample> samples) {
  std::string out;
  for (const codec::PreviewLetter& letter : letters) {
    out += fmt::format(R"({}{{"message":{},"record":{},"topic":{},"code":{},"reason":{},"text":{}}})",
                       out.empty() ? "" : ",", letter.sample + 1, letter.record + 1,
                       json_string(samples[letter.sample].topic), static_cast<int>(letter.code),
                       json_string(letter.reason), json_string(letter.text));
  }
  return "[" + out + "]";
}

std::string answer_json(const StreamProposal& proposed, const Request& request) {
  std::string notes;
  for (const std::string& note : proposed.proposal.notes) notes += (notes.empty() ? "" : ",") + json_string(note);
  const auto preset = proposed.proposal.options.find("preset");
  const bool none = preset == proposed.proposal.options.end();
  return fmt::format(R"({{"name":{},"messages":{},"format":{},"preset":{},"sql":{},"columns":{},"notes":[{}],)"
                     R"("preview":{{"rows":[{}],"good":{},"dead_letters":{},"dead":{},"unknown_names":{}}}}})",
                     json_string(request.name), request.samples.size(), json_string(proposed.proposal.format),
                     none ? "null" : json_string(preset->second), json_string(proposed.sql),
                     columns_json(proposed.proposal), notes, fmt::join(proposed.preview.rows, ","),
                     proposed.preview.good, letters_json(proposed.preview.dead_letters, request.samples),
                     proposed.preview.dead, proposed.preview.unknown_names);
}

}  // namespace

// A capture waits for devices, so it has a thread of its own.
void ApiImpl::propose(Call call) {
  const auto shared = std::make_shared<Call>(std::move(call));  // because std::function wants to be copyable
  if (capture_pool_.submit([this, shared] { propose_from_samples(*shared); })) return;
  shared->reply(Error{ErrorCode::Overloaded, "too many requests are waiting", "Try again in a moment.", {}});
}

void ApiImpl::propose_from_samples(Call& call) {
  auto request = read_request(call.request.body);
  if (!request) return call.reply(request.error());
  if (!request->capture_topic.empty()) {
    constexpr int64_t kMostSeconds = ingest::MessageCapture::kMaxWaitUs / kMicrosPerSecond;
    const int64_t seconds = std::clamp<int64_t>(request->seconds, 0, kMostSeconds + 1);
    auto captured = parts_.ingest.capture().collect(request->capture_topic,
                                                    static_cast<size_t>(std::max<int64_t>(0, request->messages)),
                                                    seconds * kMicrosPerSecond);
    audit(call, "messages.capture", request->capture_topic, captured ? Result<>() : fail(captured.error()));
    if (!captured) return call.reply(captured.error());
    if (captured->empty()) {
      return call.reply(
          Error{ErrorCode::NotFound,
                fmt::format("no message came on '{}' within {} s", request->capture_topic, request->seconds),
                "Look at the topic, and whether the devices send.",
                {}});
    }
    for (auto& message : *captured) request->samples.push_back({std::move(message.topic), std::move(message.payload)});
  }
  const CatalogNames names(parts_.catalog, {});
  const auto proposed = propose_stream(request->name, request->samples, names, parts_.clock.now_us());
  if (!proposed) return call.reply(proposed.error());
  call.reply(answer_json(*proposed, *request));
}

}  // namespace tidegate::api
