#include "codec/presets.h"

#include <doctest/doctest.h>

namespace tidegate::codec {
namespace {

using columnar::TypeKind;

const columnar::Schema kSchema{{{"unit", TypeKind::kString, true},
                                {"at", TypeKind::kTimestampLtz, true},
                                {"Temp", TypeKind::kDouble, true},
                                {"rssi", TypeKind::kInt, true},
                                {"it's", TypeKind::kInt, true}}};
const SourceColumns kColumns{kSchema, 0, 1};

TEST_CASE("a preset is the options that it stands for") {
  const auto options = expand_preset({{"preset", "chirpstack"}, {"field.TEMP", "$.object.t"}}, kColumns);
  REQUIRE(options.has_value());
  CHECK(*options == SourceOptions{{"format", "json"},
                                  {"mqtt.topic", "application/+/device/{device}/event/up"},
                                  {"field.unit", "$.deviceInfo.devEui"},
                                  {"field.at", "$.time"},
                                  {"field.rssi", "$.rxInfo[0].rssi"},
                                  {"field.it's", "$.object['it\\'s']"},
                                  {"timestamp.default", "arrival"}});
  SourceOptions all = *options;
  all.emplace("field.TEMP", "$.object.t");
  CHECK(parse_source_format(all, kColumns).has_value());
}

TEST_CASE("what is set stays, and columns that are not there are not needed") {
  const auto set =
      expand_preset({{"preset", "zigbee2mqtt"}, {"topic", "z/{device}"}, {"timestamp.default", "none"}}, kColumns);
  REQUIRE(set.has_value());
  CHECK(*set == SourceOptions{{"format", "json"}, {"field.at", "$.last_seen"}});
  const auto plain = expand_preset({{"preset", "zigbee2mqtt"}}, {kSchema, std::nullopt, std::nullopt});
  CHECK(*plain == SourceOptions{{"format", "json"}, {"mqtt.topic", "zigbee2mqtt/+"}});
  CHECK(expand_preset({}, kColumns)->empty());
}

TEST_CASE("presets that are not known, or go with another format, are refused") {
  CHECK(expand_preset({{"preset", "ttn"}}, kColumns).error().key == "preset");
  CHECK(expand_preset({{"preset", "chirpstack"}, {"format", "csv"}}, kColumns).error().key == "format");
}

}  // namespace
}  // namespace tidegate::codec
