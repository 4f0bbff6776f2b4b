#include "sinks/sink_runner.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <map>
#include <mutex>

#include "base/guarded.h"
#include "io/file.h"

namespace tidegate::sinks {
namespace {

using columnar::Schema;
using columnar::TypeKind;
namespace fs = std::filesystem;

// One stream and its state in memory; answers at once. Any thread.
class FakeLog final : public log::Log {
 public:
  Result<> open_stream(std::shared_ptr<const catalog::StreamDefinition>) override { return {}; }
  Result<> drop_stream(StreamId) override { return {}; }
  void append(StreamId, columnar::Batch rows, log::Committed done) override {
    const int64_t first = end(StreamId{}).value;
    data_.lock()->batches.push_back({std::move(rows), Offset{first}, IngestTime{0}});
    done({});
    std::function<void()> listener = data_.lock()->listener;
    if (listener) listener();
  }
  [[nodiscard]] size_t queued_bytes() const override { return 0; }
  void commit(log::EpochCommit epoch, log::Committed done) override {
    if (fail_commits) return done(fail(ErrorCode::DiskFull, "full"));
    for (log::StatePut& put : epoch.puts) data_.lock()->state[put.key] = put.value;
    CHECK(epoch.pipeline == sink_pipeline_id(StreamId{3}));
    done({});
  }
  [[nodiscard]] Offset end(StreamId) const override {
    auto data = data_.lock();
    return data->batches.empty() ? Offset{data->begin} : data->batches.back().end();
  }
  [[nodiscard]] Offset begin(StreamId) const override { return Offset{data_.lock()->begin}; }
  [[nodiscard]] Result<Offset> offset_at(StreamId, IngestTime) const override { return Offset{0}; }
  [[nodiscard]] Result<std::vector<log::LogBatchPtr>> read(StreamId, Offset from, size_t) override {
    auto data = data_.lock();
    if (from.value < data->begin) return fail(ErrorCode::OffsetOutOfRange, "expired");
    std::vector<log::LogBatchPtr> out;
    for (const log::LogBatch& batch : data->batches) {
      if (batch.end() <= from) continue;
      const auto skip = static_cast<size_t>(std::max<int64_t>(0, from.value - batch.first.value));
      out.push_back(std::make_shared<log::LogBatch>(
          log::LogBatch{columnar::slice(batch.batch, skip, batch.batch.rows - skip),
                        Offset{batch.first.value + static_cast<int64_t>(skip)}, batch.ingest_time}));
    }
    return out;
  }
  [[nodiscard]] Offset next_readable(StreamId, Offset from) const override { return from; }
  [[nodiscard]] Result<std::optional<std::string>> get_state(PipelineId, std::string_view key) override {
    auto data = data_.lock();
    const auto found = data->state.find(key);
    return found == data->state.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] Result<std::vector<log::StatePut>> scan_state(PipelineId, std::string_view) override {
    return std::vector<log::StatePut>{};
  }
  Result<> drop_state(PipelineId) override {
    data_.lock()->state.clear();
    return {};
  }
  [[nodiscard]] std::unique_ptr<Subscription> on_append(StreamId, std::function<void()> listener) override {
    data_.lock()->listener = std::move(listener);
    return std::make_unique<Handle>(*this);
  }
  void expire_before(int64_t offset) { data_.lock()->begin = offset; }
  [[nodiscard]] bool has_state() const { return !data_.lock()->state.empty(); }

  bool fail_commits = false;

 private:
  struct Handle final : Subscription {
    explicit Handle(FakeLog& owner) : log(owner) {}
    ~Handle() override { log.data_.lock()->listener = nullptr; }
    FakeLog& log;
  };
  struct Data {
    std::vector<log::LogBatch> batches;
    std::map<std::string, std::string, std::less<>> state;
    int64_t begin = 0;
    std::function<void()> listener;
  };
  Guarded<Data> data_;
};

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
  TemporaryFolder folder;
  columnar::SchemaPtr schema =
      std::make_shared<const Schema>(Schema{{{"device", TypeKind::kString, false}, {"value", TypeKind::kInt, true}}});
  std::vector<std::string> published;
  int failures_left = 0;
  std::unique_ptr<SinkRunner> runner;

  Fixture() { restart(); }
  void restart() {
    runner = SinkRunner::create(log, clock,
                                {{folder.path() / "sinks", {}},
                                 [this](auto topic, auto payload) -> Result<> {
                                   if (failures_left > 0 && published.size() % 3 == 2) {
                                     --failures_left;
                                     return fail(ErrorCode::ConnectionFailed, "broker away");
                                   }
                                   published.push_back(fmt::format("{} {}", topic, payload));
                                   return {};
                                 },
                                 false});
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
  void add_file() { REQUIRE(runner->add_sink(table(catalog::Connector::kFile, "a/b/alerts.ndjson")).has_value()); }
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
  REQUIRE(fixture.runner->add_sink(fixture.table(catalog::Connector::kMqtt, "alerts/{device}/v{value}")).has_value());
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
  REQUIRE(fixture.runner->add_sink(fixture.table(catalog::Connector::kMqtt, "alerts/{device}/v{value}")).has_value());
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
    const auto added = fixture.runner->add_sink(fixture.table(connector, std::move(target)));
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
  CHECK_FALSE(fixture.runner->add_sink(second).has_value());
}

TEST_CASE("an absolute path is taken below a folder that the operator allowed") {
  Fixture fixture;
  const fs::path allowed = fixture.folder.path() / "exports";
  fs::create_directories(allowed);
  const auto runner =
      SinkRunner::create(fixture.log, fixture.clock, {{fixture.folder.path() / "sinks", {allowed}}, {}, false});
  CHECK(runner->add_sink(fixture.table(catalog::Connector::kFile, (allowed / "a.ndjson").string())).has_value());
  const auto beside = (fixture.folder.path() / "exports-too/a.ndjson").string();
  CHECK_FALSE(runner->add_sink(fixture.table(catalog::Connector::kFile, beside)).has_value());
  CHECK_FALSE(runner->add_sink(fixture.table(catalog::Connector::kFile, allowed.string())).has_value());
}

TEST_CASE("the deliverer's thread wakes when records are committed") {
  Fixture fixture;
  std::mutex mutex;
  std::condition_variable arrived;
  int count = 0;
  const auto runner = SinkRunner::create(fixture.log, fixture.clock,
                                         {{fixture.folder.path() / "sinks", {}},
                                          [&](auto, auto) -> Result<> {
                                            const std::lock_guard lock(mutex);
                                            ++count;
                                            arrived.notify_one();
                                            return {};
                                          },
                                          true});
  REQUIRE(runner->add_sink(fixture.table(catalog::Connector::kMqtt, "alerts")).has_value());
  for (int round = 1; round <= 20; ++round) {
    fixture.append(round, 1);
    std::unique_lock lock(mutex);
    arrived.wait(lock, [&] { return count == round; });
  }
  CHECK(count == 20);
}

}  // namespace
}  // namespace tidegate::sinks
