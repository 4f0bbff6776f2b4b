// INSERT INTO: the query's columns at the target's places and types.
#include <fmt/format.h>

#include "sql/internal/bind_query.h"
#include "sql/internal/computed_columns.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::Field;
using columnar::type_name;

namespace {

constexpr size_t kNone = SIZE_MAX;

// For each target column the query's column, or kNone.
Result<std::vector<size_t>> match_columns(const InsertAst& insert, const catalog::StreamDefinition& target,
                                          std::optional<size_t> computed, size_t given) {
  const auto& fields = target.schema->fields;
  const size_t writable = fields.size() - (computed ? 1 : 0);
  const size_t wanted = insert.columns.empty() ? writable : insert.columns.size();
  if (given != wanted) {
    std::string names;
    for (size_t at = 0; at < fields.size(); ++at) {
      if (at != computed) names += (names.empty() ? "" : ", ") + fields[at].name;
    }
    return fail_at(ErrorCode::SqlInsertMismatch, insert.query.position,
                   fmt::format("the query has {} column(s) but '{}' takes {}", given, target.name, wanted),
                   insert.columns.empty() ? fmt::format("The columns of '{}' are {}", target.name, names) : "");
  }
  std::vector<size_t> places(fields.size(), kNone);
  if (insert.columns.empty()) {
    size_t next = 0;
    for (size_t at = 0; at < places.size(); ++at) {
      if (at != computed) places[at] = next++;
    }
    return places;
  }
  for (size_t at = 0; at < insert.columns.size(); ++at) {
    const Name& name = insert.columns[at];
    size_t found = kNone;
    std::vector<std::string> candidates;
    for (size_t column = 0; column < fields.size(); ++column) {
      candidates.push_back(fields[column].name);
      if (equal_ignoring_case(fields[column].name, name.text)) found = column;
    }
    if (found == kNone) {
      return fail_at(ErrorCode::SqlUnknownColumn, name.position,
                     fmt::format("'{}' has no column '{}'", target.name, name.text),
                     did_you_mean(name.text, candidates));
    }
    if (found == computed) {
      return fail_at(ErrorCode::SqlInsertMismatch, name.position,
                     fmt::format("column '{}' of '{}' is computed from the others", fields[found].name, target.name),
                     "Leave it out");
    }
    if (places[found] != kNone) {
      return fail_at(ErrorCode::SqlInsertMismatch, name.position, fmt::format("'{}' is named twice", name.text));
    }
    places[found] = at;
  }
  return places;
}

// As in Flink, exact numbers go into any DECIMAL (rounded; what has too many digits is NULL and counted), and a DECIMAL
// into a FLOAT.
bool narrowing_number(const columnar::Type& given, const columnar::Type& target) {
  const bool exact = columnar::is_integer(given) || given == columnar::TypeKind::kDecimal;
  const bool decimal = exact && target == columnar::TypeKind::kDecimal && !widens(given, target);
  return decimal || (given == columnar::TypeKind::kDecimal && target == columnar::TypeKind::kFloat);
}

Result<Expression> fit(const Field& target, const Field& given, size_t index, TextPosition position) {
  const bool narrows = narrowing_number(given.type, target.type);
  if (!widens(given.type, target.type) && !narrows) {
    return fail_at(ErrorCode::SqlInsertMismatch, position,
                   fmt::format("column '{}' is {} but the query gives {} ('{}')", target.name, type_name(target.type),
                               type_name(given.type), given.name),
                   fmt::format("CAST(... AS {})", type_name(target.type)));
  }
  if ((given.nullable || narrows) && !target.nullable) {
    return fail_at(ErrorCode::SqlInsertMismatch, position,
                   fmt::format("column '{}' is NOT NULL but the query may give NULL ('{}')", target.name, given.name),
                   "Use COALESCE(..., a value), or drop the NOT NULL");
  }
  return coerce(make_column(index, given.name, given.type, given.nullable), target.type);
}

TextPosition column_position(const Query& query, size_t at, size_t given) {
  return query.items.size() == given ? query.items[at].position : query.position;
}

}  // namespace

Result<Plan> QueryBinder::bind_insert(const InsertAst& insert, const catalog::StreamDefinition& target) {
  TRY_ASSIGN(Relation relation, bind_query(insert.query, "query"));
  const size_t given = relation.visible;
  TRY_ASSIGN(std::optional<Expression> event_time, computed_event_time(target));
  const std::optional<size_t> computed = event_time ? target.time_column : std::nullopt;
  TRY_ASSIGN(const auto places, match_columns(insert, target, computed, given));
  std::vector<Expression> expressions;
  std::vector<std::string> names;
  for (size_t at = 0; at < places.size(); ++at) {
    const Field& field = target.schema->fields[at];
    names.push_back(field.name);
    if (places[at] == kNone) {
      if (!field.nullable) {
        return fail_at(ErrorCode::SqlInsertMismatch, insert.target.position,
                       fmt::format("column '{}' is NOT NULL but gets no value", field.name));
      }
      expressions.push_back(Expression{field.type, true, Literal{}});
      continue;
    }
    const Field& source = relation.schema().fields[places[at]];
    TRY_ASSIGN(Expression expression, fit(field, source, places[at], column_position(insert.query, places[at], given)));
    expressions.push_back(std::move(expression));
  }
  if (event_time) {
    substitute(*event_time, expressions);
    expressions[*computed] = std::move(*event_time);
  }
  relation.path = "insert";
  Relation output = project(std::move(relation), std::move(expressions), std::move(names));
  const size_t visible = output.visible;
  return Plan{prune(std::move(output.node), visible)};
}

}  // namespace tidegate::sql
