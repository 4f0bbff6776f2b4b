#include "codec/internal/option_reader.h"

#include <fmt/format.h>

#include "codec/internal/column_names.h"
#include "codec/internal/number_text.h"

namespace tidegate::codec {

std::optional<std::string> OptionReader::find(std::string_view key) const {
  const auto found = options_.find(std::string(key));
  if (found == options_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string> OptionReader::first_of(std::string_view prefix) const {
  const auto found = options_.lower_bound(std::string(prefix));
  if (found == options_.end() || !found->first.starts_with(prefix)) return std::nullopt;
  return found->first;
}

std::optional<size_t> OptionReader::column(std::string_view name) const {
  return ColumnNames(columns_.schema, columns_.unnamed()).find(name);
}

std::unexpected<BadOption> OptionReader::refuse(std::string_view key, std::string_view wanted) const {
  return std::unexpected(
      BadOption{std::string(key), Error{ErrorCode::SqlInvalidOption,
                                        fmt::format("'{}' cannot be '{}'", key, find(key).value_or(std::string())),
                                        fmt::format("It takes {}", wanted),
                                        {}}});
}

std::unexpected<BadOption> OptionReader::refuse_key(std::string_view key, std::string_view when) const {
  return std::unexpected(
      BadOption{std::string(key),
                Error{ErrorCode::SqlInvalidOption, fmt::format("'{}' cannot be set here: {}", key, when), {}, {}}});
}

std::unexpected<BadOption> OptionReader::unknown_column(std::string_view key, std::string_view name) const {
  if (columns_.unnamed() && ColumnNames(columns_.schema).find(name) == columns_.time) {
    return refuse_key(key, fmt::format("'{}' is computed from other columns; no payload has it", name));
  }
  std::vector<std::string> names;
  for (const columnar::Field& field : columns_.schema.fields) names.push_back(field.name);
  return std::unexpected(BadOption{std::string(key), Error{ErrorCode::SqlUnknownColumn,
                                                           fmt::format("unknown column '{}' for '{}'", name, key),
                                                           fmt::format("The columns are {}", fmt::join(names, ", ")),
                                                           {}}});
}

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t comma = text.find(',');
    parts.push_back(trimmed(text.substr(0, comma)));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace tidegate::codec
