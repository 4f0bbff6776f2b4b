// Samples of formats whose messages are measurements by name: SenML, line protocol, Sparkplug B.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "codec/internal/sample_reader.h"
#include "columnar/string_pool.h"

namespace tidegate::codec {

namespace {

struct IgnoreMisfits final : MisfitHandler {
  void on_misfit(Misfit) override {}
};

// The columns of a measurement as a row; docs/formats/payloads.md, "Where a value comes from".
enum Probe : size_t { kDevice, kTime, kMetric, kNumber, kText, kFlag };

columnar::SchemaPtr probe_schema() {
  using columnar::TypeKind;
  return std::make_shared<const columnar::Schema>(columnar::Schema{{{"device", TypeKind::kString, true},
                                                                    {"time", TypeKind::kTimestampLtz, true},
                                                                    {"metric", TypeKind::kString, true},
                                                                    {"value", TypeKind::kDouble, true},
                                                                    {"text", TypeKind::kString, true},
                                                                    {"flag", TypeKind::kBoolean, true}}});
}

Scalar value_of(const columnar::Batch& batch, size_t row) {
  if (batch.columns[kText]->valid(row)) return Scalar::of(batch.columns[kText]->string_at(row));
  if (batch.columns[kFlag]->valid(row)) return Scalar::boolean(batch.columns[kFlag]->integer_at(row) != 0);
  if (!batch.columns[kNumber]->valid(row)) return {};
  const double number = batch.columns[kNumber]->values<double>()[row];
  constexpr double kExact = 9e15;  // whole numbers that a double holds
  if (number == std::floor(number) && std::abs(number) < kExact) return Scalar::of(static_cast<int64_t>(number));
  return Scalar::of(number);
}

// Measurements of one device and time are one record, until the first one's name comes again.
void add_rows(const columnar::Batch& batch, size_t sample, SampleFields& fields) {
  std::set<std::string, std::less<>> names;
  std::pair<std::string, int64_t> last;
  for (size_t row = 0; row < batch.rows && fields.records() < kMaxSampleRecords; ++row) {
    const auto text = [&](Probe column) {
      return batch.columns[column]->valid(row) ? std::string(batch.columns[column]->string_at(row)) : std::string();
    };
    const int64_t time = batch.columns[kTime]->valid(row) ? batch.columns[kTime]->integer_at(row) : 0;
    std::pair<std::string, int64_t> now{text(kDevice), time};
    std::string name = text(kMetric);
    if (name.empty()) name = "value";
    if (names.empty() || now != last || names.contains(name)) {
      names.clear();
      fields.begin_record(sample);
      if (!now.first.empty()) fields.add("", "device", Scalar::of(std::string_view(now.first)));
      fields.add("", "time", Scalar::instant(time));
    }
    fields.add("", name, value_of(batch, row));
    names.insert(name);
    last = std::move(now);
  }
}

// Tags of line protocol stand before the first space that no backslash protects.
void add_tags(const Sample& sample, size_t sample_index, SampleFields& tags) {
  std::string_view rest = sample.payload;
  while (!rest.empty() && tags.records() < kMaxSampleRecords) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line.front() == '#') continue;
    std::vector<std::string> parts(1);
    for (size_t at = 0; at < line.size() && line[at] != ' '; ++at) {
      if (line[at] == ',')
        parts.emplace_back();
      else if (line[at] == '\\' && at + 1 < line.size())
        parts.back() += line[++at];
      else
        parts.back() += line[at];
    }
    tags.begin_record(sample_index);
    for (const std::string& part : std::span(parts).subspan(1)) {
      const size_t equals = part.find('=');
      if (equals == std::string::npos || equals == 0) continue;
      tags.add("", part.substr(0, equals), Scalar::of(std::string_view(part).substr(equals + 1)));
    }
  }
}

// Timestamps of line protocol say by their size what they count.
std::string precision_of(std::span<const Sample> samples) {
  const std::string& text = samples.front().payload;
  const size_t end = std::min(text.find_first_of("\r\n"), text.size());
  const size_t space = text.rfind(' ', end);
  if (space == std::string::npos) return {};
  const Scalar stamp = typed_word(std::string_view(text).substr(space + 1, end - space - 1));
  if (stamp.kind != Scalar::Kind::kInteger || stamp.integer < 100'000'000) return {};
  return stamp.integer < 100'000'000'000           ? "s"
         : stamp.integer < 100'000'000'000'000     ? "ms"
         : stamp.integer < 100'000'000'000'000'000 ? "us"
                                                   : "";
}

}  // namespace

std::optional<ReadSamples> read_metric_samples(std::span<const Sample> samples, std::string_view format) {
  ReadSamples out;
  out.format = format;
  SourceOptions options{{"format", std::string(format)}, {"metrics", "rows"}};
  if (format == "influx") {
    if (const std::string precision = precision_of(samples); !precision.empty()) {
      out.options["timestamp.precision"] = precision;
      options["timestamp.precision"] = precision;
    }
  }
  const auto schema = probe_schema();
  columnar::StringPool devices(100'000);  // of one proposal
  const auto parsed = parse_source_format(options, {*schema, kDevice, kTime});
  if (!parsed) return std::nullopt;
  const auto decoder = make_decoder(*parsed, {schema, kDevice, &devices, kTime, kMaxRecordBytes});
  columnar::BatchBuilder rows(schema, kDevice, &devices);
  IgnoreMisfits ignored;
  constexpr int64_t kSomeTimeUs = 1'700'000'000'000'000;  // when messages without a time came
  SampleFields tags;
  for (size_t at = 0; at < samples.size(); ++at) {
    RowRules rules;
    rules.arrival_us = kSomeTimeUs;
    rules.default_time_us = kSomeTimeUs;
    rules.default_device = devices.intern("");
    const Decoded decoded = decoder->decode({samples[at].payload, false, samples[at].topic}, rules, rows, ignored);
    const columnar::Batch batch = rows.finish();
    add_rows(batch, at, out.fields);
    // Any text has a line or two that could be line protocol.
    if (decoded.good <= decoded.misfits) ++out.unread;
    if (format == "influx" && decoded.good > 0) add_tags(samples[at], at, tags);
  }
  if (out.unread == samples.size() || out.fields.records() == 0) return std::nullopt;
  for (const SeenField& tag : tags.fields()) out.fields.adopt(tag, tag.present == tags.records());
  return out;
}

}  // namespace tidegate::codec
