#include "sql/internal/bind_expression.h"

#include <algorithm>

#include <fmt/format.h>

#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::Type;
using columnar::type_name;
using columnar::TypeKind;

namespace {

constexpr std::string_view kWindowColumns[] = {"window_start", "window_end", "window_time"};

size_t count_nodes(const Expression& expression) {
  const auto* call = std::get_if<std::unique_ptr<Call>>(&expression.node);
  size_t nodes = 1;
  if (call != nullptr) {
    for (const Expression& argument : (*call)->arguments) nodes += count_nodes(argument);
  }
  return nodes;
}

// A balanced tree, so that a long chain is not deep.
Expression balanced(FunctionId function, std::vector<Expression>& parts, size_t first, size_t last) {
  if (last - first == 1) return std::move(parts[first]);
  const size_t middle = first + (last - first) / 2;
  std::vector<Expression> both;
  both.push_back(balanced(function, parts, first, middle));
  both.push_back(balanced(function, parts, middle, last));
  const bool nullable = both[0].nullable || both[1].nullable;
  return make_call(function, TypeKind::kBoolean, nullable, std::move(both));
}

bool castable(const Type& from, const Type& to) {
  if (from == to || from == TypeKind::kNull) return true;
  if (from == TypeKind::kInterval) return false;
  if (from.is_nested() && to.kind == from.kind && from.fields->size() == to.fields->size()) {
    for (size_t at = 0; at < from.fields->size(); ++at) {
      const columnar::Field& given = (*from.fields)[at];
      const columnar::Field& wanted = (*to.fields)[at];
      const bool may_be_null = given.nullable || !widens(given.type, wanted.type);
      if ((may_be_null && !wanted.nullable) || !castable(given.type, wanted.type)) return false;
    }
    return true;
  }
  if (to == TypeKind::kString) return true;
  if (from.is_nested() || to.is_nested()) return false;
  const bool numeric = columnar::is_numeric(from) && columnar::is_numeric(to);
  const bool flag = (from == TypeKind::kBoolean && columnar::is_numeric(to)) ||
                    (to == TypeKind::kBoolean && columnar::is_numeric(from));
  const bool times = columnar::is_timestamp(from) && columnar::is_timestamp(to);
  return from == TypeKind::kString || numeric || flag || times;
}

}  // namespace

Expression make_call(FunctionId function, Type type, bool nullable, std::vector<Expression> arguments) {
  auto call = std::make_unique<Call>();
  call->function = function;
  call->arguments = std::move(arguments);
  return Expression{std::move(type), nullable, std::move(call)};
}

Expression conjunction(std::vector<Expression> parts) { return balanced(FunctionId::kAnd, parts, 0, parts.size()); }

Expression make_column(size_t index, std::string name, Type type, bool nullable) {
  return Expression{std::move(type), nullable, ColumnRef{index, std::move(name)}};
}

Result<> ExpressionBinder::count(const Expression& copied, TextPosition position) {
  nodes_ += count_nodes(copied);
  if (nodes_ <= kMaxBoundNodes) return {};
  return fail_at(ErrorCode::SqlTooComplex, position, "the expressions of the statement are too large",
                 "Compute repeated parts in a view");
}

Result<Expression> ExpressionBinder::bind(const AstExpression& ast) {
  if (++nodes_ > kMaxBoundNodes) {
    return fail_at(ErrorCode::SqlTooComplex, ast.position, "the expressions of the statement are too large",
                   "Split the query into views");
  }
  switch (ast.kind) {
    case AstKind::kLiteral:
      return Expression{ast.type, std::holds_alternative<std::monostate>(ast.literal), ast.literal};
    case AstKind::kColumn: return bind_column(ast);
    case AstKind::kCall: return bind_call(ast);
    case AstKind::kCast: return bind_cast(ast);
    case AstKind::kCase:
    case AstKind::kSimpleCase: return bind_case(ast);
    case AstKind::kBetween: return bind_between(ast);
    case AstKind::kIn: return bind_in(ast);
    case AstKind::kInQuery:
    case AstKind::kExists: return bind_mark(ast);
    case AstKind::kField: return bind_field(ast);
    case AstKind::kStar: break;
  }
  return fail_at(ErrorCode::SqlSyntax, ast.position, "* stands only in COUNT(*) and alone in SELECT");
}

