#include "codec/internal/column_names.h"

#include <algorithm>

#include "base/letter_case.h"

namespace tidegate::codec {

ColumnNames::ColumnNames(const columnar::Schema& schema, std::optional<size_t> except)
    : schema_(schema), except_(except) {
  for (size_t at = 0; at < schema.fields.size(); ++at) {
    if (at == except) continue;
    lower_.emplace(to_lower(schema.fields[at].name), at);
    longest_ = std::max(longest_, schema.fields[at].name.size());
  }
}

std::optional<size_t> ColumnNames::find(std::string_view name) const {
  if (name.size() > longest_) return std::nullopt;
  if (const auto exact = schema_.index_of(name); exact && exact != except_) return exact;
  const auto found = lower_.find(to_lower(name));
  if (found == lower_.end()) return std::nullopt;
  return found->second;
}

}  // namespace tidegate::codec
