#include "ingest/ingest.h"

#include <doctest/doctest.h>

#include "codec/json_encoder.h"
#include "ingest/internal/dead_letters.h"
#include "ingest/internal/topic_router.h"

namespace tidegate::ingest {
namespace {

using columnar::Schema;
using columnar::TypeKind;

// Keeps what is appended and answers when told to.
class FakeLog final : public log::Log {
 public:
  Result<> open_stream(std::shared_ptr<const catalog::StreamDefinition>) override { return {}; }
  Result<> drop_stream(StreamId) override { return {}; }
  void append(StreamId stream, columnar::Batch rows, log::Committed done) override {
    appended.emplace_back(stream, std::move(rows));
    waiting.push_back(std::move(done));
  }
  [[nodiscard]] size_t queued_bytes() const override { return queued; }
  void commit(log::EpochCommit, log::Committed) override {}
  [[nodiscard]] Offset end(StreamId) const override { return Offset{0}; }
  [[nodiscard]] Offset begin(StreamId) const override { return Offset{0}; }
  [[nodiscard]] Result<Offset> offset_at(StreamId, IngestTime) const override { return Offset{0}; }
  [[nodiscard]] Result<std::vector<log::LogBatchPtr>> read(StreamId, Offset, size_t) override {
    return std::vector<log::LogBatchPtr>{};
  }
  [[nodiscard]] Offset next_readable(StreamId, Offset from) const override { return from; }
  [[nodiscard]] Result<std::optional<std::string>> get_state(PipelineId, std::string_view) override {
    return std::nullopt;
  }
  [[nodiscard]] Result<std::vector<log::StatePut>> scan_state(PipelineId, std::string_view) override {
    return std::vector<log::StatePut>{};
  }
  [[nodiscard]] Result<std::vector<std::string>> state_keys(PipelineId, std::string_view) override {
    return std::vector<std::string>{};
  }
  Result<> drop_state(PipelineId) override { return {}; }
  [[nodiscard]] std::unique_ptr<Subscription> on_append(StreamId, std::function<void()>) override { return nullptr; }

  [[nodiscard]] std::string text(StreamId stream) const {
    std::string out;
    for (const auto& [id, batch] : appended) {
      if (id == stream) codec::JsonEncoder(batch.schema).append_ndjson(batch, out);
    }
    return out;
  }

  std::vector<std::pair<StreamId, columnar::Batch>> appended;
  std::vector<log::Committed> waiting;
  size_t queued = 0;
};

std::shared_ptr<catalog::StreamDefinition> readings(uint32_t id, std::string name, std::string topic) {
  auto stream = std::make_shared<catalog::StreamDefinition>();
  stream->id = StreamId{id};
  stream->name = std::move(name);
  stream->mqtt_topic = std::move(topic);
  stream->schema = std::make_shared<const Schema>(Schema{{{"device", TypeKind::kString, false},
                                                          {"ts", TypeKind::kTimestampLtz, false},
                                                          {"value", TypeKind::kDouble, true}}});
  stream->device_column = 0;
  stream->time_column = 1;
  return stream;
}

std::shared_ptr<catalog::StreamDefinition> dead_letters_of(uint32_t id) {
  auto stream = std::make_shared<catalog::StreamDefinition>();
  stream->id = StreamId{id};
  stream->name = "dead";
  stream->schema = std::make_shared<const Schema>(Schema{{{"time", TypeKind::kTimestampLtz, false},
                                                          {"device", TypeKind::kString, true},
                                                          {"topic", TypeKind::kString, true},
                                                          {"code", TypeKind::kInt, false},
                                                          {"reason", TypeKind::kString, false},
                                                          {"payload", TypeKind::kString, true}}});
  stream->device_column = 1;
  return stream;
}

constexpr int64_t kNow = 1'700'000'000'000'000;

struct Fixture {
  FakeLog log;
  io::ManualClock clock{kNow};
  columnar::StringPool devices;
  std::unique_ptr<Ingest> ingest = Ingest::create(log, clock, devices);
  security::Principal meter{security::PrincipalKind::kDevice, "meter-1", false};
  security::Principal service{security::PrincipalKind::kService, "loader", false};
  std::unique_ptr<Lane> lane;

