#include "codec/internal/sample_fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "codec/utf8.h"

namespace tidegate::codec {

void SampleFields::add(std::string_view path, std::string_view name, const Scalar& value, bool by_name) {
  if (record_samples_.empty()) return;
  if (name.size() > kMaxNameBytes || !can_be_written(name)) {
    ++unnameable_;
    return;
  }
  const std::string_view key = path.empty() ? name : path;
  auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    if (fields_.size() >= kMaxFields) {
      ++left_out_;
      return;
    }
    found = by_key_.emplace(std::string(key), fields_.size()).first;
    SeenField& made = fields_.emplace_back();
    made.name = name;
    made.path = path;
    made.by_name = by_name;
  }
  SeenField& field = fields_[found->second];
  switch (value.kind) {
    case Scalar::Kind::kNull: ++field.nulls; return;
    case Scalar::Kind::kBoolean: ++field.booleans; break;
    case Scalar::Kind::kInteger:
      field.min = field.integers == 0 ? value.integer : std::min(field.min, value.integer);
      field.max = field.integers == 0 ? value.integer : std::max(field.max, value.integer);
      ++field.integers;
      break;
    case Scalar::Kind::kReal: ++field.reals; break;
    case Scalar::Kind::kBytes: ++field.bytes; break;
    case Scalar::Kind::kOther: ++field.others; break;
    default: ++field.texts; break;
  }
  ++field.present;
  if (field.kept.size() >= kMaxKept) return;
  Scalar kept = value;
  if (!value.text.empty()) kept.text = texts_.emplace_back(value.text.substr(0, kMaxKeptBytes));
  field.kept.push_back({record_samples_.size() - 1, kept});
}

void SampleFields::adopt(const SeenField& seen, bool always) {
  if (record_samples_.empty() || by_key_.contains(seen.name) || fields_.size() >= kMaxFields) return;
  by_key_.emplace(seen.name, fields_.size());
  SeenField field = seen;
  field.present = always ? records() : std::min(seen.present, records() - 1);
  field.texts = field.present;
  for (SeenField::Kept& kept : field.kept) {
    kept.value.text = texts_.emplace_back(kept.value.text);
    kept.record = std::min(kept.record, records() - 1);
  }
  fields_.push_back(std::move(field));
}

const SeenField* SampleFields::find(std::string_view name) const {
  const auto found = std::ranges::find(fields_, name, &SeenField::name);
  return found == fields_.end() ? nullptr : &*found;
}

bool can_be_written(std::string_view text) {
  while (!text.empty()) {
    const size_t size = utf8_sequence_size(text);
    const auto byte = static_cast<unsigned char>(text.front());
    if (size == 0 || byte < 0x20 || byte == 0x7F) return false;
    if (byte == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0) return false;  // C1, which terminals obey too
    text.remove_prefix(size);
  }
  return true;
}

Scalar typed_word(std::string_view word) {
  while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
  while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
  if (word.empty()) return {};
  if (word == "true" || word == "false") return Scalar::boolean(word[0] == 't');
  const char* const first = word.data();
  const char* const end = first + word.size();
  int64_t integer = 0;
  if (const auto read = std::from_chars(first, end, integer); read.ec == std::errc() && read.ptr == end) {
    return Scalar::of(integer);
  }
  double real = 0;
  const bool digits = word.find_first_of("0123456789") != std::string_view::npos;
  if (const auto read = std::from_chars(first, end, real);
      digits && read.ec == std::errc() && read.ptr == end && std::isfinite(real)) {
    return Scalar::of(real);
  }
  return Scalar::word(word);
}

}  // namespace tidegate::codec
