#include "codec/internal/source_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tidegate::codec {

namespace {

OptionOutcome set_csv_columns(CsvFormat& csv, const OptionReader& options) {
  const auto list = options.find("csv.columns");
  if (!list) {
    for (size_t at = 0; at < options.columns().schema.fields.size(); ++at) {
      if (at != options.columns().unnamed()) csv.columns.emplace_back(at);
    }
    return {};
  }
  for (const std::string_view name : split_list(*list)) {
    if (name == "-") {
      csv.columns.emplace_back();
      continue;
    }
    const auto column = options.column(name);
    if (!column) return options.unknown_column("csv.columns", name);
    for (const auto& before : csv.columns) {
      if (before == column) return options.refuse("csv.columns", fmt::format("each column once; '{}' is twice", name));
    }
    csv.columns.push_back(column);
  }
  return {};
}

}  // namespace

OptionOutcome set_csv(SourceFormat& format, const OptionReader& options) {
  if (format.wire != WireFormat::kCsv) {
    const auto key = options.first_of("csv.");
    return key ? options.refuse_key(*key, "only with 'format' = 'csv'") : OptionOutcome();
  }
  CsvFormat& csv = format.csv;
  if (const auto value = options.find("csv.header")) {
    if (*value != "true" && *value != "false") return options.refuse("csv.header", "'true' or 'false'");
    csv.header = *value == "true";
  }
  if (!csv.header && options.first_of("field.")) {
    return options.refuse_key(*options.first_of("field."), "of CSV only with 'csv.header' = 'true'; use 'csv.columns'");
  }
  if (csv.header && options.find("csv.columns")) {
    return options.refuse("csv.columns", "the names of the fields only when 'csv.header' is not 'true'");
  }
  if (const auto value = options.find("csv.delimiter")) {
    const bool tab = *value == "tab" || *value == "\\t";
    if (!tab && (value->size() != 1 || value->find_first_of("\"\r\n") != std::string::npos)) {
      return options.refuse("csv.delimiter", "one character, or 'tab'");
    }
    csv.delimiter = tab ? '\t' : value->front();
  }
  if (const auto value = options.find("csv.null")) csv.null_text = *value;
  return set_csv_columns(csv, options);
}

OptionOutcome set_topic(SourceFormat& format, const OptionReader& options) {
  // Of a sink it is where to publish.
  if (options.find("connector").value_or("stream") != "stream") return {};
  for (const std::string_view key : {"topic", "mqtt.topic"}) {
    const auto text = options.find(key);
    if (!text) continue;
    const auto pattern = TopicPattern::parse(*text);
    if (!pattern) return options.refuse(key, pattern.error());
    for (const TopicPattern::Capture& capture : pattern->captures()) {
      const bool device = capture.name == "device" && options.columns().device;
      const auto column = device ? options.columns().device : options.column(capture.name);
      if (!column) return options.unknown_column(key, capture.name);
      const columnar::Field& field = options.columns().schema.fields[*column];
      if (field.type != columnar::TypeKind::kString) {
        return options.refuse(
            key, fmt::format("captures of STRING columns; '{}' is {}", field.name, columnar::type_name(field.type)));
      }
      for (const TopicColumn& before : format.topic_columns) {
        if (before.column == *column) return options.refuse(key, fmt::format("{{{}}} once", capture.name));
      }
      format.topic_columns.push_back({capture.level, *column});
    }
  }
  return {};
}

namespace {

// 'option' for all columns, 'option.column' for one.
std::optional<std::string> key_for(const OptionReader& options, std::string_view option, std::string_view column) {
  for (const auto& [key, value] : options.all()) {
    if (key.size() != option.size() + 1 + column.size() || !key.starts_with(option)) continue;
    if (options.column(key.substr(option.size() + 1)) == options.column(column)) return key;
  }
  if (options.find(option)) return std::string(option);
  return std::nullopt;
}

// The column that an option such as 'field.temp' is for.
std::expected<size_t, BadOption> column_of(const OptionReader& options, const std::string& key, size_t prefix) {
  const auto column = options.column(std::string_view(key).substr(prefix));
  if (!column) return options.unknown_column(key, std::string_view(key).substr(prefix));
  return *column;
}

OptionOutcome check_time_columns(const OptionReader& options) {
  for (const std::string_view prefix : {"timestamp.format.", "timestamp.zone."}) {
    for (const auto& [key, value] : options.all()) {
      if (!key.starts_with(prefix)) continue;
      const auto column = column_of(options, key, prefix.size());
      if (!column) return std::unexpected(column.error());
      if (!columnar::is_timestamp(options.columns().schema.fields[*column].type)) {
        return options.refuse_key(key, "the column is no timestamp");
      }
    }
  }
  return {};
}

}  // namespace

