#include "net/mqtt_listener.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>

#include "base/logging.h"
#include "net/internal/mqtt_io_thread.h"

namespace tidegate::net {
namespace {

using boost::asio::ip::tcp;

constexpr int kAcceptsPerTurn = 512;              // some 5 ms
constexpr int kAcceptRetryMs = 100;               // after the system has run out of descriptors
constexpr int64_t kRefusalNoticeUs = 60'000'000;  // between lines of the log about it

struct Entrance {
  tcp::acceptor acceptor;
  boost::asio::steady_timer retry;
  const TlsContext* tls = nullptr;
};

class Listener final : public MqttListener {
 public:
  Listener(MqttListenerOptions options, std::unique_ptr<TlsContext> tls, const io::Clock& clock)
      : options_(std::move(options)), tls_(std::move(tls)), clock_(clock) {}
  ~Listener() override { stop(); }

  void make_threads(MqttBroker& broker, MqttHandler& handler) {
    for (int i = 0; i < std::max(options_.threads, 1); ++i) {
      threads_.push_back(std::make_unique<MqttIoThread>(broker.core(), handler, options_, i == 0));
    }
  }

  Result<uint16_t> listen(const std::string& address, uint16_t port, const TlsContext* tls) {
    boost::system::error_code error;
    const auto ip = boost::asio::ip::make_address(address, error);
    if (error) {
      return fail(ErrorCode::ConfigInvalid, "'" + address + "' is not an IP address to listen on", "try 127.0.0.1");
    }
    if (tls == nullptr && !ip.is_loopback() && !options_.allow_plain_anywhere) {
      return fail(ErrorCode::InsecureRefused, "MQTT without TLS is not served on " + address, "use TLS, or 127.0.0.1");
    }
    const tcp::endpoint endpoint(ip, port);
    auto entrance = std::make_unique<Entrance>(
        Entrance{tcp::acceptor(threads_[0]->context()), boost::asio::steady_timer(threads_[0]->context()), tls});
    tcp::acceptor& acceptor = entrance->acceptor;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
    if (!error) acceptor.non_blocking(true, error);
    if (error) {
      return fail(ErrorCode::AddressInUse,
                  "MQTT cannot listen on " + address + ":" + std::to_string(port) + ": " + error.message(),
                  "choose another port or stop the other program");
    }
    const uint16_t bound = acceptor.local_endpoint().port();
    entrances_.push_back(std::move(entrance));
    return bound;
  }

  Result<> open(MqttBroker& broker, MqttHandler& handler) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    make_threads(broker, handler);
    if (!options_.plain_address.empty()) {
      TRY_ASSIGN(plain_port_, listen(options_.plain_address, options_.plain_port, nullptr));
    }
    if (tls_) {
      TRY_ASSIGN(tls_port_, listen(options_.tls_address, options_.tls_port, tls_.get()));
    }
    for (auto& entrance : entrances_) accept_next(*entrance);
    for (auto& thread : threads_) thread->start();
    running_ = true;
    return {};
  }

  void stop() override {
    if (!std::exchange(running_, false)) return;
    boost::asio::post(threads_[0]->context(), [this] {
      boost::system::error_code ignored;
      for (auto& entrance : entrances_) {
        entrance->acceptor.close(ignored);
        entrance->retry.cancel();
      }
    });
    for (auto& thread : threads_) thread->stop();
    for (auto& thread : threads_) thread->join();
  }

  [[nodiscard]] uint16_t plain_port() const override { return plain_port_; }
  [[nodiscard]] uint16_t tls_port() const override { return tls_port_; }
  [[nodiscard]] uint64_t refused() const override { return refused_; }

 private:
  void accept_next(Entrance& entrance) {
    entrance.acceptor.async_wait(tcp::acceptor::wait_read, [this, &entrance](const boost::system::error_code& error) {
      if (error || !entrance.acceptor.is_open()) return;
      accept_some(entrance);
    });
  }

  // Many at once: what waits in the kernel's queue when that overflows waits for seconds.
  void accept_some(Entrance& entrance) {
    for (int left = kAcceptsPerTurn; left > 0; --left) {
      MqttIoThread& target =
          **std::ranges::min_element(threads_, {}, [](const auto& thread) { return thread->connections(); });
      boost::system::error_code error;
      tcp::socket socket = entrance.acceptor.accept(target.context(), error);
      if (error == boost::asio::error::would_block || error == boost::asio::error::try_again) break;
      if (error == boost::asio::error::connection_aborted) continue;  // it has gone again
      if (error) return accept_later(entrance, error);
      admit(std::move(socket), entrance.tls, target);
    }
    accept_next(entrance);
  }

  // Asking again at once would only find the descriptors used up again.
  void accept_later(Entrance& entrance, const boost::system::error_code& error) {
    log_warn("MQTT connection not accepted", {{"error", error.message()}});
    entrance.retry.expires_after(std::chrono::milliseconds(kAcceptRetryMs));
    entrance.retry.async_wait([this, &entrance](const boost::system::error_code& cancelled) {
      if (!cancelled && entrance.acceptor.is_open()) accept_next(entrance);
    });
  }

  void admit(tcp::socket socket, const TlsContext* tls, MqttIoThread& target) {
    const size_t open = total();
    if (open < options_.max_connections) return target.adopt(std::move(socket), tls, false);
    ++refused_;
    const int64_t now_us = clock_.monotonic_us();
    if (!told_us_ || now_us - *told_us_ >= kRefusalNoticeUs) {
      told_us_ = now_us;
      log_warn("MQTT connections are refused: the limit is reached",
               {{"limit", options_.max_connections}, {"refused", refused_.load()}});
    }
    if (open < options_.max_connections + kMaxRefusals) target.adopt(std::move(socket), tls, true);
  }

  size_t total() const {
    size_t sum = 0;
    for (const auto& thread : threads_) sum += thread->connections();
    return sum;
  }

  const MqttListenerOptions options_;
  std::unique_ptr<TlsContext> tls_;
  const io::Clock& clock_;
  std::atomic<uint64_t> refused_{0};
  std::optional<int64_t> told_us_;  // first thread
  std::vector<std::unique_ptr<MqttIoThread>> threads_;
  std::vector<std::unique_ptr<Entrance>> entrances_;  // first thread; destroyed before its context
  uint16_t plain_port_ = 0;
  uint16_t tls_port_ = 0;
  bool running_ = false;
};

}  // namespace

Result<std::unique_ptr<MqttListener>> MqttListener::start(MqttListenerOptions options, MqttBroker& broker,
                                                          MqttHandler& handler, const io::Clock& clock) {
  std::unique_ptr<TlsContext> tls;
  if (!options.tls_address.empty()) {
    TRY_ASSIGN(tls, TlsContext::server(options.tls));
  }
  auto listener = std::make_unique<Listener>(std::move(options), std::move(tls), clock);
  TRY(listener->open(broker, handler));
  return listener;
}

}  // namespace tidegate::net
