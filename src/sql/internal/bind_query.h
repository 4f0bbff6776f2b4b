// Queries to plans.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "sql/internal/ast.h"
#include "sql/internal/bind_expression.h"
#include "sql/plan.h"
#include "sql/sql.h"

namespace tidegate::sql {

inline constexpr int kMaxQueryDepth = 64;     // views, common tables and subqueries within one another
inline constexpr size_t kMaxColumns = 1024;   // of one SELECT
inline constexpr size_t kMaxGroupKeys = 64;   // of one GROUP BY
inline constexpr size_t kMaxSubqueries = 32;  // of one WHERE: each looks up every row

// The one that is not named anywhere: what was made before there were others goes on by it.
[[nodiscard]] inline std::string utc_is_empty(std::string_view zone) {
  return zone == "UTC" ? std::string() : std::string(zone);
}

// A plan being built and what its columns are. Columns from `visible` on are kept for the engine only.
struct Relation {
  std::unique_ptr<PlanNode> node;
  std::string alias;
  std::vector<ScopePart> parts;  // of a join: which columns are whose; else empty
  size_t visible = 0;
  std::string source;  // the stream's name; of several: "a, b"
  std::string path;    // first part of operator ids
  bool has_watermark = false;
  std::optional<size_t> time_column;
  std::optional<size_t> device_column;
  std::optional<size_t> window_start;  // of a query with a window, by plain lineage
  std::optional<size_t> window_end;
  std::vector<std::string> zones;    // by whose clocks its streams go, each once; empty for UTC
  int64_t state_ttl_us = 0;          // the longest 'state.ttl' of the streams; 0: none
  std::optional<WindowCall> window;  // over this relation, not yet grouped; its `table` is empty

  [[nodiscard]] const columnar::Schema& schema() const { return *node->output; }
};

class QueryBinder {
 public:
  // `zone`: of the installation, empty for UTC.
  explicit QueryBinder(const Names& names, std::string_view zone = {}) : names_(names), zone_(utc_is_empty(zone)) {}

  // The plan with unused columns pruned; yields the query's columns only.
  [[nodiscard]] Result<Plan> bind(const Query& query);
  // The same of a SELECT by itself, which may end in ORDER BY and LIMIT.
  [[nodiscard]] Result<Plan> bind_statement(const Query& query);
  // As bind(), then the columns at `target`'s types. SqlInsertMismatch.
  [[nodiscard]] Result<Plan> bind_insert(const InsertAst& insert, const catalog::StreamDefinition& target);
  // That the computed columns of a stream to be made can be computed.
  [[nodiscard]] Result<> check_computed(const catalog::StreamDefinition& stream,
                                        const std::vector<ColumnDefinition>& columns);

 private:
  struct CommonScope {
    const CommonTable* table;
    size_t before;  // common tables it may name
  };

