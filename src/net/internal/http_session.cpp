#include "net/internal/http_session.h"

#include <algorithm>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "net/http_problem.h"
#include "net/internal/http_head.h"
#include "net/internal/http_responder.h"

namespace tidegate::net {
namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

HttpSession::HttpSession(HttpWorker& worker, asio::ip::tcp::socket socket)
    : worker_(worker), socket_(std::move(socket)) {
  no_deadline();
  ErrorCodeAsio ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  const auto endpoint = socket_.remote_endpoint(ignored);
  if (!ignored) peer_ = endpoint.address().to_string();
  if (worker_.shared().tls) tls_.emplace(socket_, *worker_.shared().tls);
  ++worker_.shared().open;
}

HttpSession::~HttpSession() {
  worker_.shared().buffered_bytes -= accounted_bytes_;
  --worker_.shared().open;
}

void HttpSession::async_read(OnDone done) {
  if (tls_) {
    tls_->async_read_some(asio::buffer(read_buffer_), std::move(done));
  } else {
    socket_.async_read_some(asio::buffer(read_buffer_), std::move(done));
  }
}

void HttpSession::async_write(asio::const_buffer all, OnDone done) {
  if (tls_) {
    asio::async_write(*tls_, all, std::move(done));
  } else {
    asio::async_write(socket_, all, std::move(done));
  }
}

void HttpSession::set_deadline(int timeout_ms) { deadline_ = Clock::now() + std::chrono::milliseconds(timeout_ms); }

void HttpSession::start() {
  set_deadline(options().header_timeout_ms);
  if (!tls_) return wait_for_request();
  tls_->async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](ErrorCodeAsio error) {
    if (error || self->phase_ == Phase::kClosed) return self->close();
    self->fingerprint_ = peer_certificate_fingerprint(self->tls_->native_handle());
    self->wait_for_request();
  });
}

void HttpSession::wait_for_request() {
  if (worker_.shared().stopping) return finish();
  reader_ = std::make_unique<HttpRequestReader>(
      HttpLimits{.head_bytes = options().max_head_bytes, .body_bytes = options().max_body_bytes});
  worker_.shared().buffered_bytes -= std::exchange(accounted_bytes_, 0);
  // A new connection sends its request at once, or it is one that only holds a place.
  const bool first = request_number_ == 0;
  phase_ = input_.empty() ? Phase::kWaiting : Phase::kHead;
  set_deadline(input_.empty() && !first ? options().idle_timeout_ms : options().header_timeout_ms);
  if (input_.empty()) return read_more();
  parse();
}

void HttpSession::read_more() {
  if (std::exchange(reading_, true)) return;  // what watch_request() began goes on as this
  async_read([self = shared_from_this()](ErrorCodeAsio error, size_t size) {
    self->reading_ = false;
    self->on_read(error, size);
  });
}

void HttpSession::watch_request(uint64_t request, std::function<void()> on_gone) {
  if (phase_ == Phase::kClosed) return on_gone();
  if (phase_ != Phase::kHandling || request != request_number_) return;
  on_gone_ = std::move(on_gone);
  if (input_.size() < kReadBytes) read_more();
}

void HttpSession::on_read(ErrorCodeAsio error, size_t size) {
  const bool unwatched = phase_ == Phase::kWriting || (phase_ == Phase::kHandling && !on_gone_);
  if (error && unwatched) {
    request_keep_alive_ = false;  // it may only have stopped sending: the answer goes out
    return;
  }
  if (error || phase_ == Phase::kClosed) return close();
  if (phase_ == Phase::kClosing) {
    drained_ += size;
    return drained_ > kDrainBytes ? close() : read_more();
  }
  if (phase_ == Phase::kStreaming) return watch_peer();
  input_.append(read_buffer_.data(), size);
  if (phase_ == Phase::kWriting) return;
  if (phase_ == Phase::kHandling) {
    if (input_.size() < kReadBytes) read_more();
    return;
  }
  if (phase_ == Phase::kWaiting) {
    phase_ = Phase::kHead;
    set_deadline(options().header_timeout_ms);
  }
  parse();
}

void HttpSession::parse() {
  size_t consumed = 0;
  const auto step = reader_->feed(input_, consumed);
  input_.erase(0, consumed);
  if (step == HttpRequestReader::Step::kFailed) {
    request_is_head_ = reader_->is_head();
    request_http_1_1_ = reader_->is_http_1_1();
    ++request_number_;
    HttpResponse response = problem_response(reader_->error());
    response.status = reader_->failure_status();
    response.body = problem_json(reader_->error(), response.status);
    return write_answer(std::move(response), false);
  }
  if (reader_->head_done() && phase_ == Phase::kHead) {
    phase_ = Phase::kBody;
    body_deadline_ = Clock::now() + std::chrono::milliseconds(options().body_timeout_ms);
  }
  if (!account_body()) {
    ++request_number_;
    const Error error{ErrorCode::Overloaded, "too many large requests at once", "Try again in a moment.", {}};
    return write_answer(problem_response(error), false);
  }
  if (step == HttpRequestReader::Step::kComplete) return dispatch();
  if (phase_ == Phase::kBody) {
    set_deadline(options().body_idle_timeout_ms);
    deadline_ = std::min(deadline_, body_deadline_);
  }
  if (step == HttpRequestReader::Step::kNeedMore) return read_more();
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  async_write(asio::buffer(kContinue.data(), kContinue.size()),
              [self = shared_from_this()](ErrorCodeAsio error, size_t) {
                if (error || self->phase_ == Phase::kClosed) return self->close();
                self->parse();
              });
}

