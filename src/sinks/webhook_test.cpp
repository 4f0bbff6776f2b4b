#include <doctest/doctest.h>
#include <fmt/format.h>

#include <deque>

#include "catalog/catalog.h"
#include "catalog/remote_connectors.h"
#include "sinks/internal/fake_log.h"
#include "sinks/internal/webhook_outlet.h"
#include "sinks/sink_runner.h"

namespace tidegate::sinks {
namespace {

using columnar::Schema;
using columnar::TypeKind;

// The receiver: answers by `answer`, and keeps what it got.
struct Receiver {
  std::vector<egress::WebPost> posts;
  std::function<Result<egress::WebAnswer>(const egress::WebPost&)> answer = [](const auto&) {
    return egress::WebAnswer{204, "", ""};
  };
};

class FakeClient final : public egress::EgressClient {
 public:
  explicit FakeClient(Receiver& receiver) : receiver_(receiver) {}
  Result<egress::WebAnswer> post(const egress::WebPost& post) override {
    receiver_.posts.push_back(post);
    return receiver_.answer(post);
  }
  Result<egress::MailAnswer> send(const egress::Mail&) override { return fail(ErrorCode::Bug, "no mail here"); }
  void cancel() override {}

 private:
  Receiver& receiver_;
};

struct Fixture {
  FakeLog log;
  io::ManualClock clock{1'700'000'000 * kMicrosPerSecond};
  io::SeededRandom random{1};
  columnar::StringPool devices;
  Receiver receiver;
  std::map<std::string, std::string> options{{"url", "https://hooks.example.org/alarms"}};
  columnar::SchemaPtr schema =
      std::make_shared<const Schema>(Schema{{{"device", TypeKind::kString, false}, {"value", TypeKind::kInt, true}}});
  std::string name = "alerts";
  std::unique_ptr<SinkRunner> runner;

  void start() {
    auto rules = egress::EgressRules::parse({"hooks.example.org"});
    runner = SinkRunner::create(
        log, clock, random, devices,
        {.rules = *rules,
         .read_secret = [](std::string_view secret) -> Result<std::string> {
           if (secret == "key") return "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
           return fail(ErrorCode::NotFound, "there is no secret");
         },
         .make_client = [this](const egress::EgressOptions&) -> Result<std::unique_ptr<egress::EgressClient>> {
           return std::make_unique<FakeClient>(receiver);
         },
         .own_thread = false});
    const auto added = runner->add_sink(table(), dead_letters());
    if (!added) MESSAGE(added.error().to_string());
    REQUIRE(added);
  }
  std::shared_ptr<catalog::StreamDefinition> table() const {
    auto stream = std::make_shared<catalog::StreamDefinition>();
    stream->id = FakeLog::kStream;
    stream->name = name;
    stream->schema = schema;
    stream->connector = catalog::kWebhookConnector;
    stream->options = options;
    return stream;
  }
  static std::shared_ptr<catalog::StreamDefinition> dead_letters() {
    auto stream = std::make_shared<catalog::StreamDefinition>();
    stream->id = StreamId{4};
    stream->name = "alerts_dead_letters";
    stream->schema = catalog::dead_letter_schema();
    return stream;
  }
  void append(int first, int count) {
    for (int value = first; value < first + count; ++value) {
      columnar::BatchBuilder rows(schema);
      rows.column(0).append_string("pump");
      rows.column(1).append<int32_t>(value);
      rows.end_row();
      log.append(FakeLog::kStream, rows.finish(), [](const Result<>&) {});
    }
  }
  [[nodiscard]] SinkStatus status() const { return runner->status().at(0); }
  // Until nothing is due now.
  void run() {
    while (runner->run_round()) {
    }
  }
  // Rounds with the pauses between them, until `done`; at most `rounds`.
  void run_until(const std::function<bool()>& done, int rounds = 1000) {
    for (; rounds > 0 && !done(); --rounds) {
      run();
      if (status().due_in_us > 0) clock.advance_us(status().due_in_us);
    }
    CHECK(done());
  }
};

std::string header(const egress::WebPost& post, std::string_view name) {
  for (const auto& [key, value] : post.headers) {
    if (key == name) return value;
  }
  return "-";
}

bool holds(const egress::WebPost& post, int value) {
  return post.body.find(fmt::format("\"value\":{}}}", value)) != std::string::npos;
}

}  // namespace

TEST_CASE("records that waited go out together, named, timed and signed") {
  Fixture fixture;
  fixture.options["secret"] = "key";
  fixture.start();
  fixture.append(0, 3);
  fixture.run();
  REQUIRE(fixture.receiver.posts.size() == 1);
  const egress::WebPost& post = fixture.receiver.posts[0];
  CHECK(post.body == R"({"stream":"alerts","first":0,"last":2,"records":[{"_id":"alerts:0","device":"pump","value":0},)"
                     R"({"_id":"alerts:1","device":"pump","value":1},{"_id":"alerts:2","device":"pump","value":2}]})");
  CHECK(header(post, "webhook-id") == "alerts:0-2");
  CHECK(header(post, "Idempotency-Key") == "\"alerts:0-2\"");
  CHECK(header(post, "webhook-timestamp") == "1700000000");
  CHECK(header(post, "webhook-signature") ==
        webhook_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "alerts:0-2", 1'700'000'000, post.body));
  CHECK(fixture.status().delivered == 3);
  CHECK(fixture.status().lag_rows == 0);
}

TEST_CASE("the example of Standard Webhooks has the signature that its libraries give") {
  CHECK(webhook_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                          R"({"test": 2432232314})") == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_CASE("a delivery keeps its id and its records over failures, restarts and new records") {
  Fixture fixture;
  fixture.start();
  fixture.receiver.answer = [](const auto&) -> Result<egress::WebAnswer> {
    return fail(ErrorCode::ConnectionFailed, "connection refused");
  };
  fixture.append(0, 2);
  fixture.run();
  fixture.append(2, 3);
  fixture.clock.advance_us(fixture.status().due_in_us);
  fixture.run();
  fixture.start();  // as after a crash
  fixture.append(5, 1);
  fixture.receiver.answer = [](const auto&) { return egress::WebAnswer{200, "", ""}; };
  fixture.run();
  REQUIRE(fixture.receiver.posts.size() == 4);
  for (size_t at = 0; at < 3; ++at) {
    CHECK(header(fixture.receiver.posts[at], "webhook-id") == "alerts:0-1");
    CHECK(fixture.receiver.posts[at].body == fixture.receiver.posts[0].body);
  }
  CHECK(header(fixture.receiver.posts[3], "webhook-id") == "alerts:2-5");
}

TEST_CASE("a receiver that is away is tried with growing pauses, for ever, and its Retry-After is honoured") {
  Fixture fixture;
  fixture.start();
  int status = 503;
  std::string retry_after;
  fixture.receiver.answer = [&](const auto&) { return egress::WebAnswer{status, retry_after, "down"}; };
  fixture.append(0, 1);
  int64_t longest_us = 0;
  for (int attempt = 0; attempt < 30; ++attempt) {
    fixture.run();
    const int64_t pause_us = fixture.status().due_in_us;
    const int64_t whole_us = std::min<int64_t>(500'000LL << std::min(attempt, 20), 300 * kMicrosPerSecond);
    CHECK(pause_us <= whole_us);
    CHECK(pause_us >= whole_us / 2);
    longest_us = std::max(longest_us, pause_us);
    fixture.clock.advance_us(pause_us);
  }
  CHECK(longest_us > 150 * kMicrosPerSecond);
  CHECK(fixture.receiver.posts.size() == 30);
  CHECK(fixture.status().last_error.find("HTTP status 503: down") != std::string::npos);
  status = 429;
  retry_after = "900";
  fixture.run();
  CHECK(fixture.status().due_in_us == 900 * kMicrosPerSecond);
  fixture.clock.advance_us(900 * kMicrosPerSecond);
  retry_after = "100000000";
  fixture.run();
  CHECK(fixture.status().due_in_us == 3600 * kMicrosPerSecond);
  fixture.clock.advance_us(3600 * kMicrosPerSecond);
  for (const int other : {301, 401, 403, 404, 408, 410, 425, 502, 504}) {
    status = other;
    retry_after.clear();
    for (int attempt = 0; attempt < 10; ++attempt) {
      fixture.run();
      fixture.clock.advance_us(fixture.status().due_in_us);
    }
  }
  CHECK(fixture.status().dead_letters == 0);
  status = 200;
  fixture.run();
  CHECK(fixture.status().delivered == 1);
  CHECK(fixture.status().state == SinkState::kIdle);
}

TEST_CASE("a record that the receiver does not take is singled out, tried, and kept as a dead letter") {
  Fixture fixture;
  fixture.start();
  std::vector<int> taken;
  fixture.receiver.answer = [&](const egress::WebPost& post) {
    if (holds(post, 13)) return egress::WebAnswer{422, "", "thirteen\nis unlucky"};
    for (int value = 0; value < 100; ++value) {
      if (holds(post, value)) taken.push_back(value);
    }
    return egress::WebAnswer{202, "", ""};
  };
  fixture.append(0, 100);
  fixture.run_until([&] { return fixture.status().lag_rows == 0; });
  CHECK(taken.size() == 99);
  CHECK(std::is_sorted(taken.begin(), taken.end()));
  CHECK(fixture.status().dead_letters == 1);
  CHECK(fixture.status().delivered == 99);
  REQUIRE(fixture.log.others.size() == 1);
  const columnar::Batch& letter = fixture.log.others[0];
  CHECK(letter.columns[2]->string_at(0) == "https://hooks.example.org/alarms");
  CHECK(letter.columns[3]->integer_at(0) == 4002);
  CHECK(letter.columns[4]->string_at(0) ==
        "TG4002 hooks.example.org answered with HTTP status 422: thirteen is unlucky");
  CHECK(letter.columns[5]->string_at(0) == R"({"_id":"alerts:13","device":"pump","value":13})");
  CHECK(fixture.receiver.posts.size() < 40);
  fixture.run();
  CHECK(fixture.status().state == SinkState::kIdle);
}

TEST_CASE("status 500 is taken for an outage for an hour, and for a record's fault after that") {
  Fixture fixture;
  fixture.start();
  fixture.receiver.answer = [](const egress::WebPost& post) {
    return egress::WebAnswer{holds(post, 1) ? 500 : 200, "", ""};
  };
  fixture.append(0, 3);
  const int64_t begin_us = fixture.clock.monotonic_us();
  fixture.run_until([&] { return fixture.clock.monotonic_us() - begin_us > 3500 * kMicrosPerSecond; });
  CHECK(fixture.status().lag_rows == 3);
  fixture.run_until([&] { return fixture.status().lag_rows == 0; });
  CHECK(fixture.status().dead_letters == 1);
  CHECK(fixture.status().delivered == 2);
}

TEST_CASE("a body stays below its limit, and one record alone goes out whatever its size") {
  Fixture fixture;
  fixture.schema = std::make_shared<const Schema>(Schema{{{"text", TypeKind::kString, false}}});
  fixture.start();
  for (const size_t size : {400'000, 400'000, 400'000, 2'000'000, 10}) {
    columnar::BatchBuilder rows(fixture.schema);
    rows.column(0).append_string(std::string(size, 'x'));
    rows.end_row();
    fixture.log.append(FakeLog::kStream, rows.finish(), [](const Result<>&) {});
  }
  fixture.run();
  std::vector<std::string> ids;
  for (const auto& post : fixture.receiver.posts) ids.push_back(header(post, "webhook-id"));
  CHECK(ids == std::vector<std::string>{"alerts:0-1", "alerts:2-2", "alerts:3-3", "alerts:4-4"});
}

TEST_CASE("a table is refused whose target is not allowed, whose secret is missing or whose options are wrong") {
  Fixture fixture;
  fixture.start();
  const auto code = [&](std::map<std::string, std::string> options) {
    options.try_emplace("url", "https://hooks.example.org/");
    auto table = fixture.table();
    table->options = std::move(options);
    const auto checked = fixture.runner->check(*table);
    return checked ? ErrorCode::Bug : checked.error().code;
  };
  CHECK(code({}) == ErrorCode::Bug);
  CHECK(code({{"url", "https://elsewhere.example.org/"}}) == ErrorCode::NotAuthorized);
  CHECK(code({{"url", "https://hooks.example.org:8443/"}}) == ErrorCode::NotAuthorized);
  CHECK(code({{"secret", "nothing"}}) == ErrorCode::NotFound);
  CHECK(code({{"bearer.secret", "nothing"}}) == ErrorCode::NotFound);
  CHECK(code({{"url", "https://user:pw@hooks.example.org/"}}) == ErrorCode::SqlInvalidOption);
  CHECK(code({{"url", "smtp://hooks.example.org/"}}) == ErrorCode::SqlInvalidOption);
  CHECK(code({{"batch.rows", "0"}}) == ErrorCode::SqlInvalidOption);
  CHECK(code({{"batch.rows", "many"}}) == ErrorCode::SqlInvalidOption);
  CHECK(code({{"max_attempts", "1000"}}) == ErrorCode::SqlInvalidOption);
  CHECK(code({{"timeout", "10 min"}}) == ErrorCode::SqlInvalidOption);
  CHECK(code({{"ca.file", "/nowhere/ca.pem"}}) == ErrorCode::SqlInvalidOption);
}

TEST_CASE("a table's name adds no header, whatever it holds") {
  Fixture fixture;
  fixture.name = "a\r\nX-Evil: \"1\"";
  fixture.start();
  fixture.append(0, 1);
  fixture.run();
  CHECK(header(fixture.receiver.posts.at(0), "webhook-id") == "a--X-Evil:--1-:0-0");
}

TEST_CASE("Retry-After is seconds or a date") {
  constexpr int64_t kNow = 784'111'700 * kMicrosPerSecond;
  CHECK(retry_after_us("120", kNow) == 120 * kMicrosPerSecond);
  CHECK(retry_after_us("Sun, 06 Nov 1994 08:49:37 GMT", kNow) == 77 * kMicrosPerSecond);
  CHECK(retry_after_us("Sun, 06 Nov 1993 08:49:37 GMT", kNow) == 0);
  for (const char* wrong : {"", "-1", "soon", "1.5", "Sun, 06 Nov 1994"}) CHECK(retry_after_us(wrong, kNow) == 0);
}

}  // namespace tidegate::sinks
