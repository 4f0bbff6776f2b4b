// The broker's TLS entrance over real loopback sockets, with certificates from an authority made for each test.
#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <atomic>
#include <optional>
#include <vector>

#include "base/guarded.h"
#include "crypto/certificates.h"
#include "net/internal/mqtt_fakes.h"
#include "net/mqtt_client.h"
#include "net/mqtt_listener.h"

namespace tidegate::net {
namespace {

constexpr int64_t kLongestMs = 10'000;

struct Authority {
  io::SystemClock clock;
  io::SystemRandom random;
  crypto::CertificateAndKey root = crypto::make_authority("test authority", clock.now_us(), random).value();

  crypto::CertificateAndKey server() {
    return crypto::issue_server_certificate(root, {}, clock.now_us(), random).value();
  }
  crypto::CertificateAndKey client(std::string_view name) {
    return crypto::issue_client_certificate(root, name, clock.now_us(), random).value();
  }
};

struct SeenCredentials {
  std::string client_id;
  std::optional<std::string> password;
  std::optional<std::string> fingerprint;
};

// Takes the token "right", or any client certificate; remembers what every connection showed.
class CredentialHandler final : public MqttHandler {
 public:
  Result<std::shared_ptr<const MqttIdentity>> authenticate(const MqttCredentials& who) override {
    seen.lock()->push_back({std::string(who.client_id), std::optional<std::string>(who.password),
                            std::optional<std::string>(who.certificate_fingerprint)});
    if (refuse || (who.password != "right" && !who.certificate_fingerprint)) {
      return fail(ErrorCode::NotAuthenticated, "neither token nor certificate");
    }
    return std::make_shared<FakeMqttIdentity>(std::string(who.client_id));
  }
  bool may_publish(const MqttIdentity&, std::string_view) override { return true; }
  bool may_subscribe(const MqttIdentity&, std::string_view) override { return true; }
  bool may_receive(const MqttIdentity&, std::string_view) override { return true; }
  std::unique_ptr<MqttLane> open_lane() override { return std::make_unique<FakeMqttLane>(platform); }
  bool overloaded() override { return false; }

  Guarded<std::vector<SeenCredentials>> seen;
  std::atomic<bool> refuse{false};
  FakePlatform platform;
};

struct TlsServer {
  Authority authority;
  CredentialHandler handler;
  std::unique_ptr<MqttBroker> broker;
  std::unique_ptr<MqttListener> listener;
  std::unique_ptr<MqttClientLoop> loop = MqttClientLoop::create();

  explicit TlsServer(bool require_client_certificate = false) {
    broker = MqttBroker::create({}, handler, nullptr, authority.clock, authority.random).value();
    const auto own = authority.server();
    MqttListenerOptions options;
    options.tls_address = "127.0.0.1";
    options.tls_port = 0;
    options.tls = {own.certificate_pem, own.private_key_pem, authority.root.certificate_pem,
                   require_client_certificate};
    auto started = MqttListener::start(options, *broker, handler, authority.clock);
    REQUIRE(started);
    listener = std::move(*started);
  }

