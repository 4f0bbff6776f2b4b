// One network thread of the HTTP server and the connections that belong to it. Included by .cpp files only (Asio).
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>

#include "base/guarded.h"
#include "net/http_server.h"

namespace tidegate::net {

class HttpSession;

// What all workers of one server share; lives as long as any of them.
struct HttpServerShared {
  HttpServerOptions options;
  HttpHandler& handler;
  const io::Clock& clock;
  std::optional<boost::asio::ssl::context> tls;
  std::atomic<bool> stopping{false};
  std::atomic<size_t> buffered_bytes{0};
  std::atomic<uint64_t> accepted{0};
  std::atomic<uint64_t> refused{0};
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> open{0};
};

// Everything but post() runs on the worker's own thread. Shared: responders keep it so that they can post to it after
// the server has gone.
class HttpWorker : public std::enable_shared_from_this<HttpWorker> {
 public:
  explicit HttpWorker(std::shared_ptr<HttpServerShared> shared);  // shared with the other workers

  // Runs `work` on the thread; false once the worker has ended. `work` must not own a session: it would never go.
  bool post(std::function<void()> work);

  void run();  // the thread's main; returns when no connection is left after begin_stop()
  void add(boost::asio::ip::tcp::socket socket);
  void remove(const std::shared_ptr<HttpSession>& session);
  // Idle connections and streams end, the others after their answer; `limit` is cancelled when none is left.
  void begin_stop(std::shared_ptr<boost::asio::steady_timer> limit);
  void close_all();  // the stop limit has passed
  void finish();     // after run(): no more posts

  [[nodiscard]] boost::asio::io_context& context() { return context_; }
  [[nodiscard]] HttpServerShared& shared() { return *shared_; }

 private:
  void tick();
  void end_if_empty();

  // Deadlines are checked this often, which is how exact they are; one timer serves all connections.
  static constexpr int kTickMs = 50;

  std::shared_ptr<HttpServerShared> shared_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
  boost::asio::steady_timer timer_{context_};
  std::unordered_set<std::shared_ptr<HttpSession>> sessions_;
  std::shared_ptr<boost::asio::steady_timer> stop_limit_;  // shared with its own handler
  Guarded<bool> ended_;
};

}  // namespace tidegate::net
