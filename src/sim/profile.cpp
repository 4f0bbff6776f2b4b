#include "sim/profile.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <functional>
#include <map>

#include "codec/timestamp_text.h"
#include "sim/internal/json_text.h"

namespace tidegate::sim {
namespace {

std::unexpected<Error> bad(std::string_view field, std::string_view what) {
  return fail(ErrorCode::ConfigInvalid, fmt::format("'{}' of the profile {}", field, what));
}

std::string replace_all(std::string text, std::string_view what, std::string_view with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// One setter per field; the text of numbers and booleans is as JSON writes it.
using Setter = std::function<Result<>(Profile&, const JsonField&)>;

Setter text_field(std::string Profile::* member) {
  return [member](Profile& profile, const JsonField& field) -> Result<> {
    if (field.kind != JsonKind::kString) return bad(field.name, "must be a text");
    profile.*member = field.text;
    return {};
  };
}

Result<double> number(const JsonField& field, double least, double most) {
  double value = 0;
  const char* end = field.text.data() + field.text.size();
  const auto read = std::from_chars(field.text.data(), end, value);
  if (field.kind != JsonKind::kNumber || read.ptr != end || !(value >= least && value <= most)) {
    return bad(field.name, fmt::format("must be a number from {} to {}", least, most));
  }
  return value;
}

Setter flag(bool Profile::* member) {
  return [member](Profile& profile, const JsonField& field) -> Result<> {
    if (field.kind != JsonKind::kBoolean) return bad(field.name, "must be true or false");
    profile.*member = field.text == "true";
    return {};
  };
}

Setter share(double Faults::* member) {
  return [member](Profile& profile, const JsonField& field) -> Result<> {
    TRY_ASSIGN(profile.faults.*member, number(field, 0, 1));
    return {};
  };
}

Result<int64_t> duration(const JsonField& field) {
  if (field.kind != JsonKind::kString) return bad(field.name, "must be a duration such as \"5s\"");
  auto value = parse_duration(field.text);
  if (!value) return bad(field.name, fmt::format("must be a duration such as \"5s\"; found \"{}\"", field.text));
  return *value;
}

Setter fault_time(int64_t Faults::* member) {
  return [member](Profile& profile, const JsonField& field) -> Result<> {
    TRY_ASSIGN(profile.faults.*member, duration(field));
    return {};
  };
}

Result<> set_columns(Profile& profile, const JsonField& field) {
  if (field.kind != JsonKind::kObject) return bad(field.name, "must be an object of texts");
  TRY_ASSIGN(const auto members, read_object(field.text));
  for (const JsonField& member : members) {
    if (member.kind != JsonKind::kString) return bad(field.name, "must be an object of texts");
    profile.columns.emplace_back(member.name, member.text);
  }
  return {};
}

Result<> set_time_output(Profile& profile, const JsonField& field) {
  if (field.text != "iso" && field.text != "epoch_ms") return bad(field.name, "must be \"iso\" or \"epoch_ms\"");
  profile.time_output = field.text == "iso" ? TimeOutput::kIso : TimeOutput::kEpochMs;
  return {};
}

const std::map<std::string, Setter, std::less<>>& setters() {
  static const std::map<std::string, Setter, std::less<>> kSetters = {
      {"time_column", text_field(&Profile::time_column)},
      {"time_format", text_field(&Profile::time_format)},
      {"time_field", text_field(&Profile::time_field)},
      {"device_field", text_field(&Profile::device_field)},
      {"sequence_field", text_field(&Profile::sequence_field)},
      {"device_name", text_field(&Profile::device_name)},
      {"topic", text_field(&Profile::topic)},
      {"time_output", set_time_output},
      {"columns", set_columns},
      {"late", share(&Faults::late)},
      {"duplicate", share(&Faults::duplicate)},
      {"gap", share(&Faults::gap)},
      {"drop_out", share(&Faults::drop_out)},
      {"max_delay", fault_time(&Faults::max_delay_us)},
      {"drop_out_time", fault_time(&Faults::drop_out_us)},
      {"clock_skew", fault_time(&Faults::clock_skew_us)},
      {"devices",
       [](Profile& profile, const JsonField& field) -> Result<> {
         TRY_ASSIGN(const double value, number(field, 1, Profile::kMaxDevices));
         profile.devices = static_cast<uint32_t>(value);
         return {};
       }},
      {"seed",
       [](Profile& profile, const JsonField& field) -> Result<> {
         TRY_ASSIGN(const double value, number(field, 0, 1e15));
         profile.seed = static_cast<uint64_t>(value);
         return {};
       }},
      {"speed",
       [](Profile& profile, const JsonField& field) -> Result<> {
         TRY_ASSIGN(profile.speed, number(field, 0, 1e9));
         return {};
       }},
      {"shift",
       [](Profile& profile, const JsonField& field) -> Result<> {
         TRY_ASSIGN(profile.shift_us, duration(field));
         return {};
       }},
      {"loop", flag(&Profile::loop)},
      {"resume", flag(&Profile::resume)},
  };
  return kSetters;
}

}  // namespace

Result<int64_t> parse_duration(std::string_view text) {
  int64_t count = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(read.ptr, static_cast<size_t>(text.data() + text.size() - read.ptr));
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"ms", 1000}, {"s", 1'000'000}, {"m", 60'000'000}, {"h", 3'600'000'000}, {"d", 86'400'000'000}};
  for (const auto& [name, micros] : kUnits) {
    if (read.ec == std::errc() && unit == name && count >= 0 && count <= 1'000'000'000) {
      int64_t product = 0;
      if (!__builtin_mul_overflow(count, micros, &product)) return product;
    }
  }
  return fail(ErrorCode::ConfigInvalid, fmt::format("'{}' is not a duration", text),
              "write a whole number and ms, s, m, h or d: 250ms, 5s, 10m, 24h, 7d");
}

