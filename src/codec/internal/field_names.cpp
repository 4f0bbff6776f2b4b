#include "codec/internal/field_names.h"

namespace tidegate::codec {

FieldNames::FieldNames(const SourceFormat& format, const DecoderTarget& target)
    : names_(*target.schema, target.unnamed()), is_told_(target.schema->fields.size()) {
  for (const FieldName& field : format.names) {
    told_.emplace(field.name, field.column);
    is_told_[field.column] = true;
  }
  if (target.device_column && !is_told_[*target.device_column]) device_ = target.device_column;
  if (target.time_column && !target.unnamed() && !is_told_[*target.time_column]) time_ = target.time_column;
}

std::optional<size_t> FieldNames::find(std::string_view name) const {
  if (!told_.empty()) {
    const auto told = told_.find(std::string(name));
    if (told != told_.end()) return told->second;
  }
  const auto column = names_.find(name);
  if (!column || is_told_[*column]) return std::nullopt;
  return column;
}

std::optional<size_t> FieldNames::find_own(std::string_view name) const {
  const auto told = told_.find(std::string(name));
  if (told != told_.end()) return told->second;
  if (name == "device" && device_) return device_;
  if (name == "time" && time_) return time_;
  return find(name);
}

}  // namespace tidegate::codec
