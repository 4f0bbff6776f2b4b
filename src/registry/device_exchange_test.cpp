#include "registry/device_exchange.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "registry/device_topics.h"

namespace tidegate::registry {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) MESSAGE(result.error().to_string());
  REQUIRE(result);
  return std::move(*result);
}

// Twins, commands and their exchange on a real store, with a clock that the test moves and messages that it keeps.
class Site {
 public:
  Site()
      : folder_(std::filesystem::temp_directory_path() / ("tidegate-exchange-" + std::to_string(random_.next_u64()))) {
    std::filesystem::create_directories(folder_);
    open();
    for (const char* name : {"a", "b"}) {
      Device device;
      device.name = name;
      REQUIRE(registry->add_devices({device}, {}));
    }
  }
  ~Site() {
    close();
    std::filesystem::remove_all(folder_);
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  void open() {
    store_ = must(store::Store::open(folder_ / "store"));
    keys_ = must(crypto::KeyRing::open(folder_ / "keys", random_));
    registry = must(Registry::open(*store_, *keys_, random_, clock));
    twins = must(Twins::open(*store_, *keys_, random_, clock));
    commands = must(Commands::open(*store_, *keys_, random_, clock));
    exchange = DeviceExchange::create({*registry, *twins, *commands,
                                       [this](const DeviceMessage& message) -> Result<> {
                                         sent.push_back(message.topic + " " + message.payload);
                                         last = message;
                                         return {};
                                       }},
                                      true);
  }
  void close() {
    exchange.reset();
    commands.reset();
    twins.reset();
    registry.reset();
    keys_.reset();
    store_.reset();
  }
  void reopen() {
    close();
    open();
  }
  // What was sent since the last call.
  std::vector<std::string> take_sent() { return std::exchange(sent, {}); }
  // A device publishes; the outcome of the flush.
  Result<> receive(std::vector<Incoming> messages) {
    std::optional<Result<>> outcome;
    REQUIRE(exchange->receive(std::move(messages), [&](Result<> result) { outcome = std::move(result); }));
    exchange->run_once();
    REQUIRE(outcome);
    return *outcome;
  }

  io::ManualClock clock{1'000'000};
  std::unique_ptr<Registry> registry;
  std::unique_ptr<Twins> twins;
  std::unique_ptr<Commands> commands;
  std::unique_ptr<DeviceExchange> exchange;
  std::vector<std::string> sent;
  DeviceMessage last;

 private:
  io::SystemRandom random_;
  std::filesystem::path folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<crypto::KeyRing> keys_;
};

using Sent = std::vector<std::string>;
constexpr int64_t kSecond = 1'000'000;

}  // namespace

TEST_CASE("what is desired is sent, and the delta goes as the device reports") {
  Site site;
  REQUIRE(site.exchange->change_desired("a", R"({"interval_s":30,"led":{"on":true}})", 0));
  CHECK(site.take_sent() ==
        Sent{R"(devices/a/twin/desired {"revision":1,"desired":{"interval_s":30,"led":{"on":true}}})",
             R"(devices/a/twin/delta {"revision":1,"delta":{"interval_s":30,"led":{"on":true}}})"});
  REQUIRE(site.receive({{"devices/a/twin/reported", R"({"interval_s":30,"firmware":"1.2"})"}}));
  CHECK(site.take_sent() == Sent{R"(devices/a/twin/reported/accepted {"revision":1})"});
  const Twin twin = must(site.exchange->twin("a"));
  CHECK(twin.delta() == R"({"led":{"on":true}})");
  CHECK(twin.reported.json == R"({"interval_s":30,"firmware":"1.2"})");
  // Somebody else was faster.
  CHECK(site.exchange->change_desired("a", "{}", 0).error().code == ErrorCode::PreconditionFailed);
  site.reopen();
  REQUIRE(
      site.receive({{"devices/a/twin/reported", R"({"led":{"on":true}})"}, {"devices/a/twin/reported", R"({"x":1})"}}));
  CHECK(must(site.exchange->twin("a")).delta() == "{}");
  CHECK(must(site.exchange->twin("a")).reported.revision == 3);
  CHECK(must(site.exchange->twin("b")).desired.revision == 0);
}

TEST_CASE("who subscribes hears what it missed") {
  Site site;
  REQUIRE(site.exchange->change_desired("a", R"({"n":1})", std::nullopt));
  const Command command = must(site.exchange->send("a", "blink", 30 * kSecond, "admin"));
  site.take_sent();
  const auto everybody = [](std::string_view) { return true; };
  site.exchange->subscribed("devices/a/twin/#", everybody);
  site.exchange->run_once();
  CHECK(site.take_sent() == Sent{R"(devices/a/twin/desired {"revision":1,"desired":{"n":1}})",
                                 R"(devices/a/twin/delta {"revision":1,"delta":{"n":1}})"});
  site.exchange->subscribed("devices/a/commands/+", everybody);
  site.exchange->subscribed("devices/b/#", everybody);
  site.exchange->subscribed("plant/#", everybody);
  site.exchange->run_once();
  CHECK(site.take_sent() == Sent{"devices/a/commands/" + command.id + " blink"});
  CHECK(site.last.answer_topic == "devices/a/commands/" + command.id + "/answer");
  CHECK(site.last.correlation == command.id);
  CHECK(site.last.expires_us == command.expires_us);
  site.exchange->subscribed("devices/+/commands/#", [](std::string_view device) { return device == "b"; });
  site.exchange->run_once();
  CHECK(site.take_sent().empty());
}

