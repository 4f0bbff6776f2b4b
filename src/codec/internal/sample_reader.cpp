#include "codec/internal/sample_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "codec/csv_reader.h"
#include "codec/internal/cbor_reader.h"
#include "codec/internal/sparkplug_payload.h"
#include "codec/timestamp_text.h"
#include "codec/utf8.h"

namespace tidegate::codec {

namespace {

struct CsvTable {
  std::vector<std::vector<std::string>> records;
  size_t broken = 0;
};

constexpr size_t kMaxCsvLooked = 2000;  // records of one sample

CsvTable read_csv(std::string_view text, char delimiter) {
  CsvTable out;
  CsvReader reader(delimiter);
  reader.feed(text, true);
  while (out.records.size() < kMaxCsvLooked) {
    const auto next = reader.next();
    if (!next) {
      if (++out.broken > out.records.size() + 10) break;
      continue;
    }
    if (!*next) break;
    out.records.emplace_back((*next)->begin(), (*next)->end());
  }
  return out;
}

bool is_text(std::string_view text) {
  std::string plain(text);
  std::erase_if(plain, [](char c) { return c == '\n' || c == '\r' || c == '\t'; });
  return can_be_written(plain);
}

// How many fields nearly all records of all samples have with this delimiter; 0 when they do not agree.
size_t agreed_fields(const std::vector<CsvTable>& tables) {
  std::map<size_t, size_t> counts;
  size_t all = 0;
  for (const CsvTable& table : tables) {
    all += table.records.size() + table.broken;
    for (const auto& record : table.records) ++counts[record.size()];
  }
  size_t best = 0;
  for (const auto& [fields, count] : counts) {
    if (fields > 1 && count * 10 >= all * 9) best = fields;
  }
  return best;
}

bool is_name(const std::string& field) {
  const Scalar value = typed_word(field);
  if (value.kind != Scalar::Kind::kWord || value.text.size() > 60) return false;
  const bool letter = std::ranges::any_of(value.text, [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; });
  return letter && !parse_written_time(value.text);
}

// A first line of different names over lines of which some field is a number.
bool has_header(const CsvTable& table, size_t fields) {
  if (table.records.size() < 2 || table.records.front().size() != fields) return false;
  const auto& first = table.records.front();
  if (!std::ranges::all_of(first, is_name)) return false;
  if (std::set<std::string>(first.begin(), first.end()).size() != first.size()) return false;
  return std::ranges::any_of(table.records[1], [](const std::string& field) { return !is_name(field); });
}

// The word that devices write for a missing number.
bool means_nothing(std::string_view word) {
  static constexpr std::array kWords = {"NA", "N/A", "NaN", "nan", "null", "NULL"};
  return std::ranges::find(kWords, word) != kWords.end();
}

void add_csv_records(const CsvTable& table, size_t sample, size_t fields, ReadSamples& out) {
  const bool header = out.options.contains("csv.header");
  for (size_t at = header ? 1 : 0; at < table.records.size(); ++at) {
    const auto& record = table.records[at];
    if (record.size() != fields || out.fields.records() >= kMaxSampleRecords) continue;
    out.fields.begin_record(sample);
    for (size_t field = 0; field < fields; ++field) {
      const std::string name = header ? table.records.front()[field] : fmt::format("c{}", field + 1);
      Scalar value = typed_word(record[field]);
      const bool nothing = value.kind == Scalar::Kind::kWord && means_nothing(value.text);
      if (nothing && out.options.emplace("csv.null", std::string(value.text)).first->second == value.text) value = {};
      out.fields.add("", name, value);
    }
  }
}

}  // namespace

std::optional<ReadSamples> read_csv_samples(std::span<const Sample> samples) {
  for (const char delimiter : {',', ';', '\t', '|'}) {
    std::vector<CsvTable> tables;
    for (const Sample& sample : samples) {
      if (!is_text(sample.payload)) return std::nullopt;
      tables.push_back(read_csv(sample.payload, delimiter));
    }
    const size_t fields = agreed_fields(tables);
    if (fields == 0) continue;
    ReadSamples out;
    out.format = "csv";
    if (delimiter != ',') out.options["csv.delimiter"] = delimiter == '\t' ? "tab" : std::string(1, delimiter);
    if (std::ranges::all_of(tables, [&](const CsvTable& table) { return has_header(table, fields); })) {
      out.options["csv.header"] = "true";
      out.notes.emplace_back("The first line of every message names the fields.");
    } else {
      out.positional = true;
      out.notes.emplace_back("No line names the fields: give the columns names that say what they are.");
    }
    for (size_t at = 0; at < tables.size(); ++at) add_csv_records(tables[at], at, fields, out);
    // Text of one kind is no table.
    const bool numbers = std::ranges::any_of(
        out.fields.fields(), [](const SeenField& field) { return field.integers + field.reals + field.booleans > 0; });
    if (numbers) return out;
  }
  return std::nullopt;
}

namespace {

// JSON or CBOR that is a SenML pack: records with a name and one of the values.
bool looks_like_senml(const ReadSamples& read, bool cbor) {
  const auto all = [&](std::string_view name) {
    const SeenField* field = read.fields.find(name);
    return field != nullptr && field->texts == field->present ? field->present : 0;
  };
  const auto any = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::any_of(names, [&](std::string_view name) { return read.fields.find(name) != nullptr; });
  };
  const size_t named = all(cbor ? "0" : "n") + all(cbor ? "-2" : "bn");
  const bool values = cbor ? any({"2", "3", "4"}) : any({"v", "vs", "vb", "vd"});
  return values && named > 0 && read.fields.records() <= 2 * named &&
         std::ranges::all_of(read.fields.fields(), [&](const SeenField& field) { return field.name.size() <= 4; });
}

std::string first_bytes(std::string_view payload) {
  const std::string_view line = payload.substr(0, payload.find_first_of("\r\n"));
  const std::string start = valid_utf8(line, 40);
  return can_be_written(start) ? fmt::format("\"{}\"", start) : "the bytes " + hex_text(payload.substr(0, 16));
}

}  // namespace

