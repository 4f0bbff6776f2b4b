#include "sim/record_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "codec/csv_reader.h"
#include "io/file.h"
#include "net/http_problem.h"
#include "sim/internal/json_text.h"
#include "sim/internal/time_format.h"

namespace tidegate::sim {
namespace {

constexpr size_t kMaxQuotedChars = 40;  // of a value in a message

// How exports write "no value".
bool is_missing(std::string_view value) {
  return value.empty() || value == "?" || value == "NA" || value == "NaN" || value == "nan" || value == "null";
}

// As JSON wants it: data files also write .5 and -.5.
std::string with_leading_zero(std::string_view value) {
  const size_t sign = value.starts_with('-') ? 1 : 0;
  if (!value.substr(sign).starts_with('.')) return std::string(value);
  return fmt::format("{}0{}", value.substr(0, sign), value.substr(sign));
}

void append_csv_value(std::string_view value, std::string& out) {
  if (is_missing(value)) {
    out += "null";
  } else if (const std::string number = with_leading_zero(value); is_json_number(number)) {
    out += number;
  } else if (value == "true" || value == "false") {
    out += value;
  } else {
    out += net::json_string(value);
  }
}

// Which fields of a line go into the payload, and under which name ("\"power\":").
struct Selected {
  size_t column = 0;
  std::string prefix;
};

std::unexpected<Error> no_column(std::string_view column, const std::vector<std::string>& header) {
  return fail(ErrorCode::ConfigInvalid, fmt::format("the data file has no column '{}'", column),
              fmt::format("its columns are {}", fmt::join(header, ", ")));
}

std::string prefix_of(std::string_view field) { return net::json_string(field) + ":"; }

Result<std::vector<Selected>> select(const Profile& profile, const std::vector<std::string>& header,
                                     size_t time_column) {
  std::vector<Selected> selected;
  if (profile.columns.empty()) {
    for (size_t at = 0; at < header.size(); ++at) {
      if (at != time_column) selected.push_back({at, prefix_of(header[at])});
    }
    return selected;
  }
  for (const auto& [column, field] : profile.columns) {
    const auto found = std::find(header.begin(), header.end(), column);
    if (found == header.end()) return no_column(column, header);
    selected.push_back({static_cast<size_t>(found - header.begin()), prefix_of(field)});
  }
  return selected;
}

std::string field_name(const Profile& profile, const std::string& name) {
  if (profile.columns.empty()) return name;
  const auto found = std::find_if(profile.columns.begin(), profile.columns.end(),
                                  [&](const auto& column) { return column.first == name; });
  return found == profile.columns.end() ? std::string() : found->second;
}

}  // namespace

Result<RecordFile> RecordFile::load(const Profile& profile) {
  std::error_code error;
  const auto size = std::filesystem::file_size(profile.file, error);
  if (!error && size > kMaxFileBytes) {
    return fail(ErrorCode::ConfigInvalid,
                fmt::format("{} is larger than {} MB", profile.file.string(), kMaxFileBytes >> 20),
                "replay a part of it: the file is held in memory");
  }
  TRY_ASSIGN(const std::string text, io::read_file(profile.file));
  const std::string extension = profile.file.extension().string();
  auto loaded = parse(profile, text, extension != ".ndjson" && extension != ".jsonl");
  if (!loaded) loaded.error().message = profile.file.string() + ": " + loaded.error().message;
  return loaded;
}

Result<RecordFile> RecordFile::parse(const Profile& profile, std::string_view text, bool csv) {
  TRY(check_time_format(profile.time_format));
  RecordFile file;
  TRY(csv ? file.read_csv(profile, text) : file.read_ndjson(profile, text));
  if (file.records_.empty()) {
    return fail(ErrorCode::RecordMalformed,
                fmt::format("no record has a time in '{}' that reads as '{}' ({} lines looked at; {})",
                            profile.time_column, profile.time_format, file.skipped_, file.first_skipped_),
                "check time_column and time_format");
  }
  file.finish();
  return file;
}

Result<> RecordFile::read_csv(const Profile& profile, std::string_view text) {
  codec::CsvReader rows;
  rows.feed(text, true);
  TRY_ASSIGN(const auto first, rows.next());
  if (!first) return fail(ErrorCode::RecordMalformed, "the file is empty");
  const std::vector<std::string> header(first->begin(), first->end());
  const auto time = std::find(header.begin(), header.end(), profile.time_column);
  if (time == header.end()) return no_column(profile.time_column, header);
  const auto time_column = static_cast<size_t>(time - header.begin());
  TRY_ASSIGN(const auto selected, select(profile, header, time_column));
  while (true) {
    const auto row = rows.next();
    if (row && !*row) return {};
    if (!row) {
      skip(rows.line(), row.error().message);
      continue;
    }
    if ((*row)->size() != header.size()) {
      skip(rows.line(), fmt::format("{} of the {} fields that the header has", (*row)->size(), header.size()));
      continue;
    }
    const auto time_us = parse_time((**row)[time_column], profile.time_format);
    if (!time_us) {
      skip(rows.line(), fmt::format("no time: '{}'", (**row)[time_column].substr(0, kMaxQuotedChars)));
      continue;
    }
    Record record{*time_us, text_.size(), 0};
    for (const Selected& column : selected) {
      if (text_.size() > record.begin) text_ += ',';
      text_ += column.prefix;
      append_csv_value((**row)[column.column], text_);
    }
    record.end = text_.size();
    records_.push_back(record);
  }
}

Result<> RecordFile::read_ndjson(const Profile& profile, std::string_view text) {
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto fields = read_object(line);
    std::optional<int64_t> time_us;
    Record record{0, text_.size(), 0};
    for (const JsonField& field : fields ? *fields : std::vector<JsonField>()) {
      if (field.name == profile.time_column) {
        time_us = parse_time(field.text, profile.time_format);
        continue;
      }
      const std::string name = field_name(profile, field.name);
      if (name.empty()) continue;
      if (text_.size() > record.begin) text_ += ',';
      text_ += prefix_of(name);
      text_ += field.kind == JsonKind::kString ? net::json_string(field.text) : field.text;
    }
    if (!time_us) {
      text_.resize(record.begin);
      skip(number, fields ? "no time that can be read" : "no JSON object");
      continue;
    }
    record.time_us = *time_us;
    record.end = text_.size();
    records_.push_back(record);
  }
  return {};
}

void RecordFile::skip(size_t line, std::string_view why) {
  if (skipped_++ == 0) first_skipped_ = fmt::format("line {}: {}", line, why);
}

void RecordFile::finish() {
  std::stable_sort(records_.begin(), records_.end(),
                   [](const Record& left, const Record& right) { return left.time_us < right.time_us; });
  const int64_t length_us = records_.back().time_us - records_.front().time_us;
  std::vector<int64_t> steps;
  for (size_t at = 1; at < records_.size(); ++at) steps.push_back(records_[at].time_us - records_[at - 1].time_us);
  int64_t typical_us = 1'000'000;  // one record alone repeats every second
  if (!steps.empty()) {
    std::nth_element(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2), steps.end());
    typical_us = std::max<int64_t>(steps[steps.size() / 2], 1000);
  }
  span_us_ = length_us + typical_us;
}

}  // namespace tidegate::sim