  [[nodiscard]] Result<Relation> bind_query(const Query& query, const std::string& path);
  // What its ORDER BY needs beyond its columns follows them.
  [[nodiscard]] Result<Relation> bind_ordered(const Query& query, const std::string& path);
  [[nodiscard]] Result<> bind_order(const Query& query, ExpressionScope& scope, std::vector<Expression>& expressions,
                                    std::vector<std::string>& names);
  [[nodiscard]] Result<> order_union(const Query& query, const Relation& relation);
  [[nodiscard]] Result<Relation> bind_union(const Query& query, const std::string& path);
  [[nodiscard]] Result<Relation> bind_select(const Query& query, const std::string& path);
  [[nodiscard]] Result<Relation> bind_table(const TableRef& table, const std::string& path);
  [[nodiscard]] Result<Relation> bind_name(const Name& name);
  [[nodiscard]] Result<Relation> bind_join(const JoinClause& join, Relation input);
  [[nodiscard]] Result<Relation> bind_unnest(const UnnestClause& unnest, bool left, Relation input);
  [[nodiscard]] Result<catalog::TablePtr> joined_table(const TableRef& table) const;
  [[nodiscard]] Result<std::optional<Expression>> bind_as_of(const TableRef& table,
                                                             const catalog::TableDefinition& what,
                                                             const Relation& input);
  // Makes columns of the subqueries in a condition, and names them in `marks`.
  using Marks = std::vector<std::pair<const Query*, size_t>>;
  [[nodiscard]] Result<> bind_subqueries(const AstExpression& ast, Relation& input, Marks& marks);
  [[nodiscard]] Result<LookupJoin> bind_membership(const AstExpression& ast, const Relation& input, const Marks& marks);
  [[nodiscard]] Result<> bind_in_query(const AstExpression& ast, const Relation& input, const Marks& marks,
                                       LookupJoin& into);
  // `both`: the input's columns, then the table's.
  [[nodiscard]] Result<> bind_exists(const AstExpression& ast, const columnar::Schema& both, const Relation& input,
                                     LookupJoin& into);
  [[nodiscard]] Result<Relation> bind_window(const WindowCall& call, const std::string& path);
  // Of a window that names no zone.
  [[nodiscard]] static Result<> go_by_clocks(const WindowCall& call, const Relation& input, WindowSpec& spec);
  [[nodiscard]] Result<Relation> bind_detect(const DetectCall& call, const std::string& path);
  [[nodiscard]] Result<Relation> detect_node(const DetectCall& call, Relation input);
  [[nodiscard]] Result<Relation> bind_plain(const Query& query, Relation input);
  [[nodiscard]] Result<Relation> bind_over(const Query& query, Relation input);
  [[nodiscard]] Result<bool> check_order(const OverScope& over, const Relation& input) const;
  [[nodiscard]] Result<int64_t> state_ttl(const OverScope& over, const Relation& input, bool by_time) const;
  [[nodiscard]] Result<Relation> over_node(Relation input, OverScope& over, bool by_time);
  [[nodiscard]] Result<Relation> bind_grouped(const Query& query, Relation input);
  // Makes one window of all rows of `input`.
  void window_over_all(const Query& query, Relation& input);
  [[nodiscard]] Result<> refuse_window_keys(const Query& query, const Relation& input) const;
  [[nodiscard]] Result<> refuse_ungrouped(const Query& query, const Relation& input) const;
  [[nodiscard]] Result<std::vector<Expression>> bind_items(const Query& query, ExpressionScope& scope,
                                                           std::vector<std::string>& names);
  [[nodiscard]] Result<std::vector<Expression>> distinct_keys(const Query& query, const ExpressionScope& scope,
                                                              const std::vector<Expression>& items) const;
  [[nodiscard]] Result<std::vector<Expression>> bind_keys(const Query& query, ExpressionScope& scope);
  [[nodiscard]] Relation aggregate(Relation input, const ExpressionScope& scope, std::vector<Expression> keys);
  // Shared with the catalog, which may drop the stream meanwhile.
  [[nodiscard]] Result<Relation> read_stream(std::shared_ptr<const catalog::StreamDefinition> stream,
                                             TextPosition position);
  [[nodiscard]] Result<Relation> with_computed(Relation stored, const catalog::StreamDefinition& stream,
                                               const std::vector<ColumnDefinition>& columns);
  [[nodiscard]] Relation scan(std::shared_ptr<const catalog::StreamDefinition> stream);
  void filter(Relation& relation, Expression predicate);
  // What does not look at the elements of an array filters before it is taken apart.
  void filter_early(Relation& relation, Expression predicate);
  [[nodiscard]] Relation project(Relation input, std::vector<Expression> expressions, std::vector<std::string> names);
  [[nodiscard]] std::string operator_id(const std::string& path, std::string_view kind, const std::string& meaning);

  const Names& names_;
  std::string zone_;
  std::vector<CommonScope> common_;
  std::vector<std::string> ids_;
  Ordering ordering_;  // of the query with a tail
  bool ends_ = false;  // what it reads: a statement's, by itself
  std::optional<TextPosition> whole_;
  size_t nodes_ = 0;
  int depth_ = 0;
};

// What names mean in a query over `relation`.
[[nodiscard]] ExpressionScope scope_of(const Relation& relation);
// Where an expression of the select list stands, or one that ORDER BY has added to it.
[[nodiscard]] TextPosition item_position(const Query& query, size_t at);

// Whether a SELECT needs all rows before it has a result, if there is no window.
[[nodiscard]] bool groups_whole(const Query& query);
// Whether a SELECT has calls with OVER.
[[nodiscard]] bool needs_over(const Query& query);

// Drops from every node the columns that nothing above uses; the root keeps its first `visible` ones.
[[nodiscard]] std::unique_ptr<PlanNode> prune(std::unique_ptr<PlanNode> root, size_t visible);

}  // namespace tidegate::sql