Result<Expression> ExpressionBinder::bind_condition(const AstExpression& ast, std::string_view what) {
  TRY_ASSIGN(Expression condition, bind(ast));
  if (condition.type == TypeKind::kNull) condition.type = TypeKind::kBoolean;
  if (condition.type == TypeKind::kBoolean) return condition;
  return fail_at(ErrorCode::SqlTypeMismatch, ast.position,
                 fmt::format("{} needs a BOOLEAN but has {}", what, type_name(condition.type)),
                 "Compare it with something");
}

bool ExpressionBinder::has_column(const ScopePart& part, const Name& name) const {
  for (size_t at = part.first; at < part.first + part.count; ++at) {
    const std::string& column = scope_.input->fields[at].name;
    if (column == name.text || (!name.quoted && equal_ignoring_case(column, name.text))) return true;
  }
  return false;
}

Result<ScopePart> ExpressionBinder::part_of(const std::vector<Name>& path, TextPosition position) const {
  const bool inner = scope_.inner && (path.size() < 2 ? has_column(*scope_.inner, path.back())
                                                      : equal_ignoring_case(path[0].text, scope_.inner->alias));
  if (inner) return *scope_.inner;
  if (path.size() < 2) return ScopePart{{}, 0, scope_.visible};
  if (scope_.parts.empty() && equal_ignoring_case(path[0].text, scope_.alias)) return ScopePart{{}, 0, scope_.visible};
  std::string tables = scope_.parts.empty() ? scope_.alias : "";
  for (const ScopePart& part : scope_.parts) {
    if (equal_ignoring_case(path[0].text, part.alias)) return part;
    if (!part.alias.empty()) tables += (tables.empty() ? "" : "', '") + part.alias;
  }
  return fail_at(ErrorCode::SqlUnknownStream, position, fmt::format("no table '{}' in this query", path[0].text),
                 tables.empty() ? "" : fmt::format("The table is '{}'", tables));
}

Result<ScopePart> ExpressionBinder::star_part(const SelectItem& item) const {
  if (!item.qualifier) return ScopePart{{}, 0, scope_.visible};
  return part_of({*item.qualifier, {}}, item.position);
}

Result<size_t> ExpressionBinder::find_column(const std::vector<Name>& path, TextPosition position) {
  const Name& name = path.back();
  TRY_ASSIGN(const ScopePart part, part_of(path, position));
  std::optional<size_t> found;
  size_t exact = 0;
  size_t loose = 0;
  std::vector<std::string> candidates;
  const auto consider = [&](std::string_view column, size_t index) {
    candidates.emplace_back(column);
    if (column == name.text) {
      if (exact++ == 0) found = index;
    } else if (!name.quoted && equal_ignoring_case(column, name.text)) {
      if (loose++ == 0 && exact == 0) found = index;
    }
  };
  for (size_t at = part.first; at < part.first + part.count; ++at) consider(scope_.input->fields[at].name, at);
  if (scope_.windowed && part.first == 0) {
    for (size_t at = 0; at < 3; ++at) consider(kWindowColumns[at], scope_.window_base() + at);
  }
  if (exact > 1 || (exact == 0 && loose > 1)) {
    return fail_at(ErrorCode::SqlAmbiguousColumn, position, fmt::format("'{}' fits more than one column", name.text),
                   scope_.parts.empty() ? "Give the columns different names with AS" : "Write the table before it");
  }
  if (found) return *found;
  return fail_at(ErrorCode::SqlUnknownColumn, position, fmt::format("unknown column '{}'", name.text),
                 did_you_mean(name.text, candidates));
}

// A subquery that has become a column of the input.
Result<Expression> ExpressionBinder::bind_mark(const AstExpression& ast) const {
  for (const auto& [query, index] : scope_.marks) {
    if (query != ast.query.get()) continue;
    const columnar::Field& field = scope_.input->fields[index];
    return make_column(index, field.name, field.type, field.nullable);
  }
  return fail_at(ErrorCode::SqlUnsupported, ast.position,
                 fmt::format("{} (SELECT ...) is supported in WHERE only", ast.name),
                 "Put it into WHERE, or use LEFT JOIN ... FOR SYSTEM_TIME AS OF and IS NOT NULL");
}

