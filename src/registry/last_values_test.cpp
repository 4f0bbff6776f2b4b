#include "registry/last_values.h"

#include <fmt/format.h>

#include <filesystem>

#include "codec/json_encoder.h"
#include "log/embedded_log.h"
// After base/check.h, whose CHECK it takes the place of.
#undef CHECK
#include <doctest/doctest.h>

namespace tidegate::registry {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) MESSAGE(result.error().to_string());
  REQUIRE(result);
  return std::move(*result);
}

struct Reading {
  std::string device;
  std::optional<int64_t> time_us;
  std::optional<double> temp;
  std::optional<std::string> note;
  std::optional<std::vector<double>> burst = std::nullopt;
};

// A log that commits at once, with one stream of readings.
class Site {
 public:
  explicit Site(bool bursts = false)
      : folder_(std::filesystem::temp_directory_path() / ("tidegate-values-" + std::to_string(random_.next_u64()))) {
    std::filesystem::create_directories(folder_);
    store_ = must(store::Store::open(folder_ / "store"));
    keys_ = must(crypto::KeyRing::open(folder_ / "keys", random_));
    log = must(log::EmbeddedLog::open(*store_, *keys_, random_, clock, devices, {.manual = true}));
    using columnar::TypeKind;
    auto definition = std::make_shared<catalog::StreamDefinition>();
    definition->id = StreamId{7};
    definition->name = "readings";
    columnar::Schema schema{{{"device", TypeKind::kString, true},
                             {"ts", TypeKind::kTimestampLtz, true},
                             {"temp", TypeKind::kDouble, true},
                             {"note", TypeKind::kString, true}}};
    if (bursts) schema.fields.push_back({"burst", columnar::Type::array(TypeKind::kDouble), true});
    definition->schema = std::make_shared<const columnar::Schema>(std::move(schema));
    definition->device_column = 0;
    definition->time_column = 1;
    stream = definition;
    REQUIRE(log->open_stream(stream));
  }
  ~Site() {
    log.reset();
    keys_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  void append(const std::vector<Reading>& readings) {
    columnar::BatchBuilder rows(stream->schema, 0, &devices);
    for (const Reading& reading : readings) {
      rows.column(0).append<uint32_t>(devices.intern(reading.device)->value);
      reading.time_us ? rows.column(1).append<int64_t>(*reading.time_us) : rows.column(1).append_null();
      reading.temp ? rows.column(2).append<double>(*reading.temp) : rows.column(2).append_null();
      reading.note ? rows.column(3).append_string(*reading.note) : rows.column(3).append_null();
      if (rows.column_count() > 4) {
        for (const double sample : reading.burst.value_or(std::vector<double>())) {
          rows.column(4).child(0).append(sample);
        }
        reading.burst ? rows.column(4).end_nested() : rows.column(4).append_null();
      }
      rows.end_row();
    }
    bool done = false;
    log->append(stream->id, rows.finish(), [&](const Result<>& outcome) { done = outcome.has_value(); });
    REQUIRE(done);
  }
  // "temp=21.5@3 note="x"@2", with "?" in front when there may be other values.
  std::string values(const LastValues& last, std::string_view device) {
    const auto states = last.state(device);
    REQUIRE(states.size() == 1);
    std::string out = states[0].current ? "" : "?";
    for (size_t column = 2; column < states[0].row.columns.size(); ++column) {
      if (!states[0].times_us[column]) continue;
      if (out.size() > 1) out += ' ';
      out += states[0].row.schema->fields[column].name + "=";
      codec::append_json_value(*states[0].row.columns[column], 0, out);
      out += fmt::format("@{}", *states[0].times_us[column]);
    }
    return out;
  }
  std::unique_ptr<LastValues> last_values(LastValueOptions options = {}) {
    options.manual = true;
    auto last = LastValues::create(*log, devices, options);
    last->follow(stream);
    return last;
  }

  io::ManualClock clock{1'000'000};
  columnar::StringPool devices;
  std::shared_ptr<const catalog::StreamDefinition> stream;
  std::unique_ptr<log::EmbeddedLog> log;

 private:
  io::SystemRandom random_;
  std::filesystem::path folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<crypto::KeyRing> keys_;
};

}  // namespace

