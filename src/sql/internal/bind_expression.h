// Expressions: names to columns, operators to functions, types by Flink's rules with casts made explicit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "columnar/batch.h"
#include "sql/internal/ast.h"
#include "sql/plan.h"

namespace tidegate::sql {

inline constexpr size_t kMaxBoundNodes = 200'000;  // of one statement: BETWEEN and CASE copy their operand
inline constexpr size_t kMaxAggregates = 256;      // of one window: each costs memory per key

struct BoundAggregate {
  Aggregate aggregate;  // its columns are not yet known
  Expression argument;  // unused for COUNT(*)
  std::optional<Expression> meter;
  std::string text;
  bool nullable = true;
  TextPosition position;
};

[[nodiscard]] bool is_aggregate(std::string_view name);  // in upper case

// A call with OVER; the same for OVER's window, which all calls of a SELECT share.
struct BoundOver {
  OverCall call;  // its argument's column is not yet known
  Expression argument;
  std::string text;
  bool nullable = true;
};
struct OverScope {
  bool is_set = false;
  TextPosition position;
  std::vector<Expression> keys;
  std::vector<Expression> order;
  std::vector<bool> descending;
  std::vector<BoundOver> calls;
};

// Columns that are named by one qualifier.
struct ScopePart {
  std::string alias;
  size_t first = 0;
  size_t count = 0;
};

// What names mean at one place. Column indexes past the input's: window_start, window_end, window_time, then one
// per aggregate.
struct ExpressionScope {
  const columnar::Schema* input = nullptr;
  size_t visible = 0;              // columns beyond have no name here
  std::string alias;               // qualifier; may be empty
  std::vector<ScopePart> parts;    // of a join, instead of `alias`
  std::optional<ScopePart> inner;  // of a subquery: looked at before the others, of which it hides those of its names
  bool windowed = false;
  std::optional<size_t> time_column;  // of the windows
  columnar::Type window_type = columnar::TypeKind::kTimestamp;
  bool grouped = false;                                // aggregates are allowed
  OverScope* over = nullptr;                           // calls with OVER are allowed, and gathered here
  std::vector<std::pair<const Query*, size_t>> marks;  // subqueries that are columns already
  std::vector<BoundAggregate> aggregates;
  std::vector<TextPosition> column_positions;  // where each column was last named

  [[nodiscard]] size_t window_base() const { return input->fields.size(); }
  [[nodiscard]] size_t aggregate_base() const { return window_base() + 3; }
};

class ExpressionBinder {
 public:
  ExpressionBinder(ExpressionScope& scope, size_t& nodes) : scope_(scope), nodes_(nodes) {}

  [[nodiscard]] Result<Expression> bind(const AstExpression& ast);
  // BOOLEAN; `what` is "WHERE" or "HAVING".
  [[nodiscard]] Result<Expression> bind_condition(const AstExpression& ast, std::string_view what);
  [[nodiscard]] Result<size_t> find_column(const std::vector<Name>& path, TextPosition position);
  // The columns of * or qualifier.*.
  [[nodiscard]] Result<ScopePart> star_part(const SelectItem& item) const;

 private:
  // The columns that a name of this path may mean.
  [[nodiscard]] Result<ScopePart> part_of(const std::vector<Name>& path, TextPosition position) const;
  [[nodiscard]] bool has_column(const ScopePart& part, const Name& name) const;
  [[nodiscard]] Result<Expression> bind_call(const AstExpression& ast);
  // In bind_over.cpp.
  [[nodiscard]] Result<Expression> bind_over(const AstExpression& ast);
  [[nodiscard]] Result<> bind_over_window(const OverClause& clause, OverScope& over);
  [[nodiscard]] Result<> bind_over_arguments(const AstExpression& ast, BoundOver& bound);
  [[nodiscard]] Result<> bind_frame(const AstExpression& ast, BoundOver& bound);
  // In bind_aggregate.cpp.
  [[nodiscard]] Result<Expression> bind_aggregate(const AstExpression& ast);
  [[nodiscard]] Result<std::vector<Expression>> bind_aggregate_arguments(const AstExpression& ast);
  [[nodiscard]] Result<> bind_filter(const AstExpression& ast, BoundAggregate& bound);
  [[nodiscard]] Result<> bind_coverage(const AstExpression& ast, const Expression& interval, BoundAggregate& bound);
  [[nodiscard]] Result<Expression> add_aggregate(BoundAggregate bound);
  [[nodiscard]] Result<> check_event_time(const Expression& time, const AstExpression& ast) const;
  // That what depends on the order of rows has event times to go by.
  [[nodiscard]] Result<> check_ordered(AggregateFunction function, const AstExpression& ast) const;
  [[nodiscard]] Result<Expression> bind_column(const AstExpression& ast);
  [[nodiscard]] Result<Expression> column_at(size_t index, TextPosition position);
  [[nodiscard]] Result<Expression> bind_field(const AstExpression& ast);
  [[nodiscard]] bool names_table(const Name& name) const;
  [[nodiscard]] Result<Expression> bind_case(const AstExpression& ast);
  [[nodiscard]] Result<Expression> bind_between(const AstExpression& ast);
  [[nodiscard]] Result<Expression> bind_in(const AstExpression& ast);
  [[nodiscard]] Result<Expression> bind_mark(const AstExpression& ast) const;
  [[nodiscard]] Result<Expression> bind_cast(const AstExpression& ast);
  [[nodiscard]] Result<> count(const Expression& copied, TextPosition position);

  ExpressionScope& scope_;
  size_t& nodes_;
  bool inside_aggregate_ = false;
};

// As `target`, by a changed literal or a CAST; the types must allow it.
[[nodiscard]] Expression coerce(Expression expression, const columnar::Type& target);
// INT -> BIGINT -> FLOAT -> DOUBLE; what is exact to a DECIMAL that holds it, DECIMAL -> DOUBLE; NULL to anything.
[[nodiscard]] bool widens(const columnar::Type& from, const columnar::Type& to);
[[nodiscard]] Expression make_call(FunctionId function, columnar::Type type, bool nullable,
                                   std::vector<Expression> arguments);
// All of them by AND, at least one.
[[nodiscard]] Expression conjunction(std::vector<Expression> parts);
[[nodiscard]] Expression make_column(size_t index, std::string name, columnar::Type type, bool nullable);
// row.name. SqlUnknownColumn, SqlTypeMismatch.
[[nodiscard]] Result<Expression> field_of(Expression row, const Name& name);
// SqlTypeMismatch for an ARRAY or ROW: `what` ("GROUP BY") compares or orders its values.
[[nodiscard]] Result<> refuse_nested(const columnar::Type& type, TextPosition position, std::string_view what);
// Types the arguments of a function or operator. SqlTypeMismatch, SqlUnknownFunction.
[[nodiscard]] Result<Expression> resolve_call(const std::string& name, TextPosition position,
                                              std::vector<Expression> arguments);
// Both as one type. SqlTypeMismatch.
[[nodiscard]] Result<columnar::Type> unify(std::vector<Expression*> sides, TextPosition position,
                                           std::string_view what);

}  // namespace tidegate::sql
