#include "net/internal/http_reply_reader.h"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <limits>

#include "base/letter_case.h"

namespace tidegate::net {
namespace http = boost::beast::http;

namespace {
constexpr uint32_t kMaxHeadBytes = 64U << 10;
}  // namespace

struct HttpReplyReader::Parser {
  http::response_parser<http::string_body> beast;
};

HttpReplyReader::HttpReplyReader(size_t max_body_bytes, bool head_request)
    : max_body_bytes_(max_body_bytes), parser_(std::make_unique<Parser>()) {
  parser_->beast.header_limit(kMaxHeadBytes);
  parser_->beast.body_limit(std::numeric_limits<uint64_t>::max());  // a stream has no end; see feed()
  parser_->beast.eager(true);
  parser_->beast.skip(head_request);
}

HttpReplyReader::~HttpReplyReader() = default;

Result<> HttpReplyReader::feed(std::string_view bytes) {
  pending_.append(bytes);
  auto& parser = parser_->beast;
  size_t used = 0;
  while (!parser.is_done() && used < pending_.size()) {
    boost::beast::error_code error;
    const size_t taken = parser.put(boost::asio::const_buffer(pending_.data() + used, pending_.size() - used), error);
    used += taken;
    if (error == http::error::need_more || (!error && taken == 0)) break;
    if (error) return fail(ErrorCode::ProtocolViolation, "not an HTTP answer: " + error.message());
  }
  pending_.erase(0, used);
  if (parser.is_header_done() && !head_done_) {
    head_done_ = true;
    reply_.status = static_cast<int>(parser.get().result_int());
    for (const auto& field : parser.get()) {
      reply_.headers.emplace_back(to_lower(field.name_string()), field.value());
    }
  }
  if (parser.get().body().size() > max_body_bytes_) {
    return fail(ErrorCode::RecordTooLarge, "the answer is larger than " + std::to_string(max_body_bytes_) + " bytes");
  }
  return {};
}

bool HttpReplyReader::finish() {
  auto& parser = parser_->beast;
  if (!head_done_ || !parser.need_eof()) return false;
  boost::beast::error_code error;
  parser.put_eof(error);
  return !error;
}

bool HttpReplyReader::done() const { return parser_->beast.is_done(); }
bool HttpReplyReader::keep_alive() const { return done() && parser_->beast.get().keep_alive(); }
std::string HttpReplyReader::take_body() { return std::exchange(parser_->beast.get().body(), {}); }

HttpReply HttpReplyReader::take() {
  reply_.body = take_body();
  return std::move(reply_);
}

}  // namespace tidegate::net
