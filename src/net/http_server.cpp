#include "net/http_server.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <thread>
#include <vector>

#include "io/thread.h"
#include "net/internal/http_session.h"
#include "net/internal/http_worker.h"

namespace tidegate::net {
namespace {
namespace asio = boost::asio;
using asio::ip::tcp;

constexpr int kAcceptRetryMs = 100;  // after the system has run out of descriptors

class Server final : public HttpServer {
 public:
  Server(std::shared_ptr<HttpServerShared> shared, std::unique_ptr<TlsContext> tls)
      : shared_(std::move(shared)), tls_(std::move(tls)) {
    for (int i = 0; i < std::max(1, shared_->options.threads); ++i) {
      workers_.push_back(std::make_shared<HttpWorker>(shared_));
    }
    acceptor_.emplace(workers_.front()->context());
    retry_.emplace(workers_.front()->context());
  }

  ~Server() override { stop(); }

  Result<> listen(const asio::ip::address& address) {
    const tcp::endpoint endpoint(address, shared_->options.port);
    boost::system::error_code error;
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      const bool taken = error == asio::error::address_in_use;
      return fail(taken ? ErrorCode::AddressInUse : ErrorCode::ConfigInvalid,
                  fmt::format("cannot listen on {}:{} for HTTP: {}", shared_->options.address, shared_->options.port,
                              error.message()),
                  taken ? "Another program uses this port; stop it or choose another port for HTTP." : "");
    }
    port_ = acceptor_->local_endpoint(error).port();
    accept();
    for (const auto& worker : workers_) {
      threads_.emplace_back([worker] {
        io::name_this_thread("tg-http");
        worker->run();
      });
    }
    return {};
  }

  [[nodiscard]] uint16_t port() const override { return port_; }

  void stop() override {
    if (threads_.empty()) return;
    shared_->stopping = true;
    workers_.front()->post([this] {
      boost::system::error_code ignored;
      acceptor_->close(ignored);
      retry_->cancel();
    });
    for (const auto& worker : workers_) {
      worker->post([raw = worker.get(), this] {
        auto timer = std::make_shared<asio::steady_timer>(raw->context());  // lives until its handler has run
        timer->expires_after(std::chrono::milliseconds(shared_->options.stop_timeout_ms));
        timer->async_wait([raw, timer](boost::system::error_code error) {
          if (!error) raw->close_all();
        });
        raw->begin_stop(timer);
      });
    }
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    for (const auto& worker : workers_) worker->finish();
    acceptor_.reset();
    retry_.reset();
  }

  [[nodiscard]] HttpServerCounters counters() const override {
    return {.accepted = shared_->accepted,
            .refused = shared_->refused,
            .requests = shared_->requests,
            .open = shared_->open};
  }

 private:
  void accept() {
    const auto& worker = workers_[next_worker_++ % workers_.size()];
    acceptor_->async_accept(worker->context(), [this, worker](boost::system::error_code error, tcp::socket socket) {
      if (!acceptor_->is_open()) return;
      if (error) return accept_later();
      // A shared pointer because std::function wants to be copyable.
      auto moved = std::make_shared<tcp::socket>(std::move(socket));
      worker->post([raw = worker.get(), moved] { raw->add(std::move(*moved)); });
      accept();
    });
  }

  void accept_later() {
    retry_->expires_after(std::chrono::milliseconds(kAcceptRetryMs));
    retry_->async_wait([this](boost::system::error_code error) {
      if (!error && acceptor_->is_open()) accept();
    });
  }

  std::shared_ptr<HttpServerShared> shared_;  // shared with the workers
  std::unique_ptr<TlsContext> tls_;
  std::vector<std::shared_ptr<HttpWorker>> workers_;  // shared with the responders
  std::optional<tcp::acceptor> acceptor_;             // used on the first worker's thread
  std::optional<asio::steady_timer> retry_;
  size_t next_worker_ = 0;
  uint16_t port_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerOptions options, HttpHandler& handler,
                                                      const io::Clock& clock) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) return fail(ErrorCode::ConfigInvalid, fmt::format("'{}' is not an IP address", options.address));
  if (!options.tls && !address.is_loopback()) {
    return fail(ErrorCode::InsecureRefused, fmt::format("HTTP without TLS on {} is refused", options.address),
                "Listen on 127.0.0.1, or give the server a certificate.");
  }
  std::unique_ptr<TlsContext> tls;
  if (options.tls) {
    TRY_ASSIGN(tls, TlsContext::server(*options.tls));
  }
  // Shared by the server's object and its workers; see HttpServerShared.
  std::shared_ptr<HttpServerShared> shared(
      new HttpServerShared{.options = std::move(options), .handler = handler, .clock = clock, .tls = std::nullopt});
  if (tls) {
    SSL_CTX_up_ref(tls->native());
    shared->tls.emplace(tls->native());
  }
  auto server = std::make_unique<Server>(std::move(shared), std::move(tls));
  TRY(server->listen(address));
  return server;
}

}  // namespace tidegate::net
