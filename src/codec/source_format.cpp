#include "codec/source_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "codec/internal/cbor_decoder.h"
#include "codec/internal/csv_decoder.h"
#include "codec/internal/influx_decoder.h"
#include "codec/internal/mapped_json_decoder.h"
#include "codec/internal/option_reader.h"
#include "codec/internal/senml_decoder.h"
#include "codec/internal/source_options.h"
#include "codec/internal/sparkplug_decoder.h"
#include "codec/json_decoder.h"

namespace tidegate::codec {

namespace {

constexpr std::array<std::string_view, 14> kOptionNames = {
    "format", "csv.columns",         "csv.delimiter",    "csv.header",     "csv.null",          "records", "metrics",
    "preset", "timestamp.precision", "timestamp.format", "timestamp.zone", "timestamp.default", "quality", "author"};
// Followed by the name of a column.
constexpr std::array<std::string_view, 6> kColumnOptions = {"field.", "timestamp.format.", "timestamp.zone.", "unit.",
                                                            "range.", "resolution."};

struct Named {
  std::string_view name;
  WireFormat wire;
};
// "ndjson" is JSON: one object a line is read by the same decoder.
constexpr std::array kFormats = {Named{"json", WireFormat::kJson},
                                 Named{"ndjson", WireFormat::kJson},
                                 Named{"csv", WireFormat::kCsv},
                                 Named{"cbor", WireFormat::kCbor},
                                 Named{"senml-json", WireFormat::kSenmlJson},
                                 Named{"senml-cbor", WireFormat::kSenmlCbor},
                                 Named{"influx", WireFormat::kInflux},
                                 Named{"sparkplug", WireFormat::kSparkplug}};

using Outcome = OptionOutcome;

Outcome set_wire(SourceFormat& format, const OptionReader& options) {
  const auto value = options.find("format");
  if (!value) return {};
  std::vector<std::string> names;
  for (const Named& known : kFormats) {
    if (known.name == *value) {
      format.wire = known.wire;
      if (known.wire == WireFormat::kSparkplug) format.sparkplug = std::make_shared<SparkplugNodes>();
      return {};
    }
    names.push_back(fmt::format("'{}'", known.name));
  }
  return options.refuse("format", fmt::format("one of {}", fmt::join(names, ", ")));
}

}  // namespace

bool is_source_option(std::string_view key) {
  const auto of_a_column = [&](std::string_view prefix) {
    return key.starts_with(prefix) && key.size() > prefix.size();
  };
  return std::ranges::find(kOptionNames, key) != kOptionNames.end() || std::ranges::any_of(kColumnOptions, of_a_column);
}

std::vector<std::string> source_option_names() {
  std::vector<std::string> names(kOptionNames.begin(), kOptionNames.end());
  for (const std::string_view prefix : kColumnOptions) names.push_back(fmt::format("{}<column>", prefix));
  return names;
}

std::expected<SourceFormat, BadOption> parse_source_format(const SourceOptions& options, const SourceColumns& columns) {
  SourceFormat format;
  const OptionReader reader(options, columns);
  for (const auto set : {set_wire, set_topic, set_times, set_paths, set_metrics, set_csv, set_values}) {
    if (auto done = set(format, reader); !done) return std::unexpected(std::move(done.error()));
  }
  return format;
}

std::unique_ptr<RecordDecoder> make_decoder(const SourceFormat& format, DecoderTarget target) {
  if (format.values && format.values->check_records()) target.values = format.values;
  switch (format.wire) {
    case WireFormat::kCsv: return std::make_unique<CsvDecoder>(format, std::move(target));
    case WireFormat::kCbor: return std::make_unique<CborDecoder>(format, std::move(target));
    case WireFormat::kSenmlJson:
    case WireFormat::kSenmlCbor: return std::make_unique<SenmlDecoder>(format, std::move(target));
    case WireFormat::kInflux: return std::make_unique<InfluxDecoder>(format, std::move(target));
    case WireFormat::kSparkplug: return std::make_unique<SparkplugDecoder>(format, std::move(target));
    case WireFormat::kJson: break;
  }
  const bool plain_times = std::ranges::all_of(format.times, [](const TimeFormat& time) { return time.is_default(); });
  if (plain_times && format.fields.empty() && !format.records) return std::make_unique<JsonDecoder>(std::move(target));
  return std::make_unique<MappedJsonDecoder>(format, std::move(target));
}

}  // namespace tidegate::codec
