// One connection of the HTTP server. Included by .cpp files only (Asio).
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "net/http_handler.h"
#include "net/internal/http_request_reader.h"
#include "net/internal/http_worker.h"

namespace tidegate::net {

// What a stream's writers and its connection share.
struct HttpStreamState {
  explicit HttpStreamState(std::function<void()> on_closed_callback) : on_closed(std::move(on_closed_callback)) {}
  void end() {
    if (!closed.exchange(true) && on_closed) std::exchange(on_closed, nullptr)();
  }
  std::function<void()> on_closed;
  std::atomic<bool> closed{false};
  std::atomic<size_t> queued_bytes{0};
};

// All of it on the worker's thread. One request at a time: what the peer sends behind it (pipelining) stays in the
// buffer until the answer is written. States: handshake -> (wait -> read -> answer)* -> close, or -> stream -> close.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(HttpWorker& worker, boost::asio::ip::tcp::socket socket);
  ~HttpSession();

  void start();
  // The answer to request number `request`; dropped if that was answered already.
  void respond(uint64_t request, HttpResponse response);
  // Reads on while the request is being answered, so that the peer's end is seen.
  void watch_request(uint64_t request, std::function<void()> on_gone);
  // `state` is shared with the stream's writers.
  void begin_stream(uint64_t request, const HttpResponse& head, std::shared_ptr<HttpStreamState> state);
  void stream_write(std::string chunk);
  void stream_close();
  void stop_when_idle();
  void close();  // at once
  [[nodiscard]] bool is_late(std::chrono::steady_clock::time_point now) const { return now >= deadline_; }

 private:
  using ErrorCodeAsio = boost::system::error_code;
  enum class Phase { kHandshake, kWaiting, kHead, kBody, kHandling, kWriting, kStreaming, kClosing, kClosed };

  void wait_for_request();
  void read_more();
  void on_read(ErrorCodeAsio error, size_t size);
  void parse();
  [[nodiscard]] bool account_body();
  void dispatch();
  void write_answer(HttpResponse response, bool keep_alive);
  void write_rest();
  void on_answer_written(bool keep_alive);
  void stream_pump();
  void watch_peer();
  void finish();  // tells the peer that nothing more comes, reads what it still sends, closes
  void drain();
  void set_deadline(int timeout_ms);
  void no_deadline() { deadline_ = std::chrono::steady_clock::time_point::max(); }
  [[nodiscard]] const HttpServerOptions& options() const { return worker_.shared().options; }

  using OnDone = std::function<void(ErrorCodeAsio, size_t)>;
  void async_read(OnDone done);  // something, into read_buffer_
  void async_write(boost::asio::const_buffer all, OnDone done);

  static constexpr size_t kReadBytes = 16U << 10;
  static constexpr size_t kWriteBytes = 256U << 10;  // per write, so that the write limit counts from progress
  static constexpr size_t kDrainBytes = 64U << 20;   // of a refused body: read and thrown away, then cut off
  static constexpr int kCloseTimeoutMs = 3'000;
  static constexpr int kStopCloseTimeoutMs = 200;

  HttpWorker& worker_;
  boost::asio::ip::tcp::socket socket_;
  std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
  Phase phase_ = Phase::kHandshake;
  std::chrono::steady_clock::time_point deadline_;
  std::chrono::steady_clock::time_point body_deadline_;

  std::string input_;  // read and not yet parsed
  bool reading_ = false;
  std::function<void()> on_gone_;  // of the request being handled
  std::array<char, kReadBytes> read_buffer_;
  std::unique_ptr<HttpRequestReader> reader_;
  size_t accounted_bytes_ = 0;
  uint64_t request_number_ = 0;  // of the request being handled
  std::string peer_;
  std::optional<std::string> fingerprint_;

  bool request_keep_alive_ = false;
  bool request_is_head_ = false;
  bool request_http_1_1_ = true;
  std::string head_;
  std::string body_;
  size_t written_ = 0;  // of head_ and body_ together
  size_t drained_ = 0;

  std::shared_ptr<HttpStreamState> stream_;  // shared with its writers
  std::deque<std::string> stream_queue_;
  std::string stream_writing_;
  bool stream_chunked_ = false;
  bool stream_ending_ = false;
  bool stream_write_active_ = false;
};

}  // namespace tidegate::net
