#include "net/http_client.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <optional>

#include "net/internal/http_reply_reader.h"
#include "net/tls_context.h"

namespace tidegate::net {
namespace {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

struct BaseUrl {
  bool tls = false;
  std::string host;  // without brackets
  std::string port;
};

Result<BaseUrl> parse_base_url(std::string_view url) {
  const auto wrong = [&] {
    return fail(ErrorCode::ConfigInvalid, fmt::format("'{}' is not a server's address", url),
                "Write it as https://host:port.");
  };
  BaseUrl out;
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    out.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return wrong();
  }
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const size_t bracket = rest.starts_with('[') ? rest.find(']') : 0;
  if (bracket == std::string_view::npos) return wrong();
  const size_t colon = rest.find(':', bracket);
  out.host = bracket != 0 ? rest.substr(1, bracket - 1) : rest.substr(0, colon);
  out.port = colon == std::string_view::npos ? (out.tls ? "443" : "80") : rest.substr(colon + 1);
  const bool digits = out.port.find_first_not_of("0123456789") == std::string::npos && !out.port.empty();
  if (out.host.empty() || !digits || out.host.find_first_of("/?#@ ") != std::string::npos) return wrong();
  return out;
}

struct Connection {
  explicit Connection(asio::io_context& context) : socket(context) {}
  tcp::socket socket;
  std::optional<asio::ssl::stream<tcp::socket&>> tls;
};

class Client final : public HttpClient {
 public:
  Client(HttpClientOptions options, BaseUrl url, std::unique_ptr<TlsContext> tls)
      : options_(std::move(options)), url_(std::move(url)), tls_(std::move(tls)) {
    if (!tls_) return;
    SSL_CTX_up_ref(tls_->native());
    ssl_.emplace(tls_->native());
  }

  Result<HttpReply> send(const HttpCall& call) override { return exchange(call, nullptr); }
  Result<HttpReply> stream(const HttpCall& call, const OnChunk& on_chunk) override {
    auto reply = exchange(call, &on_chunk);
    if (!reply || reply->ok()) connection_.reset();  // a stream's connection is not used again
    return reply;
  }

  void cancel() override {
    cancelled_ = true;
    asio::post(context_, [this] { context_.stop(); });
  }

  void set_bearer_token(std::string token) override { options_.bearer_token = std::move(token); }

 private:
  // A kept connection may have been closed by the server meanwhile; then the request is sent once more on a new one.
  Result<HttpReply> exchange(const HttpCall& call, const OnChunk* on_chunk) {
    const bool reused = connection_ != nullptr;
    bool nothing_came = false;
    auto reply = attempt(call, on_chunk, nothing_came);
    if (reply || !reused || !nothing_came || reply.error().code != ErrorCode::ConnectionFailed) return reply;
    return attempt(call, on_chunk, nothing_came);
  }

  Result<HttpReply> attempt(const HttpCall& call, const OnChunk* on_chunk, bool& nothing_came) {
    nothing_came = false;
    if (connection_ == nullptr) TRY(connect());
    auto reply = talk(call, on_chunk, nothing_came);
    if (!reply || !reader_->keep_alive()) connection_.reset();
    return reply;
  }

  // Runs the operation that was just started until it calls back or the time is over.
  Result<> wait(int timeout_ms, const bool& done) {
    context_.restart();
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (!done && !cancelled_ && !context_.stopped()) {
      if (context_.run_one_until(until) == 0 && std::chrono::steady_clock::now() >= until) break;
    }
    if (done) return {};
    if (connection_) {
      error_code ignored;
      connection_->socket.close(ignored);
    }
    resolver_.cancel();
    context_.restart();
    context_.run();  // the cancelled operation's callback, before its stack frame goes
    if (cancelled_) return fail(ErrorCode::Cancelled, "the request was cancelled");
    return fail(ErrorCode::Timeout, fmt::format("{} did not answer within {} ms", options_.base_url, timeout_ms));
  }

  template <class Start>
  Result<size_t> await(int timeout_ms, ErrorCode failure, std::string_view doing, Start start) {
    if (cancelled_) return fail(ErrorCode::Cancelled, "the request was cancelled");
    bool done = false;
    error_code error;
    size_t size = 0;
    start([&](error_code e, size_t n = 0) {
      done = true;
      error = e;
      size = n;
    });
    TRY(wait(timeout_ms, done));
    if (!error) return size;
    connection_.reset();
    if (cancelled_) return fail(ErrorCode::Cancelled, "the request was cancelled");
    return fail(failure, fmt::format("{} {}: {}", doing, options_.base_url, error.message()));
  }

