#include "registry/device_csv.h"

#include <fmt/format.h>

#include <charconv>
#include <unordered_map>

#include "codec/csv_reader.h"

namespace tidegate::registry {
namespace {

constexpr std::string_view kLabelColumn = "label.";

using Setter = Result<> (*)(Device& device, std::string_view value);

struct Column {
  std::string label;  // of a label's column
  Setter set = nullptr;
};

struct NamedSetter {
  std::string_view name;
  Setter set;
};

constexpr NamedSetter kSetters[] = {
    {"name",
     [](Device& device, std::string_view value) -> Result<> {
       device.name = value;
       return {};
     }},
    {"type",
     [](Device& device, std::string_view value) -> Result<> {
       device.type = value;
       return {};
     }},
    {"place",
     [](Device& device, std::string_view value) -> Result<> {
       device.place = value;
       return {};
     }},
    {"description",
     [](Device& device, std::string_view value) -> Result<> {
       device.description = value;
       return {};
     }},
    {"interval",
     [](Device& device, std::string_view value) -> Result<> {
       if (value.empty()) return {};
       TRY_ASSIGN(device.interval_us, parse_interval(value));
       return {};
     }},
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Result<Column> column_of(std::string_view name) {
  if (name.starts_with(kLabelColumn)) return Column{std::string(name.substr(kLabelColumn.size())), nullptr};
  for (const NamedSetter& known : kSetters) {
    if (known.name == name) return Column{{}, known.set};
  }
  return fail(ErrorCode::BadRequest, fmt::format("the column '{}' has no meaning in a list of devices", name),
              "use name, type, place, interval, description, label.NAME, separated by commas");
}

Result<std::vector<Column>> read_header(codec::CsvReader& reader) {
  TRY_ASSIGN(const auto fields, reader.next());
  std::vector<Column> columns;
  bool has_name = false;
  for (const std::string_view field : fields.value_or(std::vector<std::string_view>())) {
    has_name = has_name || trimmed(field) == "name";
    TRY_ASSIGN(Column column, column_of(trimmed(field)));
    columns.push_back(std::move(column));
  }
  if (has_name) return columns;
  return fail(ErrorCode::BadRequest, "the first line does not name the columns, or the column 'name' is missing",
              "begin with a line such as name,type,place,interval,label.vendor");
}

Result<Device> device_of(const std::vector<Column>& columns, const std::vector<std::string_view>& fields) {
  if (fields.size() != columns.size()) {
    return fail(ErrorCode::BadRequest,
                fmt::format("the line has {} fields, the header {}", fields.size(), columns.size()),
                "quote fields that contain commas");
  }
  Device device;
  for (size_t at = 0; at < fields.size(); ++at) {
    const std::string_view value = trimmed(fields[at]);
    if (columns[at].set != nullptr) {
      TRY(columns[at].set(device, value));
    } else if (!value.empty()) {
      device.labels[columns[at].label] = value;
    }
  }
  TRY(check_device(device));
  return device;
}

}  // namespace

Result<int64_t> parse_interval(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = trimmed(text.substr(static_cast<size_t>(end - text.data())));
  const int64_t factor_us = unit == "ms"  ? kMicrosPerMilli
                            : unit == "s" ? kMicrosPerSecond
                            : unit == "m" ? 60 * kMicrosPerSecond
                            : unit == "h" ? 3600 * kMicrosPerSecond
                            : unit == "d" ? 86'400 * kMicrosPerSecond
                                          : 0;
  if (error == std::errc() && factor_us > 0 && number > 0 && number <= kMaxIntervalUs / factor_us) {
    return number * factor_us;
  }
  return fail(ErrorCode::BadRequest, fmt::format("'{}' is no interval", text.substr(0, 40)),
              "write a whole number and a unit: 500ms, 30s, 15m, 1h, 1d");
}

void DeviceFile::add_error(size_t line, Error error) {
  if (error_count++ < kMaxToldErrors) errors.push_back({line, std::move(error)});
}

Result<DeviceFile> read_device_csv(std::string_view text) {
  codec::CsvReader reader;
  reader.feed(text, true);
  TRY_ASSIGN(const std::vector<Column> columns, read_header(reader));
  DeviceFile file;
  for (;;) {
    auto fields = reader.next();
    if (!fields) {
      file.add_error(reader.line(), std::move(fields.error()));
      continue;
    }
    if (!*fields) return file;
    if (file.devices.size() == kMaxImportedDevices) {
      return fail(ErrorCode::LimitReached, fmt::format("the file has more than {} devices", kMaxImportedDevices),
                  "split it into several");
    }
    auto device = device_of(columns, **fields);
    if (!device) {
      file.add_error(reader.line(), std::move(device.error()));
      continue;
    }
    file.devices.push_back(std::move(*device));
    file.lines.push_back(reader.line());
  }
}

void check_devices(DeviceFile& file, const Registry& registry, bool skip_existing) {
  std::unordered_map<std::string, size_t> first_line;
  std::vector<Device> kept;
  std::vector<size_t> lines;
  for (size_t at = 0; at < file.devices.size(); ++at) {
    Device& device = file.devices[at];
    const auto [seen, is_new] = first_line.emplace(device.name, file.lines[at]);
    const bool exists = registry.find_device(device.name) != nullptr;
    if (!is_new) {
      file.add_error(
          file.lines[at],
          {ErrorCode::AlreadyExists, fmt::format("'{}' stands in line {} already", device.name, seen->second), {}, {}});
    } else if (exists && !skip_existing) {
      file.add_error(file.lines[at], {ErrorCode::AlreadyExists,
                                      fmt::format("a device named '{}' exists already", device.name),
                                      "leave the line out, or skip those that exist",
                                      {}});
    } else if (!device.place.empty() && registry.find_place(device.place) == nullptr) {
      file.add_error(file.lines[at], {ErrorCode::NotFound,
                                      fmt::format("there is no place '{}'", device.place),
                                      fmt::format("make it first: tidegate site add {}", device.place),
                                      {}});
    } else if (!exists) {
      kept.push_back(std::move(device));
      lines.push_back(file.lines[at]);
    }
  }
  file.devices = std::move(kept);
  file.lines = std::move(lines);
}

}  // namespace tidegate::registry