Result<Expression> ExpressionBinder::bind_column(const AstExpression& ast) {
  const std::string upper = to_upper(ast.path[0].text);
  if (ast.path.size() == 1 && (upper == "CURRENT_TIMESTAMP" || upper == "LOCALTIMESTAMP")) {
    return resolve_call(upper, ast.position, {});  // says why it is refused
  }
  // What follows the column are fields of it. A table's name goes before a column's, as in Flink.
  size_t taken = std::min<size_t>(ast.path.size(), 2);
  if (taken == 2 && !names_table(ast.path[0]) && has_column({{}, 0, scope_.visible}, ast.path[0])) taken = 1;
  TRY_ASSIGN(const size_t index,
             find_column({ast.path.begin(), ast.path.begin() + static_cast<std::ptrdiff_t>(taken)}, ast.position));
  TRY_ASSIGN(Expression expression, column_at(index, ast.position));
  for (size_t at = taken; at < ast.path.size(); ++at) {
    TRY_ASSIGN(expression, field_of(std::move(expression), ast.path[at]));
  }
  return expression;
}

Result<Expression> ExpressionBinder::bind_field(const AstExpression& ast) {
  TRY_ASSIGN(Expression row, bind(ast.children[0]));
  return field_of(std::move(row), ast.path[0]);
}

bool ExpressionBinder::names_table(const Name& name) const {
  const auto is_alias = [&](std::string_view alias) { return equal_ignoring_case(name.text, alias); };
  if (scope_.inner && is_alias(scope_.inner->alias)) return true;
  if (scope_.parts.empty()) return is_alias(scope_.alias);
  return std::ranges::any_of(scope_.parts, [&](const ScopePart& part) { return is_alias(part.alias); });
}

Result<Expression> ExpressionBinder::column_at(size_t index, TextPosition position) {
  if (index >= scope_.window_base()) {
    const std::string_view name = kWindowColumns[index - scope_.window_base()];
    return make_column(index, std::string(name), scope_.window_type, false);
  }
  scope_.column_positions.resize(scope_.input->fields.size());
  scope_.column_positions[index] = position;
  const columnar::Field& field = scope_.input->fields[index];
  return make_column(index, field.name, field.type, field.nullable);
}

Result<Expression> ExpressionBinder::bind_call(const AstExpression& ast) {
  if (ast.over != nullptr) return bind_over(ast);
  if (is_aggregate(ast.name)) return bind_aggregate(ast);
  if (ast.distinct || ast.filtered) {
    return fail_at(
        ErrorCode::SqlInvalidGrouping, ast.position,
        fmt::format("{} is no aggregate, so it takes no {}", ast.name, ast.distinct ? "DISTINCT" : "FILTER"));
  }
  std::vector<Expression> arguments;
  arguments.reserve(ast.children.size());
  for (const AstExpression& child : ast.children) {
    TRY_ASSIGN(Expression argument, bind(child));
    arguments.push_back(std::move(argument));
  }
  if (ast.name != "AND" && ast.name != "OR") return resolve_call(ast.name, ast.position, std::move(arguments));
  for (size_t at = 0; at < arguments.size(); ++at) {
    if (arguments[at].type == TypeKind::kNull) arguments[at].type = TypeKind::kBoolean;
    if (arguments[at].type == TypeKind::kBoolean) continue;
    return fail_at(ErrorCode::SqlTypeMismatch, ast.children[at].position,
                   fmt::format("{} needs BOOLEAN but has {}", ast.name, type_name(arguments[at].type)),
                   "Compare it with something");
  }
  return balanced(ast.name == "AND" ? FunctionId::kAnd : FunctionId::kOr, arguments, 0, arguments.size());
}

