// For tests: a platform that takes everything, and a persistence in memory.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/guarded.h"
#include "net/mqtt_handler.h"
#include "net/mqtt_persistence.h"

namespace tidegate::net {

class FakeMqttIdentity final : public MqttIdentity {
 public:
  explicit FakeMqttIdentity(std::string name) : name_(std::move(name)) {}
  [[nodiscard]] std::string_view name() const override { return name_; }

 private:
  std::string name_;
};

// What a test may look at and set; shared by the handler and its lanes.
struct FakePlatform {
  struct State {
    std::vector<std::string> published;  // "topic=payload"
    std::vector<std::function<void(Result<>)>> flushes;
    size_t waiting = 0;
    int64_t over_quota_us = 0;    // above 0: every sender is over its quota for so long
    size_t until_over_quota = 0;  // publications until that is so; 0: never
    size_t overloaded_for = 0;    // so many times overloaded() says yes
    size_t tries_in_overload = 0;
  };
  Guarded<State> state;
  bool wait_for_flush = false;  // publications are durable only when the test calls the flushes
};

class FakeMqttLane final : public MqttLane {
 public:
  explicit FakeMqttLane(FakePlatform& platform) : platform_(platform) {}
  Result<MqttTaken> publish(const MqttArrival& arrival) override {
    if (arrival.topic == "refused") return fail(ErrorCode::RecordMalformed, "not wanted");
    auto state = platform_.state.lock();
    if (state->overloaded_for > 0) ++state->tries_in_overload;
    if (state->over_quota_us > 0 && arrival.over_quota != MqttOverQuota::kTake) {
      if (arrival.over_quota == MqttOverQuota::kDrop) return MqttTaken{false, true, 0};
      if (arrival.over_quota == MqttOverQuota::kHold) return MqttTaken{false, false, state->over_quota_us};
      return fail(ErrorCode::QuotaExceeded, "too many");
    }
    state->published.push_back(std::string(arrival.topic) + "=" + std::string(arrival.payload));
    ++state->waiting;
    if (state->until_over_quota > 0 && --state->until_over_quota == 0) state->over_quota_us = 1000;
    return MqttTaken{platform_.wait_for_flush, false, 0};
  }
  bool flush(std::function<void(Result<>)> done) override {
    if (!platform_.wait_for_flush) return false;
    auto state = platform_.state.lock();
    if (state->waiting == 0) return false;
    state->waiting = 0;
    state->flushes.push_back(std::move(done));
    return true;
  }
  [[nodiscard]] size_t waiting_rows() const override { return 0; }

 private:
  FakePlatform& platform_;
};

class FakeMqttHandler final : public MqttHandler {
 public:
  // The identity is named after the user, or the client. The password "wrong" is refused.
  Result<std::shared_ptr<const MqttIdentity>> authenticate(const MqttCredentials& who) override {
    if (who.password == "wrong") return fail(ErrorCode::NotAuthenticated, "wrong password");
    return std::make_shared<FakeMqttIdentity>(std::string(who.username.value_or(who.client_id)));
  }
  bool may_publish(const MqttIdentity&, std::string_view topic) override { return !topic.starts_with("secret"); }
  bool may_subscribe(const MqttIdentity&, std::string_view filter) override { return !filter.starts_with("secret"); }
  bool may_receive(const MqttIdentity&, std::string_view topic) override { return !topic.ends_with("/hidden"); }
  std::unique_ptr<MqttLane> open_lane() override { return std::make_unique<FakeMqttLane>(platform); }
  bool overloaded() override {
    auto state = platform.state.lock();
    if (state->overloaded_for == 0) return false;
    --state->overloaded_for;
    return true;
  }

  FakePlatform platform;
};

class MemoryMqttPersistence final : public MqttPersistence {
 public:
  Result<> load(const std::function<void(std::string_view, std::string_view)>& visit) override {
    auto records = records_.lock();
    for (const auto& [key, value] : *records) visit(key, value);
    return {};
  }
  Result<> write(std::span<const MqttChange> changes) override {
    auto records = records_.lock();
    for (const MqttChange& change : changes) {
      if (change.value) {
        (*records)[change.key] = *change.value;
      } else {
        records->erase(change.key);
      }
    }
    return {};
  }
  [[nodiscard]] size_t size() { return records_.lock()->size(); }

 private:
  Guarded<std::map<std::string, std::string>> records_;
};

}  // namespace tidegate::net
