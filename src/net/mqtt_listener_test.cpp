// The broker over real loopback sockets with the product's own client.
#include "net/mqtt_listener.h"

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <vector>

#include "base/guarded.h"
#include "net/internal/mqtt_fakes.h"
#include "net/mqtt_client.h"

namespace tidegate::net {
namespace {

struct Server {
  FakeMqttHandler handler;
  io::SystemClock clock;
  io::SystemRandom random;
  std::unique_ptr<MqttBroker> broker;
  std::unique_ptr<MqttListener> listener;
  std::unique_ptr<MqttClientLoop> loop = MqttClientLoop::create();

  explicit Server(int threads = 1, size_t max_connections = 1000) {
    auto made = MqttBroker::create({}, handler, nullptr, clock, random);
    REQUIRE(made);
    broker = std::move(*made);
    MqttListenerOptions options;
    options.plain_address = "127.0.0.1";
    options.plain_port = 0;
    options.threads = threads;
    options.max_connections = max_connections;
    auto started = MqttListener::start(options, *broker, handler, clock);
    REQUIRE(started);
    listener = std::move(*started);
  }

  MqttClientOptions as(const std::string& client_id, MqttVersion version) {
    MqttClientOptions options;
    options.port = listener->plain_port();
    options.client_id = client_id;
    options.version = version;
    return options;
  }
};

constexpr int64_t kLongestMs = 10'000;

}  // namespace

TEST_CASE("publications of every QoS are acknowledged and reach a subscriber, in both versions") {
  for (const auto version : {MqttVersion::kV311, MqttVersion::kV5}) {
    for (int threads = 1; threads <= 2; ++threads) {
      Server server(threads);
      std::vector<std::string> got;
      int acknowledged = 0;
      std::unique_ptr<MqttClient> publisher;
      MqttClient::Callbacks on_subscriber;
      on_subscriber.on_message = [&](const MqttPublish& message) {
        got.emplace_back(message.payload);
        if (got.size() == 3 && acknowledged == 2) server.loop->stop();
      };
      on_subscriber.on_subscribed = [&](uint16_t, MqttReason reason) {
        CHECK(static_cast<int>(reason) == 2);
        publisher->connect();
      };
      std::unique_ptr<MqttClient> subscriber;
      on_subscriber.on_connected = [&](const Result<>& result) {
        REQUIRE(result);
        subscriber->subscribe("a/+", 2);
      };
      subscriber = server.loop->make_client(server.as("sub", version), on_subscriber);
      MqttClient::Callbacks on_publisher;
      on_publisher.on_connected = [&](const Result<>& result) {
        REQUIRE(result);
        for (uint8_t qos = 0; qos < 3; ++qos) CHECK(publisher->publish("a/b", std::to_string(qos), qos));
      };
      on_publisher.on_acknowledged = [&](uint16_t, MqttReason reason, int64_t) {
        CHECK(reason == MqttReason::kSuccess);
        ++acknowledged;
        if (got.size() == 3 && acknowledged == 2) server.loop->stop();
      };
      publisher = server.loop->make_client(server.as("pub", version), on_publisher);
      server.loop->post([&] { subscriber->connect(); });
      server.loop->run_for_ms(kLongestMs);
      CHECK(got == std::vector<std::string>{"0", "1", "2"});
      CHECK(acknowledged == 2);
    }
  }
}

TEST_CASE("a connection over the limit is told that the server is busy, and there is room once one has gone") {
  for (const auto version : {MqttVersion::kV311, MqttVersion::kV5}) {
    Server server(1, 2);
    std::vector<std::unique_ptr<MqttClient>> clients;
    std::string refusal;
    int connected = 0;
    const auto add = [&] {
      MqttClient::Callbacks callbacks;
      callbacks.on_connected = [&](const Result<>& result) {
        connected += result ? 1 : 0;
        if (!result) refusal = result.error().message;
        server.loop->stop();
      };
      clients.push_back(server.loop->make_client(server.as("c" + std::to_string(clients.size()), version), callbacks));
      clients.back()->connect();
      server.loop->run_for_ms(kLongestMs);
    };
    for (int i = 0; i < 3; ++i) add();
    CHECK(connected == 2);
    CHECK(refusal.ends_with(version == MqttVersion::kV5 ? "code 137" : "code 3"));
    CHECK(server.listener->refused() == 1);
    clients[0]->abort();
    for (int tries = 0; tries < 1000 && connected < 3; ++tries) add();  // until the server has seen that it is gone
    CHECK(connected == 3);
  }
}

TEST_CASE("a held connection goes on where it was: nothing is lost, small and large") {
  Server server;
  auto& platform = server.handler.platform;
  platform.state.lock()->until_over_quota = 2;  // each time that it goes on, two more are taken
  const std::string large(100'000, 'x');
  std::vector<std::string> sent;
  for (int i = 0; i < 10; ++i) sent.push_back(std::to_string(i) + (i % 3 == 0 ? large : ""));
  size_t acknowledged = 0;
  std::unique_ptr<MqttClient> client;
  MqttClient::Callbacks callbacks;
  callbacks.on_connected = [&](const Result<>& result) {
    REQUIRE(result);
    for (const std::string& payload : sent) REQUIRE(client->publish("t", payload, 1));
  };
  callbacks.on_acknowledged = [&](uint16_t, MqttReason reason, int64_t) {
    CHECK(reason == MqttReason::kSuccess);
    if (++acknowledged == sent.size()) server.loop->stop();
  };
  client = server.loop->make_client(server.as("meter", MqttVersion::kV311), callbacks);
  client->connect();
  const std::function<void()> allow = [&] {
    {
      auto state = platform.state.lock();
      if (state->over_quota_us > 0) state->until_over_quota = 2;
      state->over_quota_us = 0;
    }
    server.loop->after_us(5'000, allow);
  };
  allow();
  server.loop->run_for_ms(kLongestMs);
  CHECK(acknowledged == sent.size());
  std::vector<std::string> expected;
  for (const std::string& payload : sent) expected.push_back("t=" + payload);
  CHECK(platform.state.lock()->published == expected);
}

TEST_CASE("a held connection does not go on while the log has no room") {
  Server server;
  auto& platform = server.handler.platform;
  platform.state.lock()->over_quota_us = 1000;
  platform.state.lock()->overloaded_for = 20;  // asked every few milliseconds: far longer than the hold
  bool acknowledged = false;
  std::unique_ptr<MqttClient> client;
  MqttClient::Callbacks callbacks;
  callbacks.on_connected = [&](const Result<>& result) {
    REQUIRE(result);
    REQUIRE(client->publish("t", "1", 1));
  };
  callbacks.on_acknowledged = [&](uint16_t, MqttReason, int64_t) {
    acknowledged = true;
    server.loop->stop();
  };
  client = server.loop->make_client(server.as("meter", MqttVersion::kV311), callbacks);
  client->connect();
  const std::function<void()> allow = [&] {
    {
      auto state = platform.state.lock();
      if (state->overloaded_for == 0) state->over_quota_us = 0;
    }
    server.loop->after_us(1'000, allow);
  };
  allow();
  server.loop->run_for_ms(kLongestMs);
  CHECK(acknowledged);
  CHECK(platform.state.lock()->tries_in_overload <= 1);  // the first, if it came before the log was full
}

}  // namespace tidegate::net
