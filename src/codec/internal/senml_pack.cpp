#include "codec/internal/senml_pack.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "codec/internal/number_text.h"
#include "codec/timestamp_text.h"
#include "codec/utf8.h"

namespace tidegate::codec {

using Failure = std::optional<Error>;
using Kind = Scalar::Kind;
using Node = Document::Node;

namespace {

struct Label {
  std::string_view json;
  std::string_view cbor;
};
// RFC 8428 table 4.
constexpr std::array kLabels = {Label{"bver", "-1"}, Label{"bn", "-2"}, Label{"bt", "-3"}, Label{"bu", "-4"},
                                Label{"bv", "-5"},   Label{"bs", "-6"}, Label{"n", "0"},   Label{"u", "1"},
                                Label{"v", "2"},     Label{"vs", "3"},  Label{"vb", "4"},  Label{"s", "5"},
                                Label{"t", "6"},     Label{"ut", "7"},  Label{"vd", "8"}};
constexpr int64_t kKnownVersion = 10;
constexpr size_t kMaxNameBytes = 1024;  // names are identifiers of devices and sensors

Error malformed(std::string reason) { return Error{ErrorCode::RecordMalformed, std::move(reason), {}, {}}; }

Node label(const Document& document, Node node, std::string_view json) {
  const Node found = document.member(node, json);
  if (found != Document::kNone) return found;
  for (const Label& known : kLabels) {
    if (known.json == json) return document.member(node, known.cbor);
  }
  return Document::kNone;
}

std::optional<double> number_of(const Scalar& value) {
  if (value.kind == Kind::kInteger) return static_cast<double>(value.integer);
  if (value.kind == Kind::kReal) return value.real;
  // Some libraries write numbers as texts.
  if (value.kind == Kind::kText) return parse_real(trimmed(value.text));
  return std::nullopt;
}

std::string_view without_separator(std::string_view name) {
  const size_t last = name.find_last_not_of(":/._-");
  return name.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

void SenmlPack::start(int64_t arrival_us) {
  arrival_us_ = arrival_us;
  base_name_ = base_unit_ = {};
  base_time_ = base_value_ = base_sum_ = 0;
  records_.clear();
  texts_.clear();
}

void SenmlPack::add(const Document& document, Node node, std::vector<Error>& errors) {
  const Node draft = document.member(node, "e");
  if (draft == Document::kNone || document.shape(draft) != Document::Shape::kArray) {
    if (auto error = add_record(document, node)) errors.push_back(std::move(*error));
    return;
  }
  if (auto error = read_base(document, node)) errors.push_back(std::move(*error));
  for (Node at = document.first(draft); at != Document::kNone; at = document.next(at)) {
    if (auto error = add_record(document, at)) errors.push_back(std::move(*error));
  }
}

Failure SenmlPack::read_number(const Document& document, Node node, std::string_view name, double& into) {
  const Node at = label(document, node, name);
  if (at == Document::kNone) return std::nullopt;
  const auto number = number_of(document.value(at));
  if (!number || !std::isfinite(*number)) {
    return malformed(fmt::format("SenML label '{}' expects a number, but {} came", name, describe(document.value(at))));
  }
  into = *number;
  return std::nullopt;
}

Failure SenmlPack::read_base(const Document& document, Node node) {
  for (const auto& [name, into] : {std::pair{"bn", &base_name_}, std::pair{"bu", &base_unit_}}) {
    const Node at = label(document, node, name);
    if (at == Document::kNone) continue;
    const Scalar& value = document.value(at);
    if (value.kind != Kind::kText || value.text.size() > kMaxNameBytes) {
      return malformed(fmt::format("SenML label '{}' expects a text, but {} came", name, describe(value)));
    }
    *into = keep(value.text);
  }
  if (auto error = read_number(document, node, "bt", base_time_)) return error;
  if (auto error = read_number(document, node, "bs", base_sum_)) return error;
  // In drafts "bv" of a record was its boolean value.
  const Node value = label(document, node, "bv");
  if (value != Document::kNone && document.value(value).kind != Kind::kBoolean) {
    if (auto error = read_number(document, node, "bv", base_value_)) return error;
  }
  double version = static_cast<double>(kKnownVersion);
  if (auto error = read_number(document, node, "bver", version)) return error;
  if (version > static_cast<double>(kKnownVersion)) {
    return malformed(fmt::format("SenML version {} is not known, {} is the latest", version, kKnownVersion));
  }
  return std::nullopt;
}

// Exactly one of the values, or none.
Failure SenmlPack::read_value(const Document& document, Node node, Record& record, bool& found) {
  struct Form {
    std::string_view label;
    Kind kind;
  };
  constexpr std::array kForms = {Form{"v", Kind::kReal},     Form{"vs", Kind::kText},    Form{"sv", Kind::kText},
                                 Form{"vb", Kind::kBoolean}, Form{"bv", Kind::kBoolean}, Form{"vd", Kind::kBytes}};
  for (const Form& form : kForms) {
    const Node at = label(document, node, form.label);
    if (at == Document::kNone) continue;
    const Scalar& value = document.value(at);
    if (form.label == "bv" && value.kind != Kind::kBoolean) continue;
    if (found) return malformed(fmt::format("SenML record with two values; '{}' is the second", form.label));
    found = true;
    if (form.kind == Kind::kReal) {
      const auto number = number_of(value);
      if (!number) return malformed(fmt::format("SenML label 'v' expects a number, but {} came", describe(value)));
      record.metric.value = Scalar::of(*number + base_value_);
      if (base_value_ == 0 && (value.kind == Kind::kInteger || value.kind == Kind::kReal)) {
        record.metric.value = value;
        if (!value.text.empty()) record.metric.value.text = keep(value.text);
      }
    } else if (form.kind == Kind::kBytes ? value.kind != Kind::kText && value.kind != Kind::kBytes
                                         : value.kind != form.kind) {
      return malformed(fmt::format("SenML label '{}' expects a {}, but {} came", form.label,
                                   form.kind == Kind::kBoolean ? "boolean" : "text", describe(value)));
    } else {
      record.metric.value = value;
      if (form.kind != Kind::kBoolean) record.metric.value.text = keep(value.text);
    }
  }
  // Without a value of its own a record takes the base value.
  if (!found && base_value_ != 0 && label(document, node, "n") != Document::kNone) {
    record.metric.value = Scalar::of(base_value_);
    found = true;
  }
  return std::nullopt;
}

std::optional<int64_t> SenmlPack::resolve_time(double time) const {
  double scale = 1e6;
  if (precision_ == TimePrecision::kMillis) scale = 1e3;
  if (precision_ == TimePrecision::kMicros) scale = 1;
  if (precision_ == TimePrecision::kNanos) scale = 1e-3;
  const double time_us = std::round(time * scale);
  if (!(std::abs(time_us) <= static_cast<double>(kMaxTimestampUs))) return std::nullopt;
  // RFC 8428 section 4.5.3: times before 1978 count from now.
  constexpr double kAbsoluteFrom = 268'435'456;  // 2^28
  const bool relative = precision_ == TimePrecision::kDefault && std::abs(time) < kAbsoluteFrom;
  return static_cast<int64_t>(time_us) + (relative ? arrival_us_ : 0);
}

Failure SenmlPack::add_record(const Document& document, Node node) {
  if (document.shape(node) != Document::Shape::kObject) {
    return malformed(fmt::format("a SenML record is an object, but {} came", describe(document.value(node))));
  }
  if (auto error = read_base(document, node)) return error;
  for (Node at = document.first(node); at != Document::kNone; at = document.next(at)) {
    if (document.key(at).ends_with('_')) {
      return malformed(
          fmt::format("SenML label '{}' must be understood, and is not known", valid_utf8(document.key(at), 40)));
    }
  }
  Record record;
  bool found = false;
  if (auto error = read_value(document, node, record, found)) return error;
  double sum = 0;
  const bool has_sum = label(document, node, "s") != Document::kNone;
  if (auto error = read_number(document, node, "s", sum)) return error;
  if (!found && !has_sum) {
    const Node name = label(document, node, "n");
    if (name == Document::kNone) return std::nullopt;  // base values for those that follow
    return malformed(fmt::format("SenML record '{}' has no value", describe(document.value(name))));
  }
  if (has_sum) record.metric.sum = Scalar::of(sum + base_sum_);
  double time = 0;
  if (auto error = read_number(document, node, "t", time)) return error;
  const auto time_us = resolve_time(base_time_ + time);
  if (!time_us) return malformed(fmt::format("SenML time {} is outside the years 1 to 9999", base_time_ + time));
  record.time_us = *time_us;
  std::string_view own_name;
  for (const auto& [name, into] : {std::pair{"n", &own_name}, std::pair{"u", &record.metric.unit}}) {
    const Node at = label(document, node, name);
    if (at == Document::kNone) continue;
    const Scalar& value = document.value(at);
    if (value.kind != Kind::kText || value.text.size() > kMaxNameBytes) {
      return malformed(fmt::format("SenML label '{}' expects a text, but {} came", name, describe(value)));
    }
    *into = keep(value.text);
  }
  if (record.metric.unit.empty()) record.metric.unit = base_unit_;
  record.device = without_separator(base_name_);
  record.metric.name = own_name;
  record.name = keep(fmt::format("{}{}", base_name_, own_name));
  if (record.name.empty()) return malformed("a SenML record without a name, neither 'bn' nor 'n'");
  records_.push_back(record);
  return std::nullopt;
}

}  // namespace tidegate::codec