// Keeps the sum over all connections; false when it would pass the limit.
bool HttpSession::account_body() {
  const size_t now = reader_->body_memory_bytes();
  auto& total = worker_.shared().buffered_bytes;
  total += now - accounted_bytes_;  // modulo 2^64: shrinking subtracts
  accounted_bytes_ = now;
  return total <= options().max_buffered_bytes;
}

void HttpSession::dispatch() {
  phase_ = Phase::kHandling;
  on_gone_ = nullptr;
  no_deadline();  // the handler's own limits count now
  request_keep_alive_ = reader_->keep_alive();
  request_is_head_ = reader_->is_head();
  request_http_1_1_ = reader_->is_http_1_1();
  HttpRequest request = reader_->take();
  request.peer = peer_;
  request.certificate_fingerprint = fingerprint_;
  ++request_number_;
  ++worker_.shared().requests;
  worker_.shared().handler.handle(std::move(request),
                                  make_http_responder(worker_.shared_from_this(), weak_from_this(), request_number_));
}

void HttpSession::respond(uint64_t request, HttpResponse response) {
  if (phase_ != Phase::kHandling || request != request_number_) return;
  on_gone_ = nullptr;
  write_answer(std::move(response), request_keep_alive_ && !worker_.shared().stopping);
}

void HttpSession::write_answer(HttpResponse response, bool keep_alive) {
  phase_ = Phase::kWriting;
  request_keep_alive_ = keep_alive;
  head_ = http_response_head(response, {.http_1_1 = request_http_1_1_,
                                        .keep_alive = keep_alive,
                                        .tls = tls_.has_value(),
                                        .now_us = worker_.shared().clock.now_us()});
  const bool with_body = status_has_body(response.status) && !request_is_head_;
  body_ = with_body ? std::move(response.body) : std::string();
  if (body_.size() < kReadBytes) head_.append(std::exchange(body_, {}));  // one buffer, one TLS record
  written_ = 0;
  write_rest();
}

void HttpSession::write_rest() {
  const bool in_head = written_ < head_.size();
  const std::string& source = in_head ? head_ : body_;
  const size_t from = in_head ? written_ : written_ - head_.size();
  const size_t size = std::min(source.size() - from, kWriteBytes);
  if (size == 0) return on_answer_written(request_keep_alive_);
  set_deadline(options().write_timeout_ms);
  async_write(asio::buffer(source.data() + from, size), [self = shared_from_this()](ErrorCodeAsio error, size_t taken) {
    if (error || self->phase_ == Phase::kClosed) return self->close();
    self->written_ += taken;
    self->write_rest();
  });
}

void HttpSession::on_answer_written(bool keep_alive) {
  head_.clear();
  body_ = {};
  if (!keep_alive) return finish();
  wait_for_request();
}

void HttpSession::stop_when_idle() {
  if (phase_ == Phase::kWaiting || phase_ == Phase::kHandshake) return close();
  if (phase_ == Phase::kStreaming) stream_close();
}

void HttpSession::finish() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosing;
  set_deadline(worker_.shared().stopping ? kStopCloseTimeoutMs : kCloseTimeoutMs);
  const auto half_close = [self = shared_from_this()](ErrorCodeAsio) {
    ErrorCodeAsio ignored;
    self->socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    if (self->stream_ == nullptr && !self->reading_) self->drain();
  };
  if (!tls_) return half_close({});
  tls_->async_shutdown(half_close);
}

// Closing a socket with unread bytes resets the connection, and the peer may lose the answer (RFC 9112 section 9.6).
void HttpSession::drain() {
  socket_.async_read_some(asio::buffer(read_buffer_), [self = shared_from_this()](ErrorCodeAsio error, size_t size) {
    self->drained_ += size;
    if (error || self->drained_ > kDrainBytes || self->phase_ == Phase::kClosed) return self->close();
    self->drain();
  });
}

void HttpSession::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  no_deadline();
  ErrorCodeAsio ignored;
  socket_.close(ignored);
  if (stream_) stream_->end();
  if (on_gone_) std::exchange(on_gone_, nullptr)();
  worker_.remove(shared_from_this());
}

}  // namespace tidegate::net
