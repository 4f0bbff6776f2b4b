#include "codec/internal/column_names.h"

#include <algorithm>

namespace tidegate::codec {

namespace {

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

}  // namespace

ColumnNames::ColumnNames(const columnar::Schema& schema) : schema_(schema) {
  for (size_t at = 0; at < schema.fields.size(); ++at) {
    lower_.emplace(lower_case(schema.fields[at].name), at);
    longest_ = std::max(longest_, schema.fields[at].name.size());
  }
}

std::optional<size_t> ColumnNames::find(std::string_view name) const {
  if (name.size() > longest_) return std::nullopt;
  if (const auto exact = schema_.index_of(name)) return exact;
  const auto found = lower_.find(lower_case(name));
  if (found == lower_.end()) return std::nullopt;
  return found->second;
}

}  // namespace tidegate::codec