Result<Expression> ExpressionBinder::bind_case(const AstExpression& ast) {
  const bool simple = ast.kind == AstKind::kSimpleCase;
  std::optional<Expression> operand;
  if (simple) {
    TRY_ASSIGN(operand, bind(ast.children[0]));
  }
  std::vector<Expression> arguments;
  size_t at = simple ? 1 : 0;
  for (; at + 1 < ast.children.size(); at += 2) {
    const AstExpression& when = ast.children[at];
    if (simple) {
      TRY_ASSIGN(Expression compared, bind(when));
      TRY(count(*operand, when.position));
      std::vector<Expression> both;
      both.push_back(operand->clone());
      both.push_back(std::move(compared));
      TRY_ASSIGN(Expression condition, resolve_call("=", when.position, std::move(both)));
      arguments.push_back(std::move(condition));
    } else {
      TRY_ASSIGN(Expression condition, bind_condition(when, "WHEN"));
      arguments.push_back(std::move(condition));
    }
    TRY_ASSIGN(Expression value, bind(ast.children[at + 1]));
    arguments.push_back(std::move(value));
  }
  if (at < ast.children.size()) {
    TRY_ASSIGN(Expression otherwise, bind(ast.children[at]));
    arguments.push_back(std::move(otherwise));
  } else {
    arguments.push_back(Expression{TypeKind::kNull, true, Literal{}});
  }
  std::vector<Expression*> values;
  for (size_t value = 1; value + 1 < arguments.size(); value += 2) values.push_back(&arguments[value]);
  values.push_back(&arguments.back());
  TRY_ASSIGN(const Type type, unify(values, ast.position, "the values of CASE"));
  const bool nullable = std::ranges::any_of(values, [](const Expression* value) { return value->nullable; });
  return make_call(FunctionId::kCase, type, nullable, std::move(arguments));
}

Result<Expression> ExpressionBinder::bind_between(const AstExpression& ast) {
  TRY_ASSIGN(Expression value, bind(ast.children[0]));
  TRY_ASSIGN(Expression low, bind(ast.children[1]));
  TRY_ASSIGN(Expression high, bind(ast.children[2]));
  TRY(count(value, ast.position));
  std::vector<Expression> lower;
  lower.push_back(value.clone());
  lower.push_back(std::move(low));
  std::vector<Expression> upper;
  upper.push_back(std::move(value));
  upper.push_back(std::move(high));
  std::vector<Expression> both;
  TRY_ASSIGN(Expression at_least, resolve_call(">=", ast.position, std::move(lower)));
  both.push_back(std::move(at_least));
  TRY_ASSIGN(Expression at_most, resolve_call("<=", ast.position, std::move(upper)));
  both.push_back(std::move(at_most));
  return balanced(FunctionId::kAnd, both, 0, 2);
}

Result<Expression> ExpressionBinder::bind_in(const AstExpression& ast) {
  std::vector<Expression> arguments;
  for (const AstExpression& child : ast.children) {
    TRY_ASSIGN(Expression argument, bind(child));
    if (!arguments.empty() && !std::holds_alternative<Literal>(argument.node)) {
      return fail_at(ErrorCode::SqlUnsupported, child.position, "IN takes literals only", "Use = and OR");
    }
    arguments.push_back(std::move(argument));
  }
  std::vector<Expression*> sides;
  for (Expression& argument : arguments) sides.push_back(&argument);
  TRY_ASSIGN(const Type type, unify(sides, ast.position, "IN"));
  TRY(refuse_nested(type, ast.position, "IN"));
  const bool nullable = std::ranges::any_of(arguments, [](const Expression& argument) { return argument.nullable; });
  return make_call(FunctionId::kIn, TypeKind::kBoolean, nullable, std::move(arguments));
}

Result<Expression> ExpressionBinder::bind_cast(const AstExpression& ast) {
  TRY_ASSIGN(Expression operand, bind(ast.children[0]));
  const Type from = operand.type;
  const Type to = ast.type;
  if (!castable(from, to)) {
    return fail_at(ErrorCode::SqlTypeMismatch, ast.position,
                   fmt::format("{} cannot be cast to {}", type_name(from), type_name(to)),
                   columnar::is_timestamp(to) && columnar::is_numeric(from)
                       ? "Use TO_TIMESTAMP_LTZ(x, 3) for milliseconds, TO_TIMESTAMP_LTZ(x, 0) for seconds"
                       : "");
  }
  Expression cast = coerce(std::move(operand), to);
  // What is no cast any more (a literal, or nothing to do) cannot fail.
  auto* call = std::get_if<std::unique_ptr<Call>>(&cast.node);
  const bool attempt =
      ast.name == "TRY_CAST" && call != nullptr && (*call)->function == FunctionId::kCast && from != to;
  if (attempt) (*call)->function = FunctionId::kTryCast;
  return cast;
}

}  // namespace tidegate::sql