TEST_CASE("the last value of each column is the last by event time, whichever record it is from") {
  Site site;
  const auto last = site.last_values();
  site.append({{"a", 1, 20.0, "first"}, {"b", 5, 7.5, std::nullopt}, {"a", 3, 21.5, std::nullopt}});
  last->catch_up();
  CHECK(site.values(*last, "a") == R"(temp=21.5@3 note="first"@1)");
  CHECK(site.values(*last, "b") == R"(temp=7.5@5)");
  // A record that comes late replaces nothing but what it is newer than.
  site.append({{"a", 2, 99.0, "late"}});
  last->catch_up();
  CHECK(site.values(*last, "a") == R"(temp=21.5@3 note="late"@2)");
  // Of equal times the later offset counts.
  site.append({{"a", 3, 22.0, std::nullopt}});
  last->catch_up();
  CHECK(site.values(*last, "a") == R"(temp=22@3 note="late"@2)");
  CHECK(site.values(*last, "nobody").empty());
}

TEST_CASE("when a device was heard is the ingest time of its last record, its event time aside") {
  Site site;
  const auto last = site.last_values();
  site.append({{"a", 900, 1.0, std::nullopt}});
  site.clock.advance_us(50);
  site.append({{"a", 100, 2.0, std::nullopt}, {"b", std::nullopt, 1.0, std::nullopt}});
  last->catch_up();
  CHECK(last->seen_us("a") == 1'000'050);
  CHECK(last->state("a")[0].seen_us == 1'000'050);
  CHECK(last->state("a")[0].offset == Offset{1});
  CHECK(site.values(*last, "b") == "temp=1@1000050");
  CHECK(!last->seen_us("nobody"));
}

TEST_CASE("after a start the end of the stream is read again, and what is before it is unknown") {
  Site site;
  site.append({{"old", 1, 1.0, "x"}});
  for (int i = 0; i < 9; ++i)
    site.append({{"a", 10 + i, i + 0.5, i == 0 ? std::optional<std::string>("x") : std::nullopt}});
  const auto last = site.last_values({.rebuild_rows = 8});
  CHECK(last->state("a")[0].reading);
  CHECK(!last->state("a")[0].current);
  last->catch_up();
  CHECK(!last->state("a")[0].reading);
  CHECK(site.values(*last, "a") == R"(?temp=8.5@18)");
  CHECK(site.values(*last, "old") == "?");
  site.append({{"old", 30, 3.0, "y"}});
  last->catch_up();
  CHECK(site.values(*last, "old") == R"(temp=3@30 note="y"@30)");
  const auto all = site.last_values();
  all->catch_up();
  CHECK(site.values(*all, "a") == R"(temp=8.5@18 note="x"@10)");
}

TEST_CASE("a reader that is too far behind goes on near the end and says so") {
  Site site;
  const auto last = site.last_values({.max_lag_rows = 10});
  site.append({{"before", 1, 1.0, "x"}});
  for (int i = 0; i < 30; ++i) site.append({{"a", i, 1.0 * i, "n"}});
  last->catch_up();
  CHECK(last->stats().skipped_rows == 26);
  CHECK(site.values(*last, "before") == "?");
  CHECK(site.values(*last, "a") == R"(temp=29@29 note="n"@29)");
}

TEST_CASE("memory has a bound; who finds no room is not taken for somebody who never spoke") {
  Site site;
  const auto last = site.last_values({.max_bytes = 4096});
  std::vector<Reading> readings;
  for (int i = 0; i < 1000; ++i) readings.push_back({fmt::format("d{}", i), i, 1.0, "n"});
  site.append(readings);
  last->catch_up();
  CHECK(last->stats().bytes <= 4096 + 300);
  CHECK(last->stats().devices > 3);
  CHECK(last->stats().refused > 900);
  CHECK(site.values(*last, "d999") == "?");
  CHECK(site.values(*last, "d0") == R"(temp=1@0 note="n"@0)");
}

