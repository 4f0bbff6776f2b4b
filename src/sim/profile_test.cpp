#include "sim/profile.h"

#include <doctest/doctest.h>

#include "sim/internal/json_text.h"
#include "sim/internal/time_format.h"

namespace tidegate::sim {
namespace {

constexpr int64_t kNow = 1'700'000'000'000'000;

TEST_CASE("a profile is read from JSON") {
  const auto profile = parse_profile(R"({"comment":"x","file":"a.csv","time_column":"t","time_format":"epoch_s",
      "columns":{"A":"power","B":"volts"},"device_field":"meter","device_name":"m-{n}","topic":"grid/{device}",
      "devices":12,"shift":"36h","speed":60.5,"loop":true,"start":"-2d","seed":7,"late":0.1,"max_delay":"5s",
      "drop_out":0.01,"drop_out_time":"10m","clock_skew":"250ms","time_output":"iso","sequence_field":"seq"})",
                                     "/data", kNow);
  REQUIRE(profile.has_value());
  CHECK(profile->file == "/data/a.csv");
  CHECK(profile->columns == std::vector<std::pair<std::string, std::string>>{{"A", "power"}, {"B", "volts"}});
  CHECK(profile->devices == 12);
  CHECK(profile->shift_us == 36LL * 3600 * 1'000'000);
  CHECK(profile->speed == 60.5);
  CHECK(profile->loop);
  CHECK(profile->start_us == kNow - 2LL * 86'400 * 1'000'000);
  CHECK(profile->faults.clock_skew_us == 250'000);
  CHECK(profile->time_output == TimeOutput::kIso);
  CHECK(device_name(*profile, 0) == "m-01");
  CHECK(device_name(*profile, 11) == "m-12");
  CHECK(topic_of(*profile, "m-01") == "grid/m-01");
  CHECK(check_profile(*profile).has_value());
}

TEST_CASE("a wrong profile is refused and the setting is named") {
  for (const auto& [text, word] :
       std::initializer_list<std::pair<const char*, const char*>>{{R"({"devises":1})", "devises"},
                                                                  {R"({"devices":0})", "devices"},
                                                                  {R"({"devices":"3"})", "devices"},
                                                                  {R"({"late":1.5})", "late"},
                                                                  {R"({"max_delay":"soon"})", "max_delay"},
                                                                  {R"({"loop":1})", "loop"},
                                                                  {R"({"columns":[1]})", "columns"},
                                                                  {R"({"time_output":"unix"})", "time_output"},
                                                                  {R"([1])", "profile"},
                                                                  {R"({"start":"yesterday"})", "yesterday"}}) {
    const auto profile = parse_profile(text, ".", kNow);
    REQUIRE_FALSE(profile.has_value());
    CHECK(profile.error().code == ErrorCode::ConfigInvalid);
    CHECK(profile.error().message.find(word) != std::string::npos);
  }
}

TEST_CASE("settings that contradict each other are refused") {
  Profile profile;
  CHECK_FALSE(check_profile(profile).has_value());
  profile.file = "a.csv";
  profile.time_column = "t";
  CHECK(check_profile(profile).has_value());
  profile.devices = 2;
  profile.device_name = "same";
  CHECK_FALSE(check_profile(profile).has_value());
  profile.device_name = "d{n}";
  profile.faults.late = 0.5;
  CHECK_FALSE(check_profile(profile).has_value());
  profile.faults.max_delay_us = 1;
  CHECK(check_profile(profile).has_value());
  profile.faults.drop_out = 0.5;
  CHECK_FALSE(check_profile(profile).has_value());
}

TEST_CASE("durations") {
  CHECK(parse_duration("250ms").value() == 250'000);
  CHECK(parse_duration("5s").value() == 5'000'000);
  CHECK(parse_duration("7d").value() == 604'800'000'000);
  for (const char* wrong : {"", "5", "s", "-5s", "5 s", "5w", "1000000001s", "1.5h"}) {
    CHECK_FALSE(parse_duration(wrong).has_value());
  }
}

TEST_CASE("times of data files") {
  CHECK(parse_time("16/12/2006 17:24:00", "%d/%m/%Y %H:%M:%S") == 1'166'289'840'000'000);
  CHECK(parse_time("6/2/07 7:04:09.25", "%d/%m/%y %H:%M:%S.%f") == 1'170'745'449'250'000);
  CHECK(parse_time("2006-12-16T17:24:00Z", "iso") == 1'166'289'840'000'000);
  CHECK(parse_time("1166289840.5", "epoch_s") == 1'166'289'840'500'000);
  CHECK(parse_time("1166289840000", "epoch_ms") == 1'166'289'840'000'000);
  CHECK(parse_time("12% 2020", "%m%% %Y") == 1'606'780'800'000'000);
  for (const char* wrong : {"", "31/02/2006 17:24:00", "16/13/2006 17:24:00", "16/12/2006 24:00:00",
                            "16/12/2006 17:24:00 ", "16/12/2006", "a/12/2006 17:24:00"}) {
    CHECK_FALSE(parse_time(wrong, "%d/%m/%Y %H:%M:%S").has_value());
  }
  CHECK_FALSE(parse_time("1e300", "epoch_s").has_value());
  CHECK_FALSE(parse_time("nan", "epoch_s").has_value());
  CHECK(check_time_format("%d.%m.%Y").has_value());
  CHECK_FALSE(check_time_format("%d %B").has_value());
  CHECK_FALSE(check_time_format("%").has_value());
  CHECK_FALSE(check_time_format("day").has_value());
}

TEST_CASE("numbers as JSON writes them") {
  for (const char* good : {"0", "-0", "4.216", "18.400", "1e5", "-1.5E-7", "120"}) CHECK(is_json_number(good));
  for (const char* wrong : {"", "-", "01", "1.", ".5", "+1", "1e", "0x10", "1 ", "inf", "nan", "1,5"}) {
    CHECK_FALSE(is_json_number(wrong));
  }
}

}  // namespace
}  // namespace tidegate::sim
