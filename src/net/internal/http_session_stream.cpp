// The part of HttpSession that sends a body without an end.

#include "net/internal/http_head.h"
#include "net/internal/http_session.h"

namespace tidegate::net {
namespace asio = boost::asio;

void HttpSession::begin_stream(uint64_t request, const HttpResponse& head, std::shared_ptr<HttpStreamState> state) {
  if (phase_ != Phase::kHandling || request != request_number_) return state->end();
  phase_ = Phase::kStreaming;
  stream_ = std::move(state);
  stream_chunked_ = request_http_1_1_;
  stream_ending_ = request_is_head_ || worker_.shared().stopping;
  stream_queue_.push_back(http_response_head(head, {.http_1_1 = request_http_1_1_,
                                                    .keep_alive = false,
                                                    .tls = tls_.has_value(),
                                                    .chunked = stream_chunked_,
                                                    .streaming = true,
                                                    .now_us = worker_.shared().clock.now_us()}));
  stream_->queued_bytes += stream_queue_.back().size();
  if (stream_ending_ && stream_chunked_ && !request_is_head_) {
    stream_queue_.emplace_back("0\r\n\r\n");
    stream_->queued_bytes += stream_queue_.back().size();
  }
  stream_pump();
  watch_peer();
}

void HttpSession::stream_write(std::string chunk) {
  if (phase_ != Phase::kStreaming || stream_ending_) {
    if (stream_) stream_->queued_bytes -= chunk.size();
    return;
  }
  const size_t announced = chunk.size();
  if (stream_chunked_) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string size_line;
    for (size_t size = announced; size != 0; size >>= 4) size_line.insert(size_line.begin(), kDigits[size & 15]);
    chunk.insert(0, size_line + "\r\n");
    chunk += "\r\n";
  }
  stream_->queued_bytes += chunk.size() - announced;
  stream_queue_.push_back(std::move(chunk));
  stream_pump();
}

void HttpSession::stream_close() {
  if (phase_ != Phase::kStreaming || stream_ending_) return;
  stream_ending_ = true;
  if (stream_chunked_) {
    stream_queue_.emplace_back("0\r\n\r\n");
    stream_->queued_bytes += stream_queue_.back().size();
  }
  stream_pump();
}

// Sends what is queued, several chunks in one write.
void HttpSession::stream_pump() {
  if (stream_write_active_ || phase_ != Phase::kStreaming) return;
  if (stream_queue_.empty()) {
    no_deadline();
    if (stream_ending_) {
      stream_->end();
      finish();
    }
    return;
  }
  std::string& out = stream_writing_;
  out.clear();
  while (!stream_queue_.empty() && out.size() < kWriteBytes) {
    out += stream_queue_.front();
    stream_queue_.pop_front();
  }
  stream_write_active_ = true;
  set_deadline(options().write_timeout_ms);
  async_write(asio::buffer(std::as_const(out)), [self = shared_from_this()](ErrorCodeAsio error, size_t size) {
    self->stream_write_active_ = false;
    if (error || self->phase_ == Phase::kClosed) return self->close();
    self->stream_->queued_bytes -= size;
    self->stream_pump();
  });
}

// Reading is how the end of the peer is seen; what it sends meanwhile has no meaning and is thrown away,
// also after the end of the stream (finish() leaves that to the read under way).
void HttpSession::watch_peer() {
  if (reading_) return;  // on_read() comes back here
  async_read([self = shared_from_this()](ErrorCodeAsio error, size_t) {
    if (error || self->phase_ == Phase::kClosed) return self->close();
    self->watch_peer();
  });
}

}  // namespace tidegate::net
