// UNION ALL: the rows of several queries, at the places and names of the first one's columns.
#include <algorithm>

#include <fmt/format.h>

#include "sql/internal/bind_query.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::Field;
using columnar::Schema;

namespace {

Expression column_of(const Relation& relation, size_t at) {
  const Field& field = relation.schema().fields[at];
  return make_column(at, field.name, field.type, field.nullable);
}

// The columns of all branches, each branch's at the types that they have in common.
class BranchColumns {
 public:
  BranchColumns(const std::vector<Relation>& branches, const Query& query) : query_(query) {
    for (const Relation& branch : branches) {
      auto& columns = columns_.emplace_back();
      for (size_t at = 0; at < branch.visible; ++at) columns.push_back(column_of(branch, at));
    }
  }

  Result<> unify_types(const Relation& first) {
    for (size_t at = 0; at < columns_.front().size(); ++at) {
      std::vector<Expression*> sides;
      for (auto& columns : columns_) sides.push_back(&columns[at]);
      TRY(unify(sides, position_of(at), fmt::format("column '{}' of UNION ALL", first.schema().fields[at].name)));
    }
    return {};
  }

  std::vector<Expression> take(size_t branch) { return std::move(columns_[branch]); }

 private:
  [[nodiscard]] TextPosition position_of(size_t at) const {
    const Query& last = *query_.branches.back();
    return last.items.size() == columns_.front().size() ? last.items[at].position : last.position;
  }

  const Query& query_;
  std::vector<std::vector<Expression>> columns_;
};

// Where all branches have it; nothing if they differ or one has none.
std::optional<size_t> same_place(const std::vector<Relation>& branches, std::optional<size_t> Relation::* column) {
  const std::optional<size_t> first = branches.front().*column;
  for (const Relation& branch : branches) {
    if (branch.*column != first || (first && *first >= branch.visible)) return std::nullopt;
  }
  return first;
}

}  // namespace

Result<Relation> QueryBinder::bind_union(const Query& query, const std::string& path) {
  std::vector<Relation> branches;
  for (const auto& branch : query.branches) {
    TRY_ASSIGN(Relation relation, bind_query(*branch, path));
    if (!branches.empty() && relation.visible != branches.front().visible) {
      return fail_at(ErrorCode::SqlTypeMismatch, branch->position,
                     fmt::format("UNION ALL needs the same columns on all sides; this one has {}, the first one {}",
                                 relation.visible, branches.front().visible));
    }
    relation.path = path;
    branches.push_back(std::move(relation));
  }
  BranchColumns columns(branches, query);
  TRY(columns.unify_types(branches.front()));

  Relation output;
  output.path = path;
  output.visible = branches.front().visible;
  output.time_column = same_place(branches, &Relation::time_column);
  output.has_watermark = true;
  bool by_device = true;
  for (const Relation& branch : branches) {
    output.has_watermark = output.has_watermark && branch.has_watermark;
    by_device = by_device && branch.device_column.has_value();
    for (const std::string& zone : branch.zones) {
      if (std::ranges::find(output.zones, zone) == output.zones.end()) output.zones.push_back(zone);
    }
    output.state_ttl_us = std::max(output.state_ttl_us, branch.state_ttl_us);
    output.source += (output.source.empty() ? "" : ", ") + branch.source;
  }
  std::vector<std::string> names;
  for (size_t at = 0; at < output.visible; ++at) names.push_back(branches.front().schema().fields[at].name);
  output.device_column = same_place(branches, &Relation::device_column);
  const bool hidden_device = by_device && !output.device_column;
  if (hidden_device) output.device_column = output.visible;

  auto node = std::make_unique<PlanNode>();
  Schema schema;
  std::string meaning;
  for (size_t at = 0; at < branches.size(); ++at) {
    std::vector<Expression> expressions = columns.take(at);
    std::vector<std::string> branch_names = names;
    if (hidden_device) {
      expressions.push_back(column_of(branches[at], *branches[at].device_column));
      branch_names.emplace_back(expressions.back().type == columnar::TypeKind::kString ? "device" : "");
    } else if (!by_device) {
      branches[at].device_column.reset();  // or project() would keep it
    }
    Relation branch = project(std::move(branches[at]), std::move(expressions), std::move(branch_names));
    for (size_t column = 0; column < branch.schema().fields.size(); ++column) {
      const Field& field = branch.schema().fields[column];
      if (at == 0) {
        schema.fields.push_back(field);
      } else {
        schema.fields[column].nullable = schema.fields[column].nullable || field.nullable;
      }
    }
    meaning += branch.node->operator_id + ";";
    node->inputs.push_back(std::move(branch.node));
  }
  node->output = std::make_shared<Schema>(std::move(schema));
  node->operator_id = operator_id(path, "union", meaning);
  node->node = UnionAll{};
  output.node = std::move(node);
  return output;
}

}  // namespace tidegate::sql
