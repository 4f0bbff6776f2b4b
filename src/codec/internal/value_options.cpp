// 'unit.<column>', 'range.<column>', 'resolution.<column>', 'quality'.
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

Outcome set_quality(ValueRules& rules, const OptionReader& options) {
  const auto name = options.find("quality");
  if (!name) return {};
  const auto column = options.column(*name);
  if (!column) return options.unknown_column("quality", *name);
  const columnar::Field& field = options.columns().schema.fields[*column];
  if (field.type != columnar::TypeKind::kString) {
    return options.refuse("quality",
                          fmt::format("a STRING column; '{}' is {}", field.name, columnar::type_name(field.type)));
  }
  if (*column == options.columns().device) return options.refuse("quality", "another column than the device");
  rules.quality = column;
  return {};
}

}  // namespace

OptionOutcome set_values(SourceFormat& format, const OptionReader& options) {
  // Shared, see ValueRulesPtr.
  auto rules = std::make_shared<ValueRules>();
  if (auto done = set_column_values(*rules, options); !done) return done;
  if (auto done = set_quality(*rules, options); !done) return done;
  if (!rules->columns.empty() || rules->quality) format.values = std::move(rules);
  return {};
}

}  // namespace tidegate::codec
