#include "sim/message_source.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <set>

namespace tidegate::sim {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kStart = 1'700'000'000 * kSecond;

Profile minute_profile() {
  Profile profile;
  profile.time_column = "t";
  profile.time_format = "epoch_s";
  profile.device_field = "meter";
  profile.sequence_field = "seq";
  profile.device_name = "m{n}";
  return profile;
}

// `count` records, one a minute, whose value is their number.
RecordFile minutes(const Profile& profile, int count) {
  std::string text = "t,v\n";
  for (int at = 0; at < count; ++at) text += fmt::format("{},{}\n", at * 60, at);
  return RecordFile::parse(profile, text, true).value();
}

std::vector<Action> all(const Profile& profile, const RecordFile& file) {
  MessageSource source(profile, file, kStart);
  std::vector<Action> actions;
  for (Action action; source.next(action);) actions.push_back(action);
  return actions;
}

TEST_CASE("a CSV file becomes JSON values, missing ones null, bad lines skipped") {
  Profile profile = minute_profile();
  profile.columns = {{"v", "power"}, {"name", "who"}};
  const auto file =
      RecordFile::parse(profile, "name,t,v\nann,60,4.50\n\"b,\"\"b\",120,?\nlate,never,1\n\nx,0,1e3\n", true);
  REQUIRE(file.has_value());
  CHECK(file->size() == 3);
  CHECK(file->skipped() == 1);
  CHECK(file->first_skipped() == "line 4: no time: 'never'");
  CHECK(file->values(0) == R"("power":1e3,"who":"x")");
  CHECK(file->values(1) == R"("power":4.50,"who":"ann")");
  CHECK(file->values(2) == R"("power":null,"who":"b,\"b")");
  CHECK(file->time_us(2) == 120 * kSecond);
  CHECK(file->span_us() == 180 * kSecond);
}

TEST_CASE("numbers of a CSV file become numbers of JSON, everything else text") {
  Profile profile = minute_profile();
  profile.columns = {{"v", "v"}};
  const auto file = RecordFile::parse(profile, "t,v\n60,.5\n120,-.25\n180,.\n240,-\n300,1.\n360,.5x\n", true);
  REQUIRE(file.has_value());
  const char* const expected[] = {R"("v":0.5)", R"("v":-0.25)", R"("v":".")",
                                  R"("v":"-")", R"("v":"1.")",  R"("v":".5x")"};
  for (size_t record = 0; record < file->size(); ++record) CHECK(file->values(record) == expected[record]);
}

TEST_CASE("an NDJSON file keeps its values") {
  Profile profile = minute_profile();
  const auto file =
      RecordFile::parse(profile, "{\"t\":1,\"v\":1.5,\"ok\":true}\nnot json\n{\"t\":3,\"o\":{\"a\":[1]}}\n", false);
  REQUIRE(file.has_value());
  CHECK(file->size() == 2);
  CHECK(file->skipped() == 1);
  CHECK(file->first_skipped() == "line 2: no JSON object");
  CHECK(file->values(1) == R"("o":{"a":[1]})");
}

TEST_CASE("a file that cannot be used says why") {
  Profile profile = minute_profile();
  CHECK(RecordFile::parse(profile, "", true).error().code == ErrorCode::RecordMalformed);
  CHECK(RecordFile::parse(profile, "a,b\n1,2\n", true).error().message.find("'t'") != std::string::npos);
  CHECK(RecordFile::parse(profile, "t,v\nx,1\n", true).error().code == ErrorCode::RecordMalformed);
  profile.columns = {{"w", "w"}};
  CHECK(RecordFile::parse(profile, "t,v\n1,1\n", true).error().hint.find("t, v") != std::string::npos);
}

TEST_CASE("without faults every device sends the file once, in order, shifted in time") {
  Profile profile = minute_profile();
  profile.devices = 3;
  profile.shift_us = 120 * kSecond;
  const RecordFile file = minutes(profile, 10);
  const auto actions = all(profile, file);
  REQUIRE(actions.size() == 30);
  CHECK(actions[0].payload == R"({"meter":"m1","ts":1700000000000,"seq":0,"v":0})");
  CHECK(actions[1].payload == R"({"meter":"m2","ts":1700000000000,"seq":0,"v":2})");
  CHECK(actions[2].payload == R"({"meter":"m3","ts":1700000000000,"seq":0,"v":4})");
  CHECK(actions[29].payload == R"({"meter":"m3","ts":1700000540000,"seq":9,"v":3})");
  std::map<uint32_t, int64_t> last;
  for (const Action& action : actions) {
    CHECK(action.due_us == action.event_us);
    if (last.contains(action.device)) CHECK(action.event_us == last[action.device] + 60 * kSecond);
    last[action.device] = action.event_us;
  }
}

TEST_CASE("a loop goes on in time without a seam") {
  Profile profile = minute_profile();
  profile.loop = true;
  const RecordFile file = minutes(profile, 4);
  MessageSource source(profile, file, kStart);
  Action action;
  for (int64_t at = 0; at < 100; ++at) {
    REQUIRE(source.next(action));
    CHECK(action.event_us == kStart + at * 60 * kSecond);
    CHECK(action.payload.ends_with(fmt::format("\"v\":{}}}", at % 4)));
  }
}

TEST_CASE("the same seed makes the same messages, another seed others") {
  Profile profile = minute_profile();
  profile.devices = 5;
  profile.faults = {.late = 0.2,
                    .max_delay_us = 300 * kSecond,
                    .duplicate = 0.1,
                    .gap = 0.1,
                    .drop_out = 0.02,
                    .drop_out_us = 600 * kSecond,
                    .clock_skew_us = 5 * kSecond};
  const RecordFile file = minutes(profile, 500);
  const auto text_of = [](const std::vector<Action>& actions) {
    std::string text;
    for (const Action& action : actions) {
      text += fmt::format("{} {} {} {}\n", static_cast<int>(action.kind), action.device, action.due_us, action.payload);
    }
    return text;
  };
  const std::string first = text_of(all(profile, file));
  CHECK(first == text_of(all(profile, file)));
  profile.seed = 2;
  CHECK(first != text_of(all(profile, file)));
}

TEST_CASE("faults happen as often as asked and change nothing else") {
  Profile profile = minute_profile();
  profile.devices = 4;
  profile.faults = {.late = 0.2, .max_delay_us = 300 * kSecond, .duplicate = 0.1, .gap = 0.05};
  const RecordFile file = minutes(profile, 5000);
  MessageSource source(profile, file, kStart);
  std::map<std::pair<uint32_t, uint64_t>, int> seen;
  int64_t due_us = 0;
  uint64_t published = 0;
  uint64_t out_of_order = 0;
  std::map<uint32_t, uint64_t> newest;
  for (Action action; source.next(action);) {
    CHECK(action.due_us >= due_us);
    due_us = action.due_us;
    CHECK(action.due_us - action.event_us <= 2 * profile.faults.max_delay_us);
    ++published;
    ++seen[{action.device, action.sequence}];
    if (action.sequence < newest[action.device]) ++out_of_order;
    newest[action.device] = std::max(newest[action.device], action.sequence);
  }
  const FaultCounts& faults = source.faults();
  CHECK(published == 20'000 - faults.gaps + faults.duplicates);
  CHECK(seen.size() == 20'000 - faults.gaps);
  CHECK(faults.gaps == doctest::Approx(1000).epsilon(0.15));
  CHECK(faults.late == doctest::Approx(3800).epsilon(0.1));
  CHECK(faults.duplicates == doctest::Approx(1900).epsilon(0.1));
  CHECK(out_of_order > 1000);
}

TEST_CASE("a device that drops out sends what it kept when it is back") {
  Profile profile = minute_profile();
  profile.devices = 2;
  profile.faults = {.drop_out = 0.02, .drop_out_us = 600 * kSecond};
  const RecordFile file = minutes(profile, 1000);
  const auto actions = all(profile, file);
  std::map<uint32_t, bool> offline;
  std::set<std::pair<uint32_t, uint64_t>> sent;
  int drop_outs = 0;
  for (const Action& action : actions) {
    switch (action.kind) {
      case ActionKind::kDisconnect:
        CHECK_FALSE(offline[action.device]);
        offline[action.device] = true;
        ++drop_outs;
        break;
      case ActionKind::kConnect:
        CHECK(offline[action.device]);
        offline[action.device] = false;
        break;
      case ActionKind::kPublish:
        CHECK_FALSE(offline[action.device]);
        CHECK(action.due_us - action.event_us <= profile.faults.drop_out_us);
        sent.emplace(action.device, action.sequence);
        break;
    }
  }
  CHECK(drop_outs > 10);
  CHECK(sent.size() == 2000);
}

TEST_CASE("clock skew is one constant per device") {
  Profile profile = minute_profile();
  profile.devices = 20;
  profile.faults.clock_skew_us = 30 * kSecond;
  const RecordFile file = minutes(profile, 5);
  std::map<uint32_t, std::set<int64_t>> skews;
  std::set<int64_t> different;
  for (const Action& action : all(profile, file)) {
    const int64_t skew_us = action.event_us - action.due_us;
    CHECK(std::abs(skew_us) <= 30 * kSecond);
    skews[action.device].insert(skew_us);
    different.insert(skew_us);
  }
  for (const auto& [device, values] : skews) CHECK(values.size() == 1);
  CHECK(different.size() > 15);
}

TEST_CASE("a source that skips goes on exactly where another would be") {
  Profile profile = minute_profile();
  profile.devices = 3;
  profile.loop = true;
  profile.faults = {.late = 0.3, .max_delay_us = 200 * kSecond, .duplicate = 0.1};
  const RecordFile file = minutes(profile, 50);
  MessageSource whole(profile, file, kStart);
  MessageSource resumed(profile, file, kStart);
  const int64_t from_us = kStart + 7000 * kSecond;
  resumed.skip_until(from_us);
  Action expected;
  do {
    REQUIRE(whole.next(expected));
  } while (expected.due_us < from_us);
  Action found;
  for (int count = 0; count < 500; ++count) {
    REQUIRE(resumed.next(found));
    CHECK(found.payload == expected.payload);
    CHECK(found.due_us == expected.due_us);
    REQUIRE(whole.next(expected));
  }
}

}  // namespace
}  // namespace tidegate::sim
