#include "registry/device_csv.h"

#include <doctest/doctest.h>

namespace tidegate::registry {

TEST_CASE("a list of devices is read column by column") {
  const auto file = read_device_csv(
      "name,type, place,interval,label.vendor,description\r\n"
      "m-1,flow meter,north/a,30s,acme,\"second gate, left\"\r\n"
      "m-2,,,,,\r\n");
  REQUIRE(file);
  CHECK(file->error_count == 0);
  REQUIRE(file->devices.size() == 2);
  CHECK(file->devices[0].type == "flow meter");
  CHECK(file->devices[0].place == "north/a");
  CHECK(file->devices[0].interval_us == 30'000'000);
  CHECK(file->devices[0].labels.at("vendor") == "acme");
  CHECK(file->devices[0].description == "second gate, left");
  CHECK(file->devices[1].labels.empty());
  CHECK(file->devices[1].interval_us == 0);
  CHECK(file->lines == std::vector<size_t>{2, 3});
}

TEST_CASE("every bad line is named, the good ones are still read") {
  const auto file = read_device_csv(
      "name,interval\n"
      "ok,1h\n"
      "two words,\n"
      "late,soon\n"
      "short\n"
      "open,\"never closed\n");
  REQUIRE(file);
  CHECK(file->devices.size() == 1);
  REQUIRE(file->errors.size() == 4);
  CHECK(file->errors[0].line == 3);
  CHECK(file->errors[0].error.message.find("two words") != std::string::npos);
  CHECK(file->errors[1].line == 4);
  CHECK(file->errors[2].line == 5);
  CHECK(file->errors[3].line == 6);
  CHECK(file->errors[3].error.code == ErrorCode::RecordMalformed);
}

TEST_CASE("a file without a header is refused as a whole") {
  CHECK(!read_device_csv(""));
  CHECK(!read_device_csv("m-1,flow meter\n"));
  CHECK(!read_device_csv("type,place\nx,y\n"));
  CHECK(!read_device_csv("name;type\nm;x\n"));
}

TEST_CASE("more mistakes than can be told are counted") {
  std::string text = "name\n";
  for (int i = 0; i < 300; ++i) text += "a b\n";
  const auto file = read_device_csv(text);
  REQUIRE(file);
  CHECK(file->errors.size() == kMaxToldErrors);
  CHECK(file->error_count == 300);
}

TEST_CASE("intervals") {
  CHECK(parse_interval("500ms").value() == 500'000);
  CHECK(parse_interval("15 m").value() == 900'000'000);
  CHECK(parse_interval("1d").value() == 86'400'000'000);
  for (const char* bad : {"", "s", "0s", "-1s", "1", "1.5s", "1w", "999999999d", "99999999999999999999s"}) {
    CHECK_MESSAGE(!parse_interval(bad), bad);
  }
}

}  // namespace tidegate::registry
