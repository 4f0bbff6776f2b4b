#include "codec/source_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "codec/internal/csv_decoder.h"
#include "codec/internal/option_reader.h"
#include "codec/json_decoder.h"

namespace tidegate::codec {

namespace {

constexpr std::array<std::string_view, 5> kOptionNames = {"format", "csv.columns", "csv.delimiter", "csv.header",
                                                          "csv.null"};

struct Named {
  std::string_view name;
  WireFormat wire;
};
// "ndjson" is JSON: one object a line is read by the same decoder.
constexpr std::array kFormats = {Named{"json", WireFormat::kJson}, Named{"ndjson", WireFormat::kJson},
                                 Named{"csv", WireFormat::kCsv}};

using Outcome = std::expected<void, BadOption>;

Outcome set_wire(SourceFormat& format, const OptionReader& options) {
  const auto value = options.find("format");
  if (!value) return {};
  std::vector<std::string> names;
  for (const Named& known : kFormats) {
    if (known.name == *value) {
      format.wire = known.wire;
      return {};
    }
    names.push_back(fmt::format("'{}'", known.name));
  }
  return options.refuse("format", fmt::format("one of {}", fmt::join(names, ", ")));
}

Outcome set_csv_columns(CsvFormat& csv, const OptionReader& options) {
  const auto list = options.find("csv.columns");
  if (!list) {
    for (size_t at = 0; at < options.columns().schema.fields.size(); ++at) csv.columns.emplace_back(at);
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

Outcome set_csv(SourceFormat& format, const OptionReader& options) {
  CsvFormat& csv = format.csv;
  if (const auto value = options.find("csv.header")) {
    if (*value != "true" && *value != "false") return options.refuse("csv.header", "'true' or 'false'");
    csv.header = *value == "true";
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

Outcome set_topic(SourceFormat& format, const OptionReader& options) {
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

}  // namespace

bool is_source_option(std::string_view key) {
  return std::find(kOptionNames.begin(), kOptionNames.end(), key) != kOptionNames.end();
}

std::vector<std::string> source_option_names() { return {kOptionNames.begin(), kOptionNames.end()}; }

std::expected<SourceFormat, BadOption> parse_source_format(const SourceOptions& options, const SourceColumns& columns) {
  SourceFormat format;
  const OptionReader reader(options, columns);
  if (auto done = set_wire(format, reader); !done) return std::unexpected(std::move(done.error()));
  if (auto done = set_topic(format, reader); !done) return std::unexpected(std::move(done.error()));
  if (format.wire != WireFormat::kCsv) {
    if (const auto key = reader.first_of("csv.")) return reader.refuse_key(*key, "only with 'format' = 'csv'");
    return format;
  }
  if (auto done = set_csv(format, reader); !done) return std::unexpected(std::move(done.error()));
  return format;
}

std::unique_ptr<RecordDecoder> make_decoder(const SourceFormat& format, DecoderTarget target) {
  switch (format.wire) {
    case WireFormat::kCsv: return std::make_unique<CsvDecoder>(format, std::move(target));
    case WireFormat::kJson: break;
  }
  return std::make_unique<JsonDecoder>(std::move(target));
}

}  // namespace tidegate::codec