  Result<> connect() {
    tcp::resolver::results_type endpoints;
    TRY(await(options_.connect_timeout_ms, ErrorCode::ConnectionFailed, "cannot find", [&](auto done) {
      resolver_.async_resolve(url_.host, url_.port, [&endpoints, done](error_code e, auto found) mutable {
        endpoints = std::move(found);
        done(e);
      });
    }));
    if (!ssl_) {
      for (const auto& endpoint : endpoints) {
        if (endpoint.endpoint().address().is_loopback()) continue;
        return fail(ErrorCode::InsecureRefused, fmt::format("{} is plain text off loopback", options_.base_url),
                    "Use https://.");
      }
    }
    connection_ = std::make_unique<Connection>(context_);
    TRY(await(options_.connect_timeout_ms, ErrorCode::ConnectionFailed, "cannot connect to", [&](auto done) {
      asio::async_connect(connection_->socket, endpoints,
                          [done](error_code e, const tcp::endpoint&) mutable { done(e); });
    }));
    error_code ignored;
    connection_->socket.set_option(tcp::no_delay(true), ignored);
    if (!ssl_) return {};
    connection_->tls.emplace(connection_->socket, *ssl_);
    TRY(expect_tls_host(connection_->tls->native_handle(), url_.host));
    TRY(await(options_.connect_timeout_ms, ErrorCode::TlsFailed, "no secure connection to", [&](auto done) {
      connection_->tls->async_handshake(asio::ssl::stream_base::client, [done](error_code e) mutable { done(e); });
    }));
    return {};
  }

  std::string request_text(const HttpCall& call) const {
    const bool v6 = url_.host.find(':') != std::string::npos;
    std::string out = fmt::format("{} {} HTTP/1.1\r\nHost: {}:{}\r\n", call.method, call.target,
                                  v6 ? "[" + url_.host + "]" : url_.host, url_.port);
    if (!options_.bearer_token.empty()) out += fmt::format("Authorization: Bearer {}\r\n", options_.bearer_token);
    if (!call.body.empty()) out += fmt::format("Content-Type: {}\r\n", call.content_type);
    if (!call.body.empty() || call.method == "POST") out += fmt::format("Content-Length: {}\r\n", call.body.size());
    for (const auto& [name, value] : call.headers) out += fmt::format("{}: {}\r\n", name, value);
    return out + "\r\n" + call.body;
  }

  Result<HttpReply> talk(const HttpCall& call, const OnChunk* on_chunk, bool& nothing_came) {
    const std::string request = request_text(call);
    auto sent =
        await(options_.answer_timeout_ms, ErrorCode::ConnectionFailed, "the connection broke to", [&](auto done) {
          if (connection_->tls) {
            asio::async_write(*connection_->tls, asio::buffer(request), done);
          } else {
            asio::async_write(connection_->socket, asio::buffer(request), done);
          }
        });
    if (!sent) {
      nothing_came = true;
      return fail(std::move(sent.error()));
    }
    reader_ = std::make_unique<HttpReplyReader>(options_.max_body_bytes, call.method == "HEAD");
    const bool chunks = on_chunk != nullptr;
    nothing_came = true;
    while (!reader_->done()) {
      const bool streaming = chunks && reader_->head_done();
      auto size = await(streaming ? options_.idle_timeout_ms : options_.answer_timeout_ms, ErrorCode::ConnectionFailed,
                        "the connection broke to", [&](auto done) {
                          if (connection_->tls) {
                            connection_->tls->async_read_some(asio::buffer(buffer_), done);
                          } else {
                            connection_->socket.async_read_some(asio::buffer(buffer_), done);
                          }
                        });
      if (!size) {
        if (size.error().code == ErrorCode::ConnectionFailed && reader_->finish()) break;  // the end was the body's end
        return fail(std::move(size.error()));
      }
      nothing_came = false;
      TRY(reader_->feed({buffer_.data(), *size}));
      if (!chunks || !reader_->head_done() || !reader_->reply().ok()) continue;
      const std::string piece = reader_->take_body();
      if (!piece.empty() && !(*on_chunk)(piece)) break;
    }
    return reader_->take();
  }

  HttpClientOptions options_;
  BaseUrl url_;
  std::unique_ptr<TlsContext> tls_;
  std::optional<asio::ssl::context> ssl_;
  asio::io_context context_{1};
  tcp::resolver resolver_{context_};
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<HttpReplyReader> reader_;
  std::array<char, 64U << 10> buffer_{};
  std::atomic<bool> cancelled_{false};
};

}  // namespace

std::string_view HttpReply::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

Result<std::unique_ptr<HttpClient>> HttpClient::create(HttpClientOptions options) {
  TRY_ASSIGN(BaseUrl url, parse_base_url(options.base_url));
  std::unique_ptr<TlsContext> tls;
  if (url.tls) {
    TRY_ASSIGN(tls,
               TlsContext::client(
                   {.ca_pem = options.ca_pem, .certificate_pem = options.certificate_pem, .key_pem = options.key_pem}));
  }
  return std::make_unique<Client>(std::move(options), std::move(url), std::move(tls));
}

}  // namespace tidegate::net
