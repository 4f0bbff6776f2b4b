#include "net/internal/http_request_reader.h"

#include <doctest/doctest.h>

#include "net/http_client.h"
#include "net/http_problem.h"
#include "net/http_target.h"
#include "net/internal/http_head.h"

namespace tidegate::net {
namespace {

using Step = HttpRequestReader::Step;

// Feeds the text in pieces of `piece` bytes, as a connection would.
Step feed_all(HttpRequestReader& reader, std::string_view text, size_t piece) {
  std::string waiting;
  Step step = Step::kNeedMore;
  while (!text.empty() && (step == Step::kNeedMore || step == Step::kSendContinue)) {
    const size_t size = std::min(piece, text.size());
    waiting += text.substr(0, size);
    text.remove_prefix(size);
    size_t consumed = 0;
    step = reader.feed(waiting, consumed);
    waiting.erase(0, consumed);
  }
  return step;
}

struct Malformed {
  const char* what;
  std::string text;
  int status;
};

std::vector<Malformed> malformed_requests() {
  const std::string host = "Host: x\r\n";
  return {
      {"no request line", "\x16\x03\x01 garbage\r\n\r\n", 400},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", 400},
      {"HTTP/2.0", "GET / HTTP/2.0\r\n" + host + "\r\n", 400},
      {"blank in a header's name", "GET / HTTP/1.1\r\n" + host + "A b: c\r\n\r\n", 400},
      {"folded header", "GET / HTTP/1.1\r\n" + host + "A: b\r\nContent-Length : 3\r\n\r\nabc", 400},
      {"bad length", "POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", 400},
      {"two lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
      {"length and chunks",
       "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"bad chunk", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"body too large", "POST / HTTP/1.1\r\n" + host + "Content-Length: 300000000\r\n\r\n", 413},
      {"chunk too large", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nffffff\r\n", 413},
      {"head too large", "GET / HTTP/1.1\r\n" + host + "A: " + std::string(40'000, 'a') + "\r\n\r\n", 431},
      {"unknown expectation", "POST / HTTP/1.1\r\n" + host + "Expect: cake\r\nContent-Length: 1\r\n\r\n", 417},
      {"dot segments", "GET /a/../b HTTP/1.1\r\n" + host + "\r\n", 400},
      {"encoded dot segments", "GET /a/%2e%2E/b HTTP/1.1\r\n" + host + "\r\n", 400},
      {"broken escape", "GET /a%2 HTTP/1.1\r\n" + host + "\r\n", 400},
      {"NUL", "GET /a%00b HTTP/1.1\r\n" + host + "\r\n", 400},
      {"not UTF-8", "GET /a%ff HTTP/1.1\r\n" + host + "\r\n", 400},
      {"asterisk", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", 400},
  };
}

}  // namespace

TEST_CASE("malformed requests are refused however they are cut") {
  for (const auto& [what, text, status] : malformed_requests()) {
    for (const size_t piece : {size_t{1}, size_t{7}, size_t{100'000}}) {
      HttpRequestReader reader({.head_bytes = 32U << 10, .body_bytes = 1U << 20});
      CHECK_MESSAGE(feed_all(reader, text, piece) == Step::kFailed, what, " in pieces of ", piece);
      CHECK_MESSAGE(reader.failure_status() == status, what, ": ", reader.error().message);
    }
  }
}

TEST_CASE("a request comes out whole, and what follows it stays") {
  const std::string text =
      "POST /api/a%2Fb/c?x=1+2&y=%C3%A4&z HTTP/1.1\r\nHost: x\r\nX-A: B\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2\r\nde\r\n0\r\nX-A: trailer\r\n\r\n";
  for (const size_t piece : {size_t{1}, size_t{5}, size_t{1000}}) {
    HttpRequestReader reader({});
    REQUIRE(feed_all(reader, text, piece) == Step::kComplete);
    CHECK(reader.keep_alive());
    const HttpRequest request = reader.take();
    CHECK(request.path == "/api/a/b/c");
    CHECK(request.segments == std::vector<std::string>{"api", "a/b", "c"});
    CHECK(request.query_value("x") == "1 2");
    CHECK(request.query_value("y") == "ä");
    CHECK(request.query_value("z") == "");
    CHECK(request.header("x-a") == "B");
    CHECK(request.body == "abcde");
    CHECK(request.body.capacity() >= request.body.size() + 64);
  }
  HttpRequestReader reader({});
  const std::string two = "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n";
  size_t consumed = 0;
  REQUIRE(reader.feed(two, consumed) == Step::kComplete);
  CHECK(consumed == two.size() / 2);
}

TEST_CASE("a peer that waits for 100 Continue is told") {
  HttpRequestReader reader({});
  size_t consumed = 0;
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  REQUIRE(reader.feed(head, consumed) == Step::kSendContinue);
  CHECK(consumed == head.size());
  REQUIRE(reader.feed("", consumed) == Step::kNeedMore);
  REQUIRE(reader.feed("ab", consumed) == Step::kComplete);
  CHECK(reader.take().body == "ab");
}

TEST_CASE("heads cannot be split by what a handler puts into them") {
  HttpResponse response;
  response.set_header("X-Name", "a\r\nX-Evil: 1");
  const std::string head = http_response_head(response, {.tls = true, .now_us = 784'111'777'000'000});
  CHECK(head.find("\r\nX-Evil") == std::string::npos);
  CHECK(head.find("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n") != std::string::npos);
  CHECK(head.find("Strict-Transport-Security: ") != std::string::npos);
}

TEST_CASE("problems are JSON whatever they quote") {
  CHECK(json_string("a\"\\\n\x01") == R"("a\"\\\n\u0001")");
  CHECK(json_string("a\xff") == "\"a\xef\xbf\xbd\"");
  const Error error{ErrorCode::SqlUnknownColumn, "unknown column", "", TextPosition{3, 8}};
  CHECK(problem_json(error, 400).ends_with(R"("detail":"unknown column","line":3,"column":8})"));
}

TEST_CASE("what is encoded decodes to the same") {
  std::string all;
  for (int c = 1; c < 128; ++c) all += static_cast<char>(c);
  CHECK(percent_decode(percent_encode(all), false) == all);
  CHECK(percent_decode(percent_encode(all), true) == all);
}

}  // namespace tidegate::net