TEST_CASE("a command is answered once, fails when the device says so, and ends when its time is over") {
  Site site;
  const Command first = must(site.exchange->send("a", "1", 30 * kSecond, "admin"));
  const Command second = must(site.exchange->send("a", "2", 30 * kSecond, "admin"));
  const Command third = must(site.exchange->send("a", "3", 10 * kSecond, "admin"));
  CHECK(first.id < second.id);
  REQUIRE(
      site.receive({{answer_topic("a", first.id), "done"}, {answer_topic("a", second.id), R"({"status":"failed"})"}}));
  REQUIRE(site.receive({{answer_topic("a", first.id), "again"}, {answer_topic("b", third.id), "not mine"}}));
  site.reopen();
  site.clock.advance_us(9 * kSecond);
  site.exchange->run_once();
  CHECK(site.commands->pending("a").size() == 1);
  site.clock.advance_us(1 * kSecond);
  site.exchange->run_once();
  const auto all = must(site.exchange->commands("a"));
  REQUIRE(all.size() == 3);
  CHECK(all[0].status == CommandStatus::kExpired);
  CHECK(all[1].status == CommandStatus::kFailed);
  CHECK(all[2].status == CommandStatus::kAcked);
  CHECK(all[2].answer == "done");
  CHECK(all[2].sender == "admin");
  REQUIRE(site.receive({{answer_topic("a", third.id), "too late"}}));
  CHECK(must(site.exchange->commands("a"))[0].status == CommandStatus::kExpired);
}

TEST_CASE("a wrong report is told to the device and harms no other") {
  Site site;
  REQUIRE(site.receive({{"devices/a/twin/reported", "not json"},
                        {"devices/b/twin/reported", R"({"ok":true})"},
                        {"devices/nobody/twin/reported", "{}"},
                        {"devices/a/twin/reported", "[1]"}}));
  const auto sent = site.take_sent();
  REQUIRE(sent.size() == 4);
  CHECK(sent[0].starts_with(R"(devices/nobody/twin/reported/rejected {"code":6001)"));
  CHECK(sent[1].starts_with(R"(devices/a/twin/reported/rejected {"code":6002)"));
  CHECK(sent[2] == R"(devices/b/twin/reported/accepted {"revision":1})");
  CHECK(sent[3].starts_with(R"(devices/a/twin/reported/rejected {"code":6002)"));
  CHECK(site.exchange->send("nobody", "x", kSecond, "admin").error().code == ErrorCode::NotFound);
  CHECK(site.exchange->send("a", "x", 0, "admin").error().code == ErrorCode::BadRequest);
  CHECK(site.exchange->send("a", std::string(kMaxCommandBytes + 1, 'x'), kSecond, "admin").error().code ==
        ErrorCode::RecordTooLarge);
}

TEST_CASE("documents, waiting commands and finished ones are bounded") {
  Site site;
  const std::string large = R"({"x":")" + std::string(kMaxTwinBytes - 100, 'x') + "\"}";
  REQUIRE(site.exchange->change_desired("a", large, std::nullopt));
  const std::string more = R"({"y":")" + std::string(200, 'x') + "\"}";
  CHECK(site.exchange->change_desired("a", more, std::nullopt).error().code == ErrorCode::RecordTooLarge);
  for (size_t i = 0; i < kMaxPendingCommands; ++i) REQUIRE(site.exchange->send("a", "x", kSecond, "admin"));
  CHECK(site.exchange->send("a", "x", kSecond, "admin").error().code == ErrorCode::LimitReached);
  site.clock.advance_us(2 * kSecond);
  site.exchange->run_once();
  for (size_t i = 0; i < 2; ++i) REQUIRE(site.exchange->send("a", "x", kSecond, "admin"));
  site.clock.advance_us(2 * kSecond);
  site.exchange->run_once();
  CHECK(must(site.exchange->commands("a")).size() <= kMaxPendingCommands);
  const Command last = must(site.exchange->send("a", "x", kSecond, "admin"));
  REQUIRE(site.receive({{answer_topic("a", last.id), ""}}));
  CHECK(must(site.exchange->commands("a")).size() == kMaxFinishedCommands);
  CHECK(must(site.exchange->commands("a")).front().id == last.id);
  REQUIRE(site.exchange->forget("a"));
  CHECK(must(site.exchange->commands("a")).empty());
  CHECK(must(site.exchange->twin("a")).desired.revision == 0);
}

TEST_CASE("topics of devices") {
  const auto report = parse_device_topic("devices/m-1/twin/reported");
  REQUIRE(report);
  CHECK(report->device == "m-1");
  const auto answer = parse_device_topic("devices/m-1/commands/17/answer");
  REQUIRE(answer);
  CHECK(answer->kind == DeviceTopicKind::kAnswer);
  CHECK(answer->command == "17");
  for (const char* topic : {"", "devices", "devices/", "devices//twin/reported", "devices/m/twin", "devices/m/commands",
                            "devices/m/commands//answer", "devices/m/commands/1/answer/x", "devices/m/twin/reported/x",
                            "other/m/twin/reported"}) {
    CHECK_MESSAGE(!parse_device_topic(topic), topic);
  }
  CHECK(parse_device_filter("devices/m/#")->twin);
  CHECK(parse_device_filter("devices/m/#")->commands);
  CHECK(!parse_device_filter("devices/m/twin/delta")->commands);
  CHECK(parse_device_filter("devices/#")->device == "+");
  CHECK(!parse_device_filter("devices/m/other"));
}

}  // namespace tidegate::registry