Result<ReadSamples> read_samples(std::span<const Sample> samples) {
  std::vector<ReadSamples> read;
  const auto consider = [&](std::optional<ReadSamples> one) {
    if (one && one->fields.records() > 0 && !one->fields.fields().empty()) read.push_back(std::move(*one));
  };
  const auto done = [&] { return std::ranges::any_of(read, [](const ReadSamples& one) { return one.unread == 0; }); };
  const bool sparkplug =
      std::ranges::any_of(samples, [](const Sample& s) { return parse_sparkplug_topic(s.topic).has_value(); });
  if (sparkplug) consider(read_metric_samples(samples, "sparkplug"));
  if (!done()) {
    for (const bool cbor : {false, true}) {
      auto documents = cbor ? read_cbor_samples(samples) : read_json_samples(samples);
      if (documents && looks_like_senml(*documents, cbor)) {
        consider(read_metric_samples(samples, cbor ? "senml-cbor" : "senml-json"));
      }
      if (!done()) consider(std::move(documents));
      if (done()) break;
    }
  }
  if (!done()) consider(read_metric_samples(samples, "influx"));
  if (!done()) consider(read_csv_samples(samples));
  if (read.empty()) {
    return fail(ErrorCode::BadRequest,
                fmt::format("the samples are of no format that can be told; the first begins with {}",
                            first_bytes(samples.front().payload)),
                "Tidegate reads JSON, NDJSON, CSV, CBOR, SenML, InfluxDB line protocol and Sparkplug B.");
  }
  // The first of those that read most: text that is JSON is a table of one column, too.
  ReadSamples best = std::move(*std::ranges::min_element(read, {}, &ReadSamples::unread));
  if (best.unread > 0) {
    best.notes.push_back(fmt::format("{} of {} messages are not {}; the preview shows what becomes of them.",
                                     best.unread, samples.size(), best.format));
  }
  return best;
}

}  // namespace tidegate::codec
