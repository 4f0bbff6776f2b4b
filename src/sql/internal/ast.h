// What the parser makes of a statement: names not yet resolved, types not yet known.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "columnar/types.h"
#include "sql/expression.h"
#include "sql/plan.h"
#include "sql/sql.h"

namespace tidegate::sql {

struct Name {
  std::string text;
  bool quoted = false;
  TextPosition position;
};

enum class AstKind : uint8_t {
  kLiteral,
  kColumn,      // path
  kCall,        // name (upper case, or the operator), children; AND and OR have two or more
  kCast,        // type, children[0]
  kCase,        // condition, value, ..., [else]
  kSimpleCase,  // operand, compared, value, ..., [else]
  kBetween,     // value, low, high
  kIn,          // value, literal, ...
  kStar,        // the * of COUNT(*)
  kInQuery,     // children[0] IN (query)
  kExists,      // EXISTS (query)
  kField,       // children[0].path[0]
};

struct OverClause;
struct Query;

struct AstExpression {
  AstKind kind = AstKind::kLiteral;
  TextPosition position;
  std::string name;
  std::vector<Name> path;
  Literal literal;
  columnar::Type type = columnar::TypeKind::kNull;
  std::vector<AstExpression> children;
  bool distinct = false;                             // kCall: DISTINCT before the arguments
  bool filtered = false;                             // kCall: the last child is the condition of FILTER (WHERE ...)
  std::shared_ptr<const OverClause> over = nullptr;  // kCall; shared by the copies of the expression
  std::shared_ptr<const Query> query = nullptr;      // kInQuery, kExists; shared by the copies of the expression
  int depth = 1;                                     // levels of this tree; at most kMaxNesting
};

struct OrderItem {
  AstExpression expression;
  bool descending = false;
  std::optional<bool> nulls_first = std::nullopt;  // by default NULL is the least
};

enum class FrameKind : uint8_t { kNone, kRows, kRange, kUnbounded };

// OVER (PARTITION BY partition ORDER BY order frame).
struct OverClause {
  TextPosition position;
  std::vector<AstExpression> partition;
  std::vector<OrderItem> order;
  FrameKind frame = FrameKind::kNone;
  TextPosition frame_position;
  int64_t rows = 0;
  int64_t range_us = 0;
};

struct TableRef;

// A window function over a table.
struct WindowCall {
  TextPosition position;
  WindowSpec spec;
  std::unique_ptr<TableRef> table;
  Name time_column;
  std::vector<Name> partition_by;         // SESSION
  std::vector<size_t> partition_columns;  // the same, bound
  TextPosition size_position;
  TextPosition slide_position;
  std::optional<TextPosition> zone_position;
};

struct DetectArgument {
  std::string name;                           // in upper case
  TextPosition position;                      // of what it is given
  std::variant<Name, double, int64_t> value;  // DESCRIPTOR(column), a number, an interval in microseconds
};

// A detection function over a table.
struct DetectCall {
  TextPosition position;
  DetectKind kind = DetectKind::kThreshold;
  std::unique_ptr<TableRef> table;
  std::vector<Name> partition_by;
  std::vector<DetectArgument> arguments;
};

struct TableRef {
  TextPosition position;
  std::variant<Name, std::unique_ptr<Query>, WindowCall, DetectCall> source;
  std::optional<AstExpression> as_of;  // FOR SYSTEM_TIME AS OF
  std::optional<Name> alias;
};

// UNNEST(array) [WITH ORDINALITY] [AS alias [(column, ...)]]
struct UnnestClause {
  AstExpression array;
  bool ordinality = false;
  std::optional<Name> alias;
  std::vector<Name> columns;  // empty: not named
};

// [LEFT] JOIN table ON condition, or CROSS JOIN UNNEST(array).
struct JoinClause {
  TextPosition position;
  bool left = false;
  std::optional<UnnestClause> unnest;  // instead of a table and a condition
  TableRef table;
  AstExpression condition;
};

struct SelectItem {
  TextPosition position;
  bool star = false;              // * or qualifier.*
  std::optional<Name> qualifier;  // of the star
  AstExpression expression;
  std::optional<Name> alias;
};

struct CommonTable {
  Name name;
  std::unique_ptr<Query> query;
};

// ORDER BY ... LIMIT ... OFFSET ... at the end of a query.
struct QueryTail {
  TextPosition position;
  std::string first_word;  // "ORDER BY", "LIMIT", "OFFSET" or "FETCH", for messages
  std::vector<OrderItem> order;
  std::optional<uint64_t> limit;
  uint64_t offset = 0;
};

struct Query {
  TextPosition position;
  std::vector<CommonTable> common_tables;
  std::vector<std::unique_ptr<Query>> branches;  // of UNION ALL; if there are any, all below is empty
  std::optional<TextPosition> distinct;          // SELECT DISTINCT
  std::vector<SelectItem> items;
  TableRef from;
  std::vector<JoinClause> joins;
  std::optional<AstExpression> where;
  std::vector<AstExpression> group_by;
  std::optional<TextPosition> group_by_position;
  std::optional<AstExpression> having;
  std::optional<QueryTail> tail;
};

struct ColumnDefinition {
  Name name;
  columnar::Type type = columnar::TypeKind::kNull;
  bool nullable = true;
  std::optional<AstExpression> computed;  // instead of a type: `name AS expression`
  std::string computed_text = {};         // its words, with one blank between them
};

struct WatermarkDefinition {
  Name column;
  int64_t delay_us = 0;
};

struct PrimaryKeyDefinition {
  TextPosition position;
  std::vector<Name> columns;
};

struct OptionDefinition {
  std::string key;
  std::string value;
  TextPosition key_position;
  TextPosition value_position;
};

struct CreateTableAst {
  Name name;
  bool if_not_exists = false;
  std::vector<ColumnDefinition> columns;
  std::optional<WatermarkDefinition> watermark;
  std::optional<PrimaryKeyDefinition> key;
  std::vector<OptionDefinition> options;
  size_t elements_end = 0;  // byte behind the last of the columns and other elements
};

struct CreateViewAst {
  Name name;
  bool if_not_exists = false;
  Query query;
  std::string query_text;
};

struct AlterTableAst {
  Name name;
  bool if_exists = false;
  std::vector<ColumnDefinition> columns;
  std::string columns_text;  // as written, without parentheses around them
};

struct DropAst {
  DropKind kind = DropKind::kTable;
  Name name;
  bool if_exists = false;
};

struct InsertAst {
  Name target;
  std::vector<Name> columns;  // empty: all, in order
  Query query;
};

struct SelectAst {
  Query query;
};

struct SetAst {
  std::string key;
  std::string value;
  TextPosition key_position;
  TextPosition value_position;
};

struct ExplainAst;

using StatementAst = std::variant<CreateTableAst, CreateViewAst, AlterTableAst, DropAst, InsertAst, SelectAst, SetAst,
                                  Show, std::unique_ptr<ExplainAst>>;

struct ExplainAst {
  StatementAst statement;
};

}  // namespace tidegate::sql