  // How connecting ended. A connection is used: one publication is acknowledged before it counts.
  Result<> connect(const TlsContext* tls, const std::string& token = {}) {
    Result<> ended = fail(ErrorCode::Cancelled, "nothing happened in time");
    std::unique_ptr<MqttClient> client;
    MqttClient::Callbacks callbacks;
    callbacks.on_connected = [&](Result<> result) {
      if (result) {
        client->publish("a", "b", 1);
        return;
      }
      ended = std::move(result);
      loop->stop();
    };
    callbacks.on_acknowledged = [&](uint16_t, MqttReason, int64_t) {
      ended = {};
      loop->stop();
    };
    callbacks.on_closed = [&](Error error) {
      ended = std::unexpected(std::move(error));
      loop->stop();
    };
    MqttClientOptions options;
    options.port = listener->tls_port();
    options.tls = tls;
    options.client_id = "meter";
    if (!token.empty()) {
      options.username = "meter";
      options.password = token;
    }
    client = loop->make_client(options, callbacks);
    loop->post([&] { client->connect(); });
    loop->run_for_ms(kLongestMs);
    return ended;
  }
};

std::unique_ptr<TlsContext> trusting(const Authority& authority, const crypto::CertificateAndKey& own = {}) {
  return TlsContext::client({authority.root.certificate_pem, own.certificate_pem, own.private_key_pem}).value();
}

}  // namespace

TEST_CASE("a token goes over TLS, and a wrong one is refused") {
  TlsServer server;
  const auto tls = trusting(server.authority);
  CHECK(server.connect(tls.get(), "right"));
  CHECK(server.handler.platform.state.lock()->published == std::vector<std::string>{"a=b"});
  CHECK_FALSE(server.connect(tls.get(), "wrong"));
  CHECK(server.handler.platform.state.lock()->published.size() == 1);
  auto seen = server.handler.seen.lock();
  REQUIRE(seen->size() == 2);
  CHECK(seen->front().password == "right");
  CHECK_FALSE(seen->front().fingerprint);
}

TEST_CASE("a client certificate's fingerprint reaches the handler") {
  for (const bool required : {false, true}) {
    TlsServer server(required);
    const auto own = server.authority.client("meter");
    const auto tls = trusting(server.authority, own);
    CHECK(server.connect(tls.get()));
    auto seen = server.handler.seen.lock();
    REQUIRE(seen->size() == 1);
    CHECK(seen->front().fingerprint == crypto::certificate_fingerprint(own.certificate_pem).value());
  }
}

TEST_CASE("a session is resumed without the certificates, and the handler is asked again") {
  TlsServer server;
  const auto own = server.authority.client("meter");
  const auto tls = trusting(server.authority, own);
  std::vector<bool> resumed;
  bool refused = false;
  std::unique_ptr<MqttClient> client;
  MqttClient::Callbacks callbacks;
  callbacks.on_connected = [&](const Result<>& result) {
    refused = !result;
    if (refused) return server.loop->stop();
    resumed.push_back(client->tls_resumed());
    client->publish("a", "b", 1);
  };
  callbacks.on_acknowledged = [&](uint16_t, MqttReason, int64_t) {
    if (resumed.size() == 2) server.handler.refuse = true;
    client->connect();
  };
  MqttClientOptions options;
  options.port = server.listener->tls_port();
  options.tls = tls.get();
  options.client_id = "meter";
  client = server.loop->make_client(options, callbacks);
  client->connect();
  server.loop->run_for_ms(kLongestMs);
  CHECK(resumed == std::vector<bool>{false, true});
  CHECK(refused);  // the session would have gone on, the device is not known any more
  auto seen = server.handler.seen.lock();
  REQUIRE(seen->size() == 3);
  for (const SeenCredentials& one : *seen) {
    CHECK(one.fingerprint == crypto::certificate_fingerprint(own.certificate_pem).value());
  }
}

TEST_CASE("a client without the certificate that is required never reaches the handler") {
  TlsServer server(true);
  CHECK_FALSE(server.connect(trusting(server.authority).get(), "right"));
  CHECK(server.handler.seen.lock()->empty());
}

TEST_CASE("each side refuses certificates of another authority") {
  TlsServer server;
  Authority stranger;
  const auto distrusting = server.connect(trusting(stranger).get(), "right");
  REQUIRE_FALSE(distrusting);
  CHECK(distrusting.error().code == ErrorCode::TlsFailed);
  CHECK_FALSE(server.connect(trusting(server.authority, stranger.client("meter")).get(), "right"));
  CHECK(server.handler.seen.lock()->empty());
}

TEST_CASE("a server that shows a device's certificate is refused") {
  TlsServer server;
  auto impostor = server.authority.client("a device");
  MqttListenerOptions options;
  options.tls_address = "127.0.0.1";
  options.tls_port = 0;
  options.tls = {impostor.certificate_pem, impostor.private_key_pem, {}, false};
  server.listener = MqttListener::start(options, *server.broker, server.handler, server.authority.clock).value();
  const auto result = server.connect(trusting(server.authority).get(), "right");
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::TlsFailed);
}

TEST_CASE("TLS 1.2 is refused") {
  TlsServer server;
  const auto tls = trusting(server.authority);
  REQUIRE(SSL_CTX_set_min_proto_version(tls->native(), TLS1_2_VERSION) == 1);
  REQUIRE(SSL_CTX_set_max_proto_version(tls->native(), TLS1_2_VERSION) == 1);
  const auto result = server.connect(tls.get(), "right");
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::TlsFailed);
  CHECK(server.handler.seen.lock()->empty());
}

TEST_CASE("a plain connection to the TLS entrance is refused, and TLS goes on being served") {
  TlsServer server;
  CHECK_FALSE(server.connect(nullptr, "right"));
  CHECK(server.handler.seen.lock()->empty());
  CHECK(server.connect(trusting(server.authority).get(), "right"));
}

TEST_CASE("plain MQTT is served on loopback only, unless everything is allowed") {
  TlsServer server;
  MqttListenerOptions options;
  options.plain_address = "0.0.0.0";
  options.plain_port = 0;
  const auto refused = MqttListener::start(options, *server.broker, server.handler, server.authority.clock);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::InsecureRefused);
  options.allow_plain_anywhere = true;
  CHECK(MqttListener::start(options, *server.broker, server.handler, server.authority.clock));
}

}  // namespace tidegate::net
