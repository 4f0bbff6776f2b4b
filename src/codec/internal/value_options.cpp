// 'unit.<column>', 'range.<column>', 'resolution.<column>', 'quality', 'author'.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "codec/internal/number_text.h"
#include "codec/internal/source_options.h"
#include "codec/unit_code.h"

namespace tidegate::codec {

namespace {

using Outcome = OptionOutcome;

Outcome set_unit(ColumnValues& values, const OptionReader& options, const std::string& key) {
  const std::string code = *options.find(key);
  auto name = unit_name(code);
  if (!name) {
    return std::unexpected(BadOption{key, Error{ErrorCode::SqlInvalidOption,
                                                fmt::format("'{}' cannot be '{}': {}", key, code, name.error().message),
                                                std::move(name.error().hint),
                                                {}}});
  }
  values.unit = code;
  values.unit_name = std::move(*name);
  return {};
}

Outcome set_range(ColumnValues& values, const OptionReader& options, const std::string& key) {
  auto range = ValueRange::parse(*options.find(key), options.columns().schema.fields[values.column].type);
  if (!range) return options.refuse(key, range.error());
  values.range = std::move(*range);
  return {};
}

Outcome set_resolution(ColumnValues& values, const OptionReader& options, const std::string& key) {
  const std::string text(trimmed(*options.find(key)));
  const auto step = parse_real(text);
  if (!step || !std::isfinite(*step) || *step <= 0) return options.refuse(key, "a number above 0, such as '0.1'");
  values.resolution = text;
  return {};
}

struct ValueOption {
  std::string_view prefix;
  Outcome (*set)(ColumnValues&, const OptionReader&, const std::string&);
  bool (*is_set)(const ColumnValues&);
};
constexpr auto kValueOptions = std::to_array<ValueOption>({
    {"unit.", set_unit, [](const ColumnValues& values) { return !values.unit.empty(); }},
    {"range.", set_range, [](const ColumnValues& values) { return values.range.has_value(); }},
    {"resolution.", set_resolution, [](const ColumnValues& values) { return !values.resolution.empty(); }},
});

ColumnValues& values_of(ValueRules& rules, size_t column) {
  const auto found = std::ranges::find(rules.columns, column, &ColumnValues::column);
  if (found != rules.columns.end()) return *found;
  ColumnValues& added = rules.columns.emplace_back();
  added.column = column;
  return added;
}

Outcome set_column_values(ValueRules& rules, const OptionReader& options) {
  for (const ValueOption& option : kValueOptions) {
    for (const auto& [key, text] : options.all()) {
      if (!key.starts_with(option.prefix)) continue;
      const std::string_view name = std::string_view(key).substr(option.prefix.size());
      const auto column = options.column(name);
      if (!column) return options.unknown_column(key, name);
      const columnar::Field& field = options.columns().schema.fields[*column];
      if (!columnar::is_numeric(field.type)) {
        return options.refuse_key(
            key, fmt::format("column '{}' is {} and not a number", field.name, columnar::type_name(field.type)));
      }
      ColumnValues& values = values_of(rules, *column);
      if (option.is_set(values)) return options.refuse_key(key, "the column has one already");
      if (auto done = option.set(values, options, key); !done) return done;
    }
  }
  std::ranges::sort(rules.columns, {}, &ColumnValues::column);
  return {};
}

// 'quality' and 'author' name a column that the server has a say in.
Outcome set_text_column(std::optional<size_t>& target, const OptionReader& options, std::string_view key) {
  const auto name = options.find(key);
  if (!name) return {};
  const auto column = options.column(*name);
  if (!column) return options.unknown_column(key, *name);
  const columnar::Field& field = options.columns().schema.fields[*column];
  if (field.type != columnar::TypeKind::kString) {
    return options.refuse(key, fmt::format("a STRING column; '{}' is {}", field.name, columnar::type_name(field.type)));
  }
  if (*column == options.columns().device) return options.refuse(key, "another column than the device");
  target = column;
  return {};
}

Outcome set_record_columns(ValueRules& rules, const OptionReader& options) {
  if (auto done = set_text_column(rules.quality, options, "quality"); !done) return done;
  if (auto done = set_text_column(rules.author, options, "author"); !done) return done;
  if (!rules.author) return {};
  if (rules.author == rules.quality) return options.refuse("author", "another column than the quality");
  if (!options.columns().schema.fields[*rules.author].nullable) {
    return options.refuse("author", "a column that may be NULL, as it is in all records of devices");
  }
  return {};
}

}  // namespace

OptionOutcome set_values(SourceFormat& format, const OptionReader& options) {
  // Shared, see ValueRulesPtr.
  auto rules = std::make_shared<ValueRules>();
  if (auto done = set_column_values(*rules, options); !done) return done;
  if (auto done = set_record_columns(*rules, options); !done) return done;
  if (!rules->columns.empty() || rules->quality || rules->author) format.values = std::move(rules);
  return {};
}

}  // namespace tidegate::codec
