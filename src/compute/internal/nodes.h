// The nodes of a compiled expression: columns, literals, function calls, choices.
#pragma once

#include <memory>
#include <vector>

#include "compute/internal/frame.h"

namespace tidegate::compute {

// One thread at a time. A node's result lives until it runs again.
class Node {
 public:
  virtual ~Node() = default;
  [[nodiscard]] virtual Value run(Run& run) = 0;
  // The input column it stands for; nothing for every other node.
  [[nodiscard]] virtual std::optional<size_t> input_column() const { return std::nullopt; }
  // The memory behind the last result, if it is the node's own; the caller may take it.
  [[nodiscard]] virtual Column* own_result() { return nullptr; }
};
using NodePtr = std::unique_ptr<Node>;

[[nodiscard]] NodePtr compile_node(const sql::Expression& expression);

// CASE (condition, value, ..., else).
[[nodiscard]] NodePtr make_case(const Type& type, std::vector<NodePtr> arguments);
// COALESCE (value, ...).
[[nodiscard]] NodePtr make_coalesce(const Type& type, std::vector<NodePtr> arguments);

}  // namespace tidegate::compute