  Fixture() {
    ingest->add_stream(readings(1, "readings", "site/+/meters/#"), dead_letters_of(2));
    lane = ingest->open_lane();
  }
  Accepted accept(std::string_view payload, const security::Principal& who) {
    auto accepted = lane->accept(StreamId{1}, {payload, "site/a/meters/1", &who, false});
    REQUIRE(accepted.has_value());
    return *accepted;
  }
  void flush() {
    REQUIRE(lane->flush([](Result<>) {}));
  }
};

TEST_CASE("rows of many messages go to the log together, and the lane answers once") {
  Fixture fixture;
  CHECK_FALSE(fixture.lane->flush([](Result<>) {}));
  for (int at = 0; at < 3; ++at) CHECK(fixture.accept(R"({"ts":1700000000000,"value":1.5})", fixture.meter).good == 1);
  CHECK(fixture.accept(R"({"ts":"later"})", fixture.meter).dead == 1);
  CHECK(fixture.lane->waiting_rows() == 4);
  int answers = 0;
  bool failed = false;
  REQUIRE(fixture.lane->flush([&](Result<> result) {
    ++answers;
    failed = !result.has_value();
  }));
  CHECK(fixture.lane->waiting_rows() == 0);
  REQUIRE(fixture.log.waiting.size() == 2);
  fixture.log.waiting[1](fail(ErrorCode::DiskFull, "full"));
  CHECK(answers == 0);
  fixture.log.waiting[0]({});
  CHECK(answers == 1);
  CHECK(failed);
  const auto counters = fixture.ingest->counters();
  REQUIRE(counters.size() == 1);
  CHECK(counters[0].rows == 3);
  CHECK(counters[0].dead_letters == 1);
}

TEST_CASE("a device speaks for itself, a service for any device, and nobody for nobody") {
  Fixture fixture;
  CHECK(fixture.accept(R"({"device":"meter-1","ts":0})", fixture.meter).good == 1);
  CHECK(fixture.accept(R"({"device":"meter-2","ts":0})", fixture.meter).first_reason.starts_with("TG7002 record 1: "));
  CHECK(fixture.accept(R"({"device":"meter-2","ts":0})", fixture.service).good == 1);
  CHECK(fixture.accept(R"({"ts":0})", fixture.service).first_reason.starts_with("TG4010"));
  fixture.flush();
  CHECK(fixture.log.text(StreamId{1}).find("meter-2") != std::string::npos);
  const std::string dead = fixture.log.text(StreamId{2});
  CHECK(dead.find(R"("device":"meter-1","topic":"site/a/meters/1","code":7002)") != std::string::npos);
  CHECK(dead.find(R"("device":null)") != std::string::npos);
}

TEST_CASE("the far future is a dead letter by the clock of the flush round") {
  Fixture fixture;
  const std::string later = R"({"ts":1700000300001})";
  CHECK(fixture.accept(R"({"ts":1700000300000})", fixture.meter).good == 1);
  CHECK(fixture.accept(later, fixture.meter).first_reason.starts_with("TG4004"));
  fixture.flush();
  fixture.clock.advance_us(1000);
  CHECK(fixture.accept(later, fixture.meter).good == 1);
}

TEST_CASE("dead letters are valid text, cut and bounded") {
  Fixture fixture;
  fixture.accept("\xff\xfe garbage", fixture.meter);
  const std::string large = R"({"ts":")" + std::string(200'000, 'x') + "\"}";
  for (int at = 0; at < 100; ++at) fixture.accept(large, fixture.meter);
  fixture.flush();
  const std::string dead = fixture.log.text(StreamId{2});
  CHECK(dead.find("\xEF\xBF\xBD\xEF\xBF\xBD garbage") != std::string::npos);
  CHECK(dead.size() < 2 * DeadLetters::kMaxWaitingBytes);
  CHECK(dead.find("more records did not fit") != std::string::npos);
}

TEST_CASE("streams come and go while rows wait") {
  Fixture fixture;
  CHECK_FALSE(fixture.lane->accept(StreamId{9}, {"{}", "", nullptr, false}).has_value());
  fixture.accept(R"({"ts":0})", fixture.meter);
  fixture.ingest->remove_stream(StreamId{1});
  CHECK_FALSE(fixture.lane->accept(StreamId{1}, {"{}", "", nullptr, false}).has_value());
  fixture.flush();
  CHECK(fixture.log.appended.size() == 1);
  fixture.log.queued = log::Log::kMaxQueuedBytes;
  CHECK(fixture.ingest->overloaded());
}

TEST_CASE("a stream that gets a column takes it from the next message on, in open lanes, and goes on counting") {
  Fixture fixture;
  CHECK(fixture.accept(R"({"ts":1700000000000,"value":1,"level":7})", fixture.meter).good == 1);
  const auto grown = readings(1, "readings", "site/+/meters/#");
  Schema schema = *grown->schema;
  schema.fields.push_back({"level", TypeKind::kInt, true});
  grown->schema = std::make_shared<const Schema>(std::move(schema));
  fixture.ingest->add_stream(grown, dead_letters_of(2));
  CHECK(fixture.ingest->route("site/a/meters/1") == StreamId{1});
  CHECK(fixture.accept(R"({"ts":1700000000000,"value":2,"level":8})", fixture.meter).good == 1);
  CHECK(fixture.accept(R"({"ts":1700000000000,"value":3})", fixture.meter).good == 1);
  CHECK(fixture.accept(R"({"ts":1700000000000,"value":4,"level":"high"})", fixture.meter).dead == 1);
  fixture.flush();
  const std::string time = R"("ts":"2023-11-14T22:13:20.000Z")";
  // In the order in which they came: what waited before is not behind what came after.
  CHECK(fixture.log.text(StreamId{1}) == R"({"device":"meter-1",)" + time + ",\"value\":1}\n" +
                                             R"({"device":"meter-1",)" + time + ",\"value\":2,\"level\":8}\n" +
                                             R"({"device":"meter-1",)" + time + ",\"value\":3,\"level\":null}\n");
  const auto counters = fixture.ingest->counters();
  REQUIRE(counters.size() == 1);
  CHECK(counters[0].rows == 3);
  CHECK(counters[0].dead_letters == 1);
}

TEST_CASE("an event time that is computed is there when its record is checked and handed on") {
  Fixture fixture;
  const auto computed = readings(1, "readings", "site/+/meters/#");
  computed->sql =
      "CREATE TABLE readings (device STRING NOT NULL, ts AS TO_TIMESTAMP_LTZ(CAST(`value` AS BIGINT), 3), `value` "
      "DOUBLE,"
      " WATERMARK FOR ts AS ts) WITH ('device' = 'device')";
  Schema schema = *computed->schema;
  schema.fields[1].nullable = true;
  computed->schema = std::make_shared<const Schema>(std::move(schema));
  fixture.ingest->add_stream(computed, dead_letters_of(2));
  CHECK(fixture.accept(R"({"value":1700000000000,"ts":7})", fixture.meter).good == 1);
  CHECK(fixture.accept(R"([{"value":5},{"value":1700000300001},{"value":6}])", fixture.meter).good == 2);
  CHECK(fixture.accept(R"({"ts":7})", fixture.meter).good == 1);
  CHECK(
      fixture.accept(R"({"value":1e300})", fixture.meter).first_reason ==
      "TG4002 record 1: column 'ts' cannot be computed: TO_TIMESTAMP_LTZ(CAST(value AS BIGINT), 3) of value = 1e+300");
  fixture.flush();
  CHECK(fixture.log.text(StreamId{1}) == R"({"device":"meter-1","ts":"2023-11-14T22:13:20.000Z","value":1.7e+12})"
                                         "\n"
                                         R"({"device":"meter-1","ts":"1970-01-01T00:00:00.005Z","value":5})"
                                         "\n"
                                         R"({"device":"meter-1","ts":"1970-01-01T00:00:00.006Z","value":6})"
                                         "\n"
                                         R"({"device":"meter-1","ts":null,"value":null})"
                                         "\n");
  CHECK(fixture.log.text(StreamId{2}).find(R"("code":4004)") != std::string::npos);
  CHECK(fixture.ingest->counters()[0].dead_letters == 2);
}

TEST_CASE("topics find their stream") {
  Fixture fixture;
  fixture.ingest->add_stream(readings(5, "alpha", "site/a/#"), nullptr);
  auto sink = readings(6, "aa_sink", "site/#");
  sink->connector = catalog::Connector::kMqtt;
  fixture.ingest->add_stream(sink, nullptr);
  for (int twice = 0; twice < 2; ++twice) {
    CHECK(fixture.ingest->route("site/b/meters/7") == StreamId{1});
    CHECK(fixture.ingest->route("site/a/meters/7") == StreamId{5});
    CHECK(fixture.ingest->route("streams/Readings") == StreamId{1});
    CHECK(fixture.ingest->route("elsewhere") == std::nullopt);
  }
  fixture.ingest->remove_stream(StreamId{5});
  CHECK(fixture.ingest->route("site/a/meters/7") == StreamId{1});
}

TEST_CASE("topic filters") {
  CHECK(topic_matches("#", "a/b"));
  CHECK(topic_matches("a/#", "a"));
  CHECK(topic_matches("a/+/c", "a/b/c"));
  CHECK(topic_matches("+/+", "/a"));
  CHECK(topic_matches("a//b", "a//b"));
  CHECK_FALSE(topic_matches("+", "/a"));
  CHECK_FALSE(topic_matches("a/+", "a"));
  CHECK_FALSE(topic_matches("a", "a/b"));
  CHECK_FALSE(topic_matches("a/b", "a"));
  CHECK_FALSE(topic_matches("#", "$SYS/x"));
  CHECK_FALSE(topic_matches("", "a"));
}

}  // namespace
}  // namespace tidegate::ingest