TEST_CASE("a stream that gets a column keeps what is known of the others") {
  Site site;
  const auto last = site.last_values();
  site.append({{"a", 1, 20.0, "first"}, {"b", 2, 7.5, std::nullopt}});
  last->catch_up();
  site.append({{"b", 3, 8.5, "unread"}});
  auto grown = std::make_shared<catalog::StreamDefinition>(*site.stream);
  columnar::Schema schema = *grown->schema;
  schema.fields.push_back({"burst", columnar::Type::array(columnar::TypeKind::kDouble), true});
  grown->schema = std::make_shared<const columnar::Schema>(std::move(schema));
  site.stream = grown;
  REQUIRE(site.log->open_stream(grown));
  last->follow(grown);
  CHECK(site.values(*last, "a") == R"(temp=20@1 note="first"@1)");
  site.append({{"a", 4, 21.0, std::nullopt, std::vector<double>{1, 2}}, {"c", 5, 1.0, "new"}});
  last->catch_up();
  CHECK(site.values(*last, "a") == R"(temp=21@4 note="first"@1 burst=[1,2]@4)");
  CHECK(site.values(*last, "b") == R"(temp=8.5@3 note="unread"@3)");
  CHECK(site.values(*last, "c") == R"(temp=1@5 note="new"@5)");
}

TEST_CASE("texts are cut, and a stream that is forgotten is gone") {
  Site site;
  const auto last = site.last_values();
  site.append({{"a", 1, std::nullopt, std::string(5000, 'x')}});
  last->catch_up();
  CHECK(last->state("a")[0].row.columns[3]->string_at(0).size() == kMaxKeptTextBytes);
  last->forget(site.stream->id);
  CHECK(last->state("a").empty());
  CHECK(last->stats().bytes == 0);
  site.append({{"a", 2, 1.0, "y"}});
  last->catch_up();
}

TEST_CASE("an array is kept whole or not at all") {
  Site site(true);
  const auto last = site.last_values();
  site.append({{"a", 1, std::nullopt, std::nullopt, std::vector<double>{1, 2.5}}});
  last->catch_up();
  CHECK(site.values(*last, "a") == "burst=[1,2.5]@1");
  site.append({{"a", 2, std::nullopt, std::nullopt, std::vector<double>(kMaxKeptTextBytes, 1)}});
  last->catch_up();
  CHECK(site.values(*last, "a") == "burst=null@2");
  site.append({{"a", 3, std::nullopt, std::nullopt, std::vector<double>()}});
  last->catch_up();
  CHECK(site.values(*last, "a") == "burst=[]@3");
}

TEST_CASE("random records agree with going through them one by one") {
  io::SeededRandom random(11);
  Site site;
  const auto last = site.last_values();
  struct Known {
    std::optional<std::pair<int64_t, double>> temp;
    std::optional<std::pair<int64_t, std::string>> note;
  };
  std::map<std::string, Known> expected;
  for (int round = 0; round < 60; ++round) {
    std::vector<Reading> readings;
    for (uint64_t row = 0; row < 1 + random.below(40); ++row) {
      Reading reading{fmt::format("d{}", random.below(7)), static_cast<int64_t>(random.below(200)), {}, {}};
      if (random.below(3) > 0) reading.temp = static_cast<double>(random.below(1000));
      if (random.below(3) == 0) reading.note = fmt::format("n{}", random.below(1000));
      Known& known = expected[reading.device];
      if (reading.temp && (!known.temp || *reading.time_us >= known.temp->first)) {
        known.temp = {*reading.time_us, *reading.temp};
      }
      if (reading.note && (!known.note || *reading.time_us >= known.note->first)) {
        known.note = {*reading.time_us, *reading.note};
      }
      readings.push_back(std::move(reading));
    }
    site.append(readings);
    if (random.below(4) == 0) last->catch_up();
  }
  last->catch_up();
  for (const auto& [device, known] : expected) {
    const auto state = last->state(device)[0];
    REQUIRE(state.times_us[2].has_value() == known.temp.has_value());
    REQUIRE(state.times_us[3].has_value() == known.note.has_value());
    if (known.temp) CHECK(state.row.columns[2]->values<double>()[0] == known.temp->second);
    if (known.note) CHECK(state.row.columns[3]->string_at(0) == known.note->second);
  }
}

}  // namespace tidegate::registry
