#include "codec/proposal.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/letter_case.h"
#include "codec/internal/proposal_time.h"
#include "codec/internal/proposal_topic.h"
#include "codec/internal/sample_reader.h"

namespace tidegate::codec {

namespace {

using columnar::TypeKind;

bool is_plain(std::string_view name) {
  const auto plain = [](char c) {
    return (to_lower(c) >= 'a' && to_lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() <= 60 && (name[0] < '0' || name[0] > '9') && std::ranges::all_of(name, plain);
}

// Whole numbers that count or name something, and never come with a fraction.
bool counts(std::string_view name) {
  const std::string plain = column_name(name);
  for (const std::string_view word :
       {"count", "cnt", "seq", "num", "id", "port", "code", "status", "index", "uptime", "state"}) {
    if (plain == word || plain.ends_with(std::string("_") + std::string(word)) ||
        plain.starts_with(std::string(word) + "_"))
      return true;
  }
  return false;
}

// One proposal being made.
class Proposer {
 public:
  Proposer(std::span<const Sample> samples, ReadSamples read) : samples_(samples), read_(std::move(read)) {
    for (const SeenField& field : read_.fields.fields()) field_names_.insert(to_lower(field.name));
  }

  Proposal run() {
    out_.format = read_.format;
    out_.options = read_.options;
    out_.options["format"] = read_.format;
    out_.notes = read_.notes;
    if (!read_.preset.empty()) {
      out_.options.erase("format");
      out_.options["preset"] = read_.preset;
      out_.notes.insert(out_.notes.begin(), fmt::format("The messages are those of {}.", read_.preset));
    }
    find_device();
    find_time();
    add_device();
    add_time();
    for (const SeenField& field : read_.fields.fields()) {
      if (&field != device_ && &field != time_) add_value(field);
    }
    if (read_.positional) name_csv_columns();
    if (read_.fields.left_out() > 0 || dropped_ > 0) {
      out_.notes.push_back(fmt::format("There are more fields than {}: the rest is left out.", kMaxProposedColumns));
    }
    if (read_.fields.unnameable() > 0) {
      out_.notes.push_back(fmt::format("{} values are left out: the names of their fields cannot stand in a statement.",
                                       read_.fields.unnameable()));
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool always(const SeenField& field) const {
    return field.present == read_.fields.records() && field.nulls == 0 && read_.fields.records() > 1;
  }
  [[nodiscard]] std::string seen(const SeenField& field) const {
    return fmt::format("in {} of {} records", field.present, read_.fields.records());
  }

  void find_device() {
    int best = 0;
    for (const SeenField& field : read_.fields.fields()) {
      // The device column is text, and of a text in types formats only a text fits it; CSV's words are both.
      const bool text = field.only(field.texts) || (read_.format == "csv" && field.only(field.integers + field.texts));
      if (!text || seen_time(field).has_value()) continue;
      const int weight = device_name_weight(field.name);
      if (weight <= best || (weight == 1 && read_.preset.empty() && !looks_like_device(field))) continue;
      best = weight;
      device_ = &field;
    }
  }
  // A name that says little: the values must come again and again.
  [[nodiscard]] bool looks_like_device(const SeenField& field) const {
    std::set<std::string_view> texts;
    for (const SeenField::Kept& kept : field.kept) texts.insert(kept.value.text);
    return field.present == read_.fields.records() && texts.size() * 2 <= field.kept.size() + 1;
  }

  void find_time() {
    int best = -1;
    for (const SeenField& field : read_.fields.fields()) {
      if (&field == device_) continue;
      auto time = seen_time(field);
      if (!time) continue;
      const int weight = time_name_weight(field.name) * 2 + (field.present == read_.fields.records() ? 1 : 0);
      if (weight <= best) continue;
      best = weight;
      time_ = &field;
      seen_time_ = std::move(*time);
    }
  }

  std::string new_name(const SeenField& field) {
    std::string name = is_plain(field.name) ? field.name : column_name(field.name);
    return unused(std::move(name));
  }
  // For a column that no field fills, so that none fills it by its name.
  std::string foreign(const std::string& name) {
    std::string free = name;
    for (int number = 2; field_names_.contains(free) || taken_.contains(free); ++number) {
      free = fmt::format("{}_{}", name, number);
    }
    return unused(std::move(free));
  }
  std::string unused(std::string name) {
    if (taken_.insert(to_lower(name)).second) return name;
    for (int number = 2;; ++number) {
      std::string next = fmt::format("{}_{}", name, number);
      if (taken_.insert(to_lower(next)).second) return next;
    }
  }
  void set_source(const SeenField& field, const std::string& column) {
    if (read_.positional) {
      csv_names_[&field] = column;
      return;
    }
    // Names are compared without regard to case, so that one of two alike would fill the other's column.
    if (field.by_name && field.name == column && field_names_.count(to_lower(column)) == 1) return;
    out_.options["field." + column] = field.path.empty() ? field.name : field.path;
  }

  void add_device() {
    const bool flat_device = device_ != nullptr && device_->name == "device" && device_->path.empty();
    SeenTopics topics = seen_topics(samples_, read_, device_);
    const bool own = read_.format == "sparkplug";
    if (own) topics = {"spBv1.0/#", false, "", true};
    if (!topics.filter.empty() && read_.preset.empty()) out_.options["mqtt.topic"] = topics.filter;
    const bool by_preset = !read_.preset.empty();
    ProposedColumn column;
    column.role = ColumnRole::kDevice;
    column.nullable = false;
    if (device_ != nullptr) {
      column.name = new_name(*device_);
      column.sure = device_name_weight(device_->name) >= 2;
      column.why = fmt::format("the device, by its name; text {}", seen(*device_));
      if (topics.device) column.why += "; " + topics.why;
      if (!flat_device || read_.format == "csv") set_source(*device_, column.name);
    } else {
      column.name = foreign("device");
      const bool topic = topics.device || by_preset;
      column.sure = topic && topics.sure;
      column.why = topic ? fmt::format("the device, from {}", by_preset ? "the topic" : topics.why)
                         : "no field names the device: it is whoever sends the message";
    }
    out_.device = out_.columns.size();
    out_.columns.push_back(std::move(column));
  }

  void add_time() {
    ProposedColumn column;
    column.role = ColumnRole::kTime;
    column.type = TypeKind::kTimestampLtz;
    column.nullable = false;
    constexpr int64_t kLeastDelayUs = 5 * kMicrosPerSecond;
    constexpr int64_t kMostDelayUs = 3600 * kMicrosPerSecond;
    out_.watermark_delay_us = kLeastDelayUs;
    if (time_ != nullptr) {
      column.name = new_name(*time_);
      column.sure = seen_time_.sure && (time_name_weight(time_->name) >= 2 || only_time());
      column.why = fmt::format("the event time: {}, {}", seen_time_.why, seen(*time_));
      // The default needs no option, unless the field's column is told by a preset or by the format itself.
      const bool own = time_->path.empty() && time_->name == "time" && read_.format != "csv";
      if (!seen_time_.format.empty()) out_.options["timestamp.format." + column.name] = seen_time_.format;
      if (!own && read_.preset.empty()) set_source(*time_, column.name);
      const int64_t late = seen_lateness_us(*time_, seen_time_.reader);
      const int64_t rounded = (late / kLeastDelayUs + (late % kLeastDelayUs != 0 ? 1 : 0)) * kLeastDelayUs;
      out_.watermark_delay_us = std::clamp(rounded, kLeastDelayUs, kMostDelayUs);
      if (late > kMostDelayUs) {
        out_.notes.emplace_back("Times go back by more than an hour among the samples; the watermark waits for one.");
      }
    } else {
      column.name = foreign("time");
      column.sure = false;
      column.why = "nothing in the messages is a time that can be told: the time of arrival";
    }
    const bool complete = time_ != nullptr && time_->present == read_.fields.records();
    if (!complete && read_.preset.empty()) out_.options["timestamp.default"] = "arrival";
    if (!complete && time_ != nullptr) column.why += "; a record without it happened when it arrived";
    out_.time = out_.columns.size();
    out_.columns.push_back(std::move(column));
  }
  [[nodiscard]] bool only_time() const {
    return std::ranges::count_if(read_.fields.fields(),
                                 [](const SeenField& field) { return seen_time(field).has_value(); }) == 1;
  }

  void add_value(const SeenField& field) {
    if (field.others == field.present && field.present > 0) {
      out_.notes.push_back(
          fmt::format("'{}' is left out: it is {}, which fits no column.", field.name, field.kept.front().value.text));
      return;
    }
    if (field.present == 0) {
      out_.notes.push_back(fmt::format("'{}' is left out: it was NULL in every record.", field.name));
      return;
    }
    if (out_.columns.size() >= kMaxProposedColumns) {
      ++dropped_;
      return;
    }
    ProposedColumn column;
    column.name = new_name(field);
    column.nullable = !always(field);
    set_type(field, column);
    column.why += ", " + seen(field);
    set_source(field, column.name);
    out_.columns.push_back(std::move(column));
  }

  void set_type(const SeenField& field, ProposedColumn& column) {
    constexpr size_t kManyValues = 20;  // whole numbers alone, so often, are no accident
    const size_t numbers = field.integers + field.reals;
    if (field.only(field.booleans)) {
      column.type = TypeKind::kBoolean;
      column.why = "true or false";
    } else if (field.only(field.integers) && (counts(field.name) || field.max > INT32_MAX || field.min < INT32_MIN)) {
      column.type = TypeKind::kBigint;
      column.why = "whole numbers";
    } else if (field.only(numbers)) {
      column.type = TypeKind::kDouble;
      column.sure = field.reals > 0 || field.integers >= kManyValues;
      column.why = field.reals > 0 ? "numbers" : "whole numbers so far; BIGINT if it counts something";
    } else if (field.only(field.bytes)) {
      column.type = TypeKind::kBytes;
      column.why = "bytes";
    } else if (field.only(field.texts)) {
      const auto time = seen_time(field);
      column.type = time && time->sure ? TypeKind::kTimestampLtz : TypeKind::kString;
      column.why = time ? time->why : "text";
      if (column.type == TypeKind::kTimestampLtz && !time->format.empty()) {
        out_.options["timestamp.format." + column.name] = time->format;
      }
    } else {
      set_mixed_type(field, column, numbers);
    }
  }

  void set_mixed_type(const SeenField& field, ProposedColumn& column, size_t numbers) {
    column.sure = false;
    column.nullable = true;
    const bool words = read_.format == "csv";
    const size_t most = std::max({numbers, field.texts, field.booleans});
    column.type = words || most == field.texts ? TypeKind::kString
                  : most == numbers            ? TypeKind::kDouble
                                               : TypeKind::kBoolean;
    column.why = fmt::format("of several kinds: {} numbers, {} texts, {} true or false, {} others", numbers,
                             field.texts, field.booleans, field.others);
    if (!words) column.why += "; records of the rarer kinds become dead letters";
  }

  void name_csv_columns() {
    std::string list;
    for (const SeenField& field : read_.fields.fields()) {
      const auto found = csv_names_.find(&field);
      if (!list.empty()) list += ", ";
      list += found == csv_names_.end() ? "-" : found->second;
    }
    out_.options["csv.columns"] = list;
  }

  std::span<const Sample> samples_;
  ReadSamples read_;
  Proposal out_;
  const SeenField* device_ = nullptr;
  const SeenField* time_ = nullptr;
  SeenTime seen_time_;
  std::set<std::string> taken_;             // names of columns, in small letters
  std::multiset<std::string> field_names_;  // the same of the fields
  std::map<const SeenField*, std::string> csv_names_;
  size_t dropped_ = 0;
};

}  // namespace

Result<Proposal> propose(std::span<const Sample> samples) {
  if (samples.empty()) return fail(ErrorCode::BadRequest, "there are no sample messages", "Give at least one.");
  if (samples.size() > kMaxSamples) {
    return fail(ErrorCode::BadRequest, fmt::format("there are more than {} sample messages", kMaxSamples),
                "Give fewer.");
  }
  size_t bytes = 0;
  for (const Sample& sample : samples) bytes += sample.payload.size();
  if (bytes > kMaxSampleBytes) {
    return fail(ErrorCode::BadRequest, fmt::format("the samples are larger than {} MB together", kMaxSampleBytes >> 20),
                "Give fewer, or cut them.");
  }
  TRY_ASSIGN(ReadSamples read, read_samples(samples));
  return Proposer(samples, std::move(read)).run();
}

columnar::SchemaPtr schema_of(const Proposal& proposal) {
  columnar::Schema schema;
  for (const ProposedColumn& column : proposal.columns)
    schema.fields.push_back({column.name, column.type, column.nullable});
  return std::make_shared<const columnar::Schema>(std::move(schema));
}

}  // namespace tidegate::codec
