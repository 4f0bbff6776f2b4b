#include "net/internal/http_request_reader.h"

#include <algorithm>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/letter_case.h"
#include "net/http_target.h"

namespace tidegate::net {
namespace http = boost::beast::http;

namespace {

// What a parser of payloads may read behind the body (HttpRequest::body).
constexpr size_t kBodyPadding = 64;

}  // namespace

struct HttpRequestReader::Parser {
  http::request_parser<http::string_body> beast;
};

HttpRequestReader::HttpRequestReader(HttpLimits limits) : limits_(limits), parser_(std::make_unique<Parser>()) {
  parser_->beast.header_limit(static_cast<uint32_t>(limits.head_bytes));
  parser_->beast.body_limit(limits.body_bytes);
  parser_->beast.eager(false);
}

HttpRequestReader::~HttpRequestReader() = default;

HttpRequestReader::Step HttpRequestReader::fail_with(int status, ErrorCode code, std::string message,
                                                     std::string hint) {
  failure_status_ = status;
  error_ = Error{code, std::move(message), std::move(hint), std::nullopt};
  return Step::kFailed;
}

HttpRequestReader::Step HttpRequestReader::feed(std::string_view bytes, size_t& consumed) {
  consumed = 0;
  auto& parser = parser_->beast;
  while (!parser.is_done()) {
    boost::beast::error_code ec;
    const std::string_view rest = bytes.substr(consumed);
    consumed += parser.put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
    if (ec == http::error::need_more) return Step::kNeedMore;
    if (ec == http::error::header_limit) {
      return fail_with(431, ErrorCode::BadRequest, "the request line and headers are larger than the limit");
    }
    if (ec == http::error::body_limit) {
      return fail_with(413, ErrorCode::RecordTooLarge,
                       "the body is larger than " + std::to_string(limits_.body_bytes) + " bytes",
                       "Send the records in several requests.");
    }
    if (ec) return fail_with(400, ErrorCode::ProtocolViolation, "not an HTTP/1.1 request: " + ec.message());
    if (parser.is_header_done() && !head_done_) {
      head_done_ = true;
      if (const Step step = check_head(); step != Step::kComplete) return step;
    } else if (consumed == bytes.size() && !parser.is_done()) {
      return Step::kNeedMore;
    }
  }
  return Step::kComplete;
}

// Returns kComplete if reading goes on with the body.
HttpRequestReader::Step HttpRequestReader::check_head() {
  auto& parser = parser_->beast;
  const auto& message = parser.get();
  if (message.version() != 11 && message.version() != 10) {
    return fail_with(505, ErrorCode::ProtocolViolation, "this server speaks HTTP/1.1");
  }
  for (const auto& field : message) request_.headers.emplace_back(to_lower(field.name_string()), field.value());
  const auto hosts = std::count_if(request_.headers.begin(), request_.headers.end(),
                                   [](const auto& header) { return header.first == "host"; });
  if (hosts > 1 || (hosts == 0 && message.version() == 11)) {
    return fail_with(400, ErrorCode::ProtocolViolation, "a request has exactly one Host header");
  }
  auto target = parse_http_target(message.target());
  if (!target) return fail_with(400, target.error().code, target.error().message, target.error().hint);
  request_.path = std::move(target->path);
  request_.segments = std::move(target->segments);
  request_.query = std::move(target->query);
  is_head_ = message.method_string() == "HEAD";
  request_.method = is_head_ ? "GET" : std::string(message.method_string());

  parser.eager(true);
  if (const auto length = parser.content_length()) {
    parser.get().body().reserve(static_cast<size_t>(*length) + kBodyPadding);  // is below the limit
  }
  const auto expect = request_.header("expect");
  if (!expect || parser.is_done() || message.version() == 10) return Step::kComplete;
  if (to_lower(*expect) != "100-continue") {
    return fail_with(417, ErrorCode::BadRequest, "the only expectation this server meets is 100-continue");
  }
  return Step::kSendContinue;
}

HttpRequest HttpRequestReader::take() {
  request_.body = std::move(parser_->beast.get().body());
  request_.body.reserve(request_.body.size() + kBodyPadding);
  return std::move(request_);
}

bool HttpRequestReader::keep_alive() const { return head_done_ && parser_->beast.get().keep_alive(); }
bool HttpRequestReader::is_http_1_1() const { return !head_done_ || parser_->beast.get().version() == 11; }
size_t HttpRequestReader::body_memory_bytes() const { return parser_->beast.get().body().capacity(); }

}  // namespace tidegate::net
