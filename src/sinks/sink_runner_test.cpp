#include "sinks/sink_runner.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <mutex>

#include "io/file.h"
#include "sinks/internal/fake_log.h"

namespace tidegate::sinks {
namespace {

using columnar::Schema;
using columnar::TypeKind;
namespace fs = std::filesystem;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "tidegate-sinks-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct Fixture {
  FakeLog log;
  io::ManualClock clock{0};
  io::SeededRandom random{1};
  columnar::StringPool devices;
  TemporaryFolder folder;
  columnar::SchemaPtr schema =
      std::make_shared<const Schema>(Schema{{{"device", TypeKind::kString, false}, {"value", TypeKind::kInt, true}}});
  std::vector<std::string> published;
  int failures_left = 0;
  std::unique_ptr<SinkRunner> runner;

  Fixture() { restart(); }
  void restart() {
    runner = SinkRunner::create(log, clock, random, devices,
                                {.folders = {folder.path() / "sinks", {}},
                                 .publish = [this](auto topic, auto payload) -> Result<> {
                                   if (failures_left > 0 && published.size() % 3 == 2) {
                                     --failures_left;
                                     return fail(ErrorCode::ConnectionFailed, "broker away");
                                   }
                                   published.push_back(fmt::format("{} {}", topic, payload));
                                   return {};
                                 },
                                 .own_thread = false});
  }
  void append(int first, int count) {
    columnar::BatchBuilder rows(schema);
    for (int value = first; value < first + count; ++value) {
      rows.column(0).append_string("m/" + std::to_string(value % 2));
      rows.column(1).append<int32_t>(value);
      rows.end_row();
    }
    log.append(StreamId{3}, rows.finish(), [](const Result<>&) {});
  }
  std::shared_ptr<catalog::StreamDefinition> table(catalog::Connector connector, std::string target) {
    auto stream = std::make_shared<catalog::StreamDefinition>();
    stream->id = StreamId{3};
    stream->name = "alerts";
    stream->schema = schema;
    stream->connector = connector;
    (connector == catalog::Connector::kFile ? stream->options["path"] : stream->mqtt_topic) = std::move(target);
    return stream;
  }
  void add_file() {
    REQUIRE(runner->add_sink(table(catalog::Connector::kFile, "a/b/alerts.ndjson"), nullptr).has_value());
  }
  [[nodiscard]] fs::path file() const { return folder.path() / "sinks/a/b/alerts.ndjson"; }
  [[nodiscard]] std::string content() const { return io::read_file(file()).value(); }
  static std::string lines(int first, int count) {
    std::string out;
    for (int value = first; value < first + count; ++value) {
      out += fmt::format("{{\"device\":\"m/{}\",\"value\":{}}}\n", value % 2, value);
    }
    return out;
  }
};

TEST_CASE("a file sink writes every record once over restarts, and cuts what a crash left") {
  Fixture fixture;
  fixture.add_file();
  CHECK_FALSE(fixture.runner->run_round());
  fixture.append(0, 3);
  CHECK(fixture.runner->status()[0].lag_rows == 3);
  CHECK(fixture.runner->run_round());
  CHECK(fixture.content() == Fixture::lines(0, 3));
  std::ofstream(fixture.file(), std::ios::app) << "{\"device\":\"m/";
  fixture.append(3, 2);
  fixture.restart();
  fixture.add_file();
  CHECK(fixture.runner->run_round());
  CHECK_FALSE(fixture.runner->run_round());
  CHECK(fixture.content() == Fixture::lines(0, 5));
  CHECK(fixture.runner->status()[0].position == Offset{5});
  CHECK(fixture.runner->status()[0].lag_rows == 0);
}

TEST_CASE("a sink that is added again, as its stream got a column, goes on where it was with that column") {
  Fixture fixture;
  fixture.add_file();
  fixture.append(0, 3);
  CHECK(fixture.runner->run_round());
  fixture.append(3, 1);
  Schema schema = *fixture.schema;
  schema.fields.push_back({"note", TypeKind::kString, true});
  fixture.schema = std::make_shared<const Schema>(std::move(schema));
  fixture.add_file();
  CHECK(fixture.runner->status().size() == 1);
  CHECK(fixture.runner->status()[0].position == Offset{3});
  columnar::BatchBuilder rows(fixture.schema);
  rows.column(0).append_string("m/0");
  rows.column(1).append<int32_t>(4);
  rows.column(2).append_string("wet");
  rows.end_row();
  fixture.log.pad(fixture.schema);
  fixture.log.append(StreamId{3}, rows.finish(), [](const Result<>&) {});
  while (fixture.runner->run_round()) {
  }
  CHECK(fixture.content() == Fixture::lines(0, 3) + R"({"device":"m/1","value":3,"note":null})" + "\n" +
                                 R"({"device":"m/0","value":4,"note":"wet"})" + "\n");
}

TEST_CASE("a file sink whose position cannot be stored takes its lines back") {
  Fixture fixture;
  fixture.add_file();
  fixture.runner->run_round();
  fixture.append(0, 3);
  fixture.log.fail_commits = true;
  CHECK_FALSE(fixture.runner->run_round());
  CHECK(fixture.runner->status()[0].last_error.starts_with("TG4008"));
  fixture.log.fail_commits = false;
  CHECK_FALSE(fixture.runner->run_round());
  fixture.clock.advance_us(100'000);
  CHECK(fixture.runner->run_round());
  CHECK(fixture.content() == Fixture::lines(0, 3));
  CHECK(fixture.runner->status()[0].last_error.empty());
}

TEST_CASE("a sink that fails says since when, why, how often and what is behind, until it works again") {
  Fixture fixture;
  fixture.clock.advance_us(5'000'000);
  REQUIRE(fixture.runner->add_sink(fixture.table(catalog::Connector::kMqtt, "alerts"), nullptr).has_value());
  CHECK(fixture.runner->status()[0].state == SinkState::kIdle);
  fixture.append(0, 5);
  CHECK(fixture.runner->status()[0].state == SinkState::kDelivering);
  fixture.failures_left = 2;
  fixture.runner->run_round();
  SinkStatus status = fixture.runner->status()[0];
  CHECK(status.stream == "alerts");
  CHECK(status.state == SinkState::kRetrying);
  CHECK(status.last_error.find("broker away") != std::string::npos);
  CHECK(status.failing_since_us == 5'000'000);
  CHECK(status.lag_rows == 3);
  CHECK(status.delivered == 2);
  CHECK(status.due_in_us == 100'000);
  fixture.clock.advance_us(100'000);
  fixture.runner->run_round();
  status = fixture.runner->status()[0];
  CHECK(status.retries == 2);
  CHECK(status.failing_since_us == 5'000'000);
  fixture.clock.advance_us(200'000);
  fixture.runner->run_round();
  status = fixture.runner->status()[0];
  CHECK(status.state == SinkState::kIdle);
  CHECK(status.last_error.empty());
  CHECK(status.retries == 2);
  CHECK(status.delivered == 5);
}

TEST_CASE("a file that was rotated or is not ours is continued on a new line") {
  Fixture fixture;
  fixture.add_file();
  fixture.append(0, 3);
  fixture.runner->run_round();
  std::ofstream(fixture.file(), std::ios::trunc) << "rest";
  fixture.restart();
  fixture.add_file();
  fixture.append(3, 1);
  fixture.runner->run_round();
  CHECK(fixture.content() == "rest\n" + Fixture::lines(3, 1));
}

TEST_CASE("an MQTT sink goes on exactly where the broker failed, with growing pauses") {
  Fixture fixture;
  REQUIRE(fixture.runner->add_sink(fixture.table(catalog::Connector::kMqtt, "alerts/{device}/v{value}"), nullptr)
              .has_value());
  fixture.append(0, 5);
  fixture.failures_left = 2;
  CHECK_FALSE(fixture.runner->run_round());
  CHECK(fixture.published.size() == 2);
  CHECK(fixture.runner->status()[0].position == Offset{2});
  fixture.clock.advance_us(99'999);
  CHECK_FALSE(fixture.runner->run_round());
  CHECK(fixture.failures_left == 1);
  fixture.clock.advance_us(1);
  CHECK_FALSE(fixture.runner->run_round());
  CHECK(fixture.failures_left == 0);
  fixture.clock.advance_us(199'999);
  CHECK_FALSE(fixture.runner->run_round());
  CHECK(fixture.published.size() == 2);
  fixture.restart();
  REQUIRE(fixture.runner->add_sink(fixture.table(catalog::Connector::kMqtt, "alerts/{device}/v{value}"), nullptr)
              .has_value());
  CHECK(fixture.runner->run_round());
  REQUIRE(fixture.published.size() == 5);
  CHECK(fixture.published[2] == R"(alerts/m_0/v2 {"_id":"alerts:2","device":"m/0","value":2})");
  CHECK(fixture.runner->status()[0].delivered == 3);
}

TEST_CASE("records that expired are passed over; a removed sink forgets its position") {
  Fixture fixture;
  fixture.add_file();
  fixture.append(0, 3);
  fixture.append(3, 2);
  fixture.log.expire_before(3);
  CHECK(fixture.runner->run_round());
  CHECK(fixture.runner->run_round());
  CHECK(fixture.content() == Fixture::lines(3, 2));
  CHECK(fixture.log.has_state());
  REQUIRE(fixture.runner->remove_sink(StreamId{3}).has_value());
  CHECK_FALSE(fixture.log.has_state());
  CHECK(fixture.runner->status().empty());
}

TEST_CASE("targets that cannot be used are refused when the sink is added") {
  Fixture fixture;
  const auto code = [&](catalog::Connector connector, std::string target) {
    const auto added = fixture.runner->add_sink(fixture.table(connector, std::move(target)), nullptr);
    return added ? ErrorCode::Bug : added.error().code;
  };
  CHECK(code(catalog::Connector::kFile, "../out") == ErrorCode::SqlInvalidOption);
  CHECK(code(catalog::Connector::kFile, "a/../../out") == ErrorCode::SqlInvalidOption);
  CHECK(code(catalog::Connector::kFile, "/etc/tidegate-test.ndjson") == ErrorCode::SqlInvalidOption);
  fs::create_directories(fixture.folder.path() / "sinks");
  fs::create_directory_symlink("/tmp", fixture.folder.path() / "sinks/elsewhere");
  CHECK(code(catalog::Connector::kFile, "elsewhere/out.ndjson") == ErrorCode::SqlInvalidOption);
  CHECK(code(catalog::Connector::kFile, "") == ErrorCode::SqlInvalidOption);
  CHECK(code(catalog::Connector::kMqtt, "a/{nothing}") == ErrorCode::SqlInvalidOption);
  CHECK(code(catalog::Connector::kMqtt, "a/{device") == ErrorCode::SqlInvalidOption);
  CHECK(code(catalog::Connector::kMqtt, "a/+") == ErrorCode::SqlInvalidOption);
  CHECK(code(catalog::Connector::kStream, "a") == ErrorCode::SqlInvalidOption);
  fixture.add_file();
  auto second = fixture.table(catalog::Connector::kFile, "a/./b/alerts.ndjson");
  second->id = StreamId{4};
  CHECK_FALSE(fixture.runner->add_sink(second, nullptr).has_value());
}

TEST_CASE("an absolute path is taken below a folder that the operator allowed") {
  Fixture fixture;
  const fs::path allowed = fixture.folder.path() / "exports";
  fs::create_directories(allowed);
  const auto runner =
      SinkRunner::create(fixture.log, fixture.clock, fixture.random, fixture.devices,
                         {.folders = {fixture.folder.path() / "sinks", {allowed}}, .own_thread = false});
  CHECK(
      runner->add_sink(fixture.table(catalog::Connector::kFile, (allowed / "a.ndjson").string()), nullptr).has_value());
  const auto beside = (fixture.folder.path() / "exports-too/a.ndjson").string();
  CHECK_FALSE(runner->add_sink(fixture.table(catalog::Connector::kFile, beside), nullptr).has_value());
  CHECK_FALSE(runner->add_sink(fixture.table(catalog::Connector::kFile, allowed.string()), nullptr).has_value());
}

TEST_CASE("a sink that could not be started is named too, until it can be or is removed") {
  Fixture fixture;
  CHECK_FALSE(fixture.runner->add_sink(fixture.table(catalog::Connector::kFile, "/elsewhere/a"), nullptr).has_value());
  REQUIRE(fixture.runner->status().size() == 1);
  CHECK(fixture.runner->status()[0].stream == "alerts");
  CHECK(fixture.runner->status()[0].state == SinkState::kFailed);
  CHECK(fixture.runner->status()[0].last_error.find("--sink-folder") != std::string::npos);
  fixture.add_file();
  REQUIRE(fixture.runner->status().size() == 1);
  CHECK(fixture.runner->status()[0].state == SinkState::kIdle);
  CHECK_FALSE(fixture.runner->add_sink(fixture.table(catalog::Connector::kMqtt, "a/#"), nullptr).has_value());
  REQUIRE(fixture.runner->remove_sink(StreamId{3}));
  CHECK(fixture.runner->status().empty());
}

TEST_CASE("the deliverer's thread wakes when records are committed") {
  Fixture fixture;
  std::mutex mutex;
  std::condition_variable arrived;
  int count = 0;
  const auto runner =
      SinkRunner::create(fixture.log, fixture.clock, fixture.random, fixture.devices,
                         {.folders = {fixture.folder.path() / "sinks", {}}, .publish = [&](auto, auto) -> Result<> {
                            const std::lock_guard lock(mutex);
                            ++count;
                            arrived.notify_one();
                            return {};
                          }});
  REQUIRE(runner->add_sink(fixture.table(catalog::Connector::kMqtt, "alerts"), nullptr).has_value());
  for (int round = 1; round <= 20; ++round) {
    fixture.append(round, 1);
    std::unique_lock lock(mutex);
    arrived.wait(lock, [&] { return count == round; });
  }
  CHECK(count == 20);
}

}  // namespace
}  // namespace tidegate::sinks