Result<int64_t> parse_start(std::string_view text, int64_t now_us) {
  if (text.starts_with('-')) {
    TRY_ASSIGN(const int64_t before, parse_duration(text.substr(1)));
    return now_us - before;
  }
  const auto time = codec::parse_timestamp(text, columnar::TypeKind::kTimestampLtz);
  if (time) return *time;
  return fail(ErrorCode::ConfigInvalid, fmt::format("'{}' is not a start time", text),
              "write 2026-01-31T12:00:00Z, or -30d for thirty days ago");
}

Result<Profile> parse_profile(std::string_view json, const std::filesystem::path& folder, int64_t now_us) {
  Profile profile;
  const auto fields = read_object(json);
  if (!fields) return fail(ErrorCode::ConfigInvalid, "the profile cannot be read: " + fields.error().message);
  for (const JsonField& field : *fields) {
    if (field.name == "comment") continue;
    if (field.name == "file") {
      if (field.kind != JsonKind::kString) return bad(field.name, "must be a text");
      profile.file = folder / field.text;
    } else if (field.name == "start") {
      if (field.kind != JsonKind::kString) return bad(field.name, "must be a text");
      TRY_ASSIGN(profile.start_us, parse_start(field.text, now_us));
    } else if (const auto setter = setters().find(field.name); setter != setters().end()) {
      TRY(setter->second(profile, field));
    } else {
      return bad(field.name, "is not a setting of the simulator");
    }
  }
  return profile;
}

Result<> check_profile(const Profile& profile) {
  if (profile.file.empty()) return bad("file", "is missing");
  if (profile.time_column.empty()) return bad("time_column", "is missing: which column holds the time?");
  if (profile.devices == 0 || profile.devices > Profile::kMaxDevices) return bad("devices", "must be 1 to 100000");
  if (profile.devices > 1 && profile.device_name.find("{n}") == std::string::npos) {
    return bad("device_name", "must contain {n}, or all devices have one name");
  }
  if (!std::isfinite(profile.speed) || profile.speed < 0) return bad("speed", "must be 0 or more");
  if (profile.shift_us < 0) return bad("shift", "must be 0 or more");
  const Faults& faults = profile.faults;
  if ((faults.late > 0 || faults.duplicate > 0) && faults.max_delay_us <= 0) {
    return bad("max_delay", "must be given with 'late' or 'duplicate'");
  }
  if (faults.drop_out > 0 && faults.drop_out_us <= 0) return bad("drop_out_time", "must be given with 'drop_out'");
  return {};
}

std::string device_name(const Profile& profile, uint32_t device) {
  const size_t width = std::to_string(profile.devices).size();
  return replace_all(profile.device_name, "{n}", fmt::format("{:0{}}", device + 1, width));
}

std::string topic_of(const Profile& profile, std::string_view device) {
  return replace_all(profile.topic, "{device}", device);
}

}  // namespace tidegate::sim
