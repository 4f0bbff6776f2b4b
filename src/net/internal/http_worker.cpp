#include "net/internal/http_worker.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <vector>

#include "net/internal/http_session.h"

namespace tidegate::net {
namespace asio = boost::asio;

HttpWorker::HttpWorker(std::shared_ptr<HttpServerShared> shared) : shared_(std::move(shared)) {}

bool HttpWorker::post(std::function<void()> work) {
  auto ended = ended_.lock();
  if (*ended) return false;
  asio::post(context_, std::move(work));
  return true;
}

void HttpWorker::run() {
  tick();
  context_.run();
}

void HttpWorker::add(asio::ip::tcp::socket socket) {
  if (shared_->stopping) return;
  if (shared_->open >= shared_->options.max_connections) {
    ++shared_->refused;
    return;  // the socket's destructor closes it
  }
  ++shared_->accepted;
  auto session = std::make_shared<HttpSession>(*this, std::move(socket));
  sessions_.insert(session);
  session->start();
}

void HttpWorker::remove(const std::shared_ptr<HttpSession>& session) {
  sessions_.erase(session);
  end_if_empty();
}

// With the timers gone the context runs out of work, and run() returns.
void HttpWorker::end_if_empty() {
  if (stop_limit_ == nullptr || !sessions_.empty()) return;
  stop_limit_->cancel();
  timer_.cancel();
}

void HttpWorker::begin_stop(std::shared_ptr<asio::steady_timer> limit) {
  work_.reset();
  stop_limit_ = std::move(limit);
  const std::vector<std::shared_ptr<HttpSession>> all(sessions_.begin(), sessions_.end());
  for (const auto& session : all) session->stop_when_idle();
  end_if_empty();
}

void HttpWorker::close_all() {
  const std::vector<std::shared_ptr<HttpSession>> all(sessions_.begin(), sessions_.end());
  for (const auto& session : all) session->close();
}

void HttpWorker::finish() {
  *ended_.lock() = true;
  context_.restart();
  context_.poll();  // answers that were posted after the last connection had gone
}

void HttpWorker::tick() {
  timer_.expires_after(std::chrono::milliseconds(kTickMs));
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    const auto now = std::chrono::steady_clock::now();
    std::vector<std::shared_ptr<HttpSession>> late;
    for (const auto& session : sessions_) {
      if (session->is_late(now)) late.push_back(session);
    }
    for (const auto& session : late) session->close();
    if (stop_limit_ == nullptr || !sessions_.empty()) tick();
  });
}

}  // namespace tidegate::net
