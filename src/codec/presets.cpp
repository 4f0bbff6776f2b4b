#include "codec/presets.h"

#include <fmt/format.h>

#include <array>

#include "codec/internal/option_reader.h"

namespace tidegate::codec {

namespace {

struct NamedPath {
  std::string_view column;
  std::string_view path;
};
// Members of an uplink event (ChirpStack 4, integration events) that are not what the device measured. The first
// receiving gateway is the one that counts.
constexpr std::array kChirpstackColumns = {NamedPath{"device_name", "$.deviceInfo.deviceName"},
                                           NamedPath{"device_profile", "$.deviceInfo.deviceProfileName"},
                                           NamedPath{"application", "$.deviceInfo.applicationName"},
                                           NamedPath{"tenant", "$.deviceInfo.tenantName"},
                                           NamedPath{"dev_addr", "$.devAddr"},
                                           NamedPath{"f_cnt", "$.fCnt"},
                                           NamedPath{"f_port", "$.fPort"},
                                           NamedPath{"dr", "$.dr"},
                                           NamedPath{"confirmed", "$.confirmed"},
                                           NamedPath{"data", "$.data"},
                                           NamedPath{"rssi", "$.rxInfo[0].rssi"},
                                           NamedPath{"snr", "$.rxInfo[0].snr"},
                                           NamedPath{"gateway", "$.rxInfo[0].gatewayId"},
                                           NamedPath{"frequency", "$.txInfo.frequency"}};

std::string field_key(const columnar::Field& field) { return fmt::format("field.{}", field.name); }

std::string chirpstack_path(const columnar::Field& field) {
  for (const NamedPath& known : kChirpstackColumns) {
    if (known.column == field.name) return std::string(known.path);
  }
  std::string quoted;
  for (const char c : field.name) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return fmt::format("$.object['{}']", quoted);
}

SourceOptions chirpstack(const SourceColumns& columns) {
  SourceOptions out;
  out["mqtt.topic"] = fmt::format("application/+/device/{}/event/up", columns.device ? "{device}" : "+");
  for (size_t at = 0; at < columns.schema.fields.size(); ++at) {
    const columnar::Field& field = columns.schema.fields[at];
    if (at == columns.unnamed()) continue;
    const bool device = columns.device == at;
    out[field_key(field)] = device ? "$.deviceInfo.devEui" : columns.time == at ? "$.time" : chirpstack_path(field);
  }
  return out;
}

// Flat objects on a topic for each device; the time only when the bridge is told to send it.
SourceOptions zigbee2mqtt(const SourceColumns& columns) {
  SourceOptions out;
  out["mqtt.topic"] = columns.device ? "zigbee2mqtt/{device}" : "zigbee2mqtt/+";
  if (columns.time && !columns.time_is_computed) out[field_key(columns.schema.fields[*columns.time])] = "$.last_seen";
  return out;
}

// Whether the option is there, or another that sets the same thing.
bool is_set(const OptionReader& options, const std::string& key) {
  if (key == "mqtt.topic" && options.find("topic")) return true;
  if (!key.starts_with("field.")) return options.find(key).has_value();
  const auto column = options.column(std::string_view(key).substr(6));
  for (const auto& [other, value] : options.all()) {
    if (other.starts_with("field.") && options.column(std::string_view(other).substr(6)) == column) return true;
  }
  return false;
}

}  // namespace

std::expected<SourceOptions, BadOption> expand_preset(const SourceOptions& options, const SourceColumns& columns) {
  const OptionReader reader(options, columns);
  const auto name = reader.find("preset");
  if (!name) return SourceOptions();
  if (*name != "chirpstack" && *name != "zigbee2mqtt") return reader.refuse("preset", "'chirpstack' or 'zigbee2mqtt'");
  if (reader.find("format").value_or("json") != "json") return reader.refuse("format", "'json' with this preset");
  SourceOptions all = *name == "chirpstack" ? chirpstack(columns) : zigbee2mqtt(columns);
  all["format"] = "json";
  if (columns.time) all["timestamp.default"] = "arrival";
  SourceOptions missing;
  for (auto& [key, value] : all) {
    if (!is_set(reader, key)) missing.emplace(key, std::move(value));
  }
  return missing;
}

}  // namespace tidegate::codec