OptionOutcome set_times(SourceFormat& format, const OptionReader& options) {
  if (auto done = check_time_columns(options); !done) return done;
  for (const columnar::Field& field : options.columns().schema.fields) {
    TimeFormat& time = format.times.emplace_back();
    if (!columnar::is_timestamp(field.type)) continue;
    if (const auto key = key_for(options, "timestamp.format", field.name)) {
      auto parsed = TimeFormat::parse(*options.find(*key));
      if (!parsed) return options.refuse(*key, parsed.error());
      time = std::move(*parsed);
    }
    if (const auto key = key_for(options, "timestamp.zone", field.name)) {
      const io::TimeZone* zone = io::find_time_zone(*options.find(*key));
      if (zone == nullptr) return options.refuse(*key, "an IANA time zone such as 'Europe/Berlin', or '+01:00'");
      time.set_zone(zone);
    }
  }
  const auto otherwise = options.find("timestamp.default");
  if (!otherwise) return {};
  if (*otherwise != "arrival" && *otherwise != "none")
    return options.refuse("timestamp.default", "'arrival' or 'none'");
  format.arrival_is_time = *otherwise == "arrival";
  if (format.arrival_is_time && !options.columns().time) {
    return options.refuse_key("timestamp.default", "only with an event time, that is with WATERMARK FOR");
  }
  return {};
}

namespace {

bool has_paths(WireFormat wire) { return wire == WireFormat::kJson || wire == WireFormat::kCbor; }

bool has_metrics(WireFormat wire) {
  return wire == WireFormat::kInflux || wire == WireFormat::kSenmlJson || wire == WireFormat::kSenmlCbor ||
         wire == WireFormat::kSparkplug;
}

OptionOutcome add_path(SourceFormat& format, const OptionReader& options, const std::string& key, size_t column) {
  auto path = RecordPath::parse(*options.find(key));
  if (!path) return options.refuse(key, path.error());
  if (path->several()) return options.refuse(key, "a path to one value; [*] and ['a','b'] belong into 'records'");
  for (const FieldPath& before : format.fields) {
    if (before.column == column) return options.refuse_key(key, "the column has a path already");
  }
  format.fields.push_back({column, std::move(*path)});
  return {};
}

OptionOutcome add_name(SourceFormat& format, const OptionReader& options, const std::string& key, size_t column) {
  const std::string name = *options.find(key);
  if (name.empty()) return options.refuse(key, "the name of a field");
  for (const FieldName& before : format.names) {
    if (before.column == column) return options.refuse_key(key, "the column has a field already");
    if (before.name == name) return options.refuse(key, "a field that fills no other column");
  }
  format.names.push_back({name, column});
  return {};
}

}  // namespace

OptionOutcome set_paths(SourceFormat& format, const OptionReader& options) {
  constexpr std::string_view kField = "field.";
  if (const auto text = options.find("records")) {
    if (!has_paths(format.wire)) return options.refuse_key("records", "only with 'format' = 'json' or 'cbor'");
    auto path = RecordPath::parse(*text);
    if (!path) return options.refuse("records", path.error());
    if (path->from_record()) return options.refuse("records", "a path from the message, such as $.readings[*]");
    format.records = std::move(*path);
  }
  for (const auto& [key, text] : options.all()) {
    if (!key.starts_with(kField)) continue;
    const auto column = column_of(options, key, kField.size());
    if (!column) return std::unexpected(column.error());
    auto done =
        has_paths(format.wire) ? add_path(format, options, key, *column) : add_name(format, options, key, *column);
    if (!done) return done;
  }
  return {};
}

OptionOutcome set_metrics(SourceFormat& format, const OptionReader& options) {
  if (const auto layout = options.find("metrics")) {
    if (!has_metrics(format.wire)) {
      return options.refuse_key("metrics", "only with 'format' = 'influx', 'senml-json', 'senml-cbor' or 'sparkplug'");
    }
    if (*layout != "rows" && *layout != "columns") return options.refuse("metrics", "'rows' or 'columns'");
    format.metrics_as_rows = *layout == "rows";
  }
  if (const auto precision = options.find("timestamp.precision")) {
    if (!has_metrics(format.wire) || format.wire == WireFormat::kSparkplug) {
      return options.refuse_key("timestamp.precision", "only with 'format' = 'influx', 'senml-json' or 'senml-cbor'");
    }
    constexpr std::array kNames = {std::pair{"s", TimePrecision::kSeconds}, std::pair{"ms", TimePrecision::kMillis},
                                   std::pair{"us", TimePrecision::kMicros}, std::pair{"ns", TimePrecision::kNanos}};
    const auto found =
        std::ranges::find(kNames, *precision, [](const auto& known) { return std::string_view(known.first); });
    if (found == kNames.end()) return options.refuse("timestamp.precision", "'s', 'ms', 'us' or 'ns'");
    format.precision = found->second;
  }
  return {};
}

}  // namespace tidegate::codec
