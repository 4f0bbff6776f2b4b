// CASE and COALESCE: every row takes its value from one of several branches. Branches are evaluated for whole batches,
// but only errors of rows that take a branch count, as if the others had not been evaluated.
#include <limits>
#include <utility>

#include "base/check.h"
#include "compute/internal/nodes.h"

namespace tidegate::compute {

namespace {

class ChoiceNode : public Node {
 public:
  explicit ChoiceNode(Type type) : type_(std::move(type)), at_end_(columnar::is_text(type_) || type_.is_nested()) {}
  Column* own_result() override { return &out_; }

 protected:
  using Choice = uint16_t;
  static constexpr Choice kOpen = std::numeric_limits<Choice>::max();

  // No row has chosen yet. Rows that nobody asks for are never chosen for, so that their errors do not count.
  void start(const Run& run) {
    open_.clear();
    if (run.active != nullptr) {
      open_ = *run.active;
    } else {
      open_.resize(run.input.rows, true);
    }
    choices_.assign(run.input.rows, kOpen);
  }

  void choose(size_t row, Choice branch) {
    choices_[row] = branch;
    open_.reset(row);
  }

  // Copies the rows that chose `branch` out of its value.
  void blend(const Value& value, Choice branch, size_t rows) {
    for (size_t row = 0; row < rows; ++row) {
      if (choices_[row] == branch && !value.valid(row)) clear_valid(row, rows);
    }
    switch (columnar::value_width(type_)) {
      case 1: return blend_values<uint8_t>(value, branch, rows);
      case 4: return blend_values<uint32_t>(value, branch, rows);
      case 16: return blend_values<columnar::Int128>(value, branch, rows);
      default: return blend_values<uint64_t>(value, branch, rows);
    }
  }

  // Values of any length are put together row by row at the end, when all branches are there.
  void blend_at_end(const std::vector<Value>& values, size_t rows) {
    if (!type_.is_nested()) return blend_texts(values, rows);
    columnar::ColumnBuilder builder(type_);
    for (size_t row = 0; row < rows; ++row) {
      const Choice choice = choices_[row];
      if (choice == kOpen) {
        builder.append_null();
      } else {
        builder.append_from(*values[choice].column, values[choice].row(row));
      }
    }
    out_ = builder.take();
  }

  void blend_texts(const std::vector<Value>& values, size_t rows) {
    for (size_t row = 0; row < rows; ++row) {
      const Choice choice = choices_[row];
      if (choice != kOpen && values[choice].valid(row)) {
        const std::string_view text = values[choice].text(row);
        if (out_.text.size() + text.size() <= kMaxColumnTextBytes) {
          out_.text.append({text.data(), text.size()});
        } else {
          clear_valid(row, rows);
        }
      } else {
        clear_valid(row, rows);
      }
      out_.offsets.push_back(static_cast<uint32_t>(out_.text.size()));
    }
  }

  void clear_valid(size_t row, size_t rows) {
    if (out_.validity.empty()) out_.validity.resize(rows, true);
    out_.validity.reset(row);
  }

  // The value of `node` with only the rows of `active` asked for.
  static Value run_for(Node& node, const Bitmap& active, Run& run) {
    const Bitmap* before = std::exchange(run.active, &active);
    const Value value = node.run(run);
    run.active = before;
    return value;
  }

  Type type_;
  bool at_end_;  // see blend_at_end()
  Column out_;
  Bitmap open_;  // rows that have not chosen
  std::vector<Choice> choices_;

 private:
  template <class T>
  void blend_values(const Value& value, Choice branch, size_t rows) {
    auto* __restrict out = reinterpret_cast<T*>(out_.fixed.data());
    const T* from = value.data<T>();
    const size_t step = value.constant ? 0 : 1;
    for (size_t row = 0; row < rows; ++row) {
      if (choices_[row] == branch) out[row] = from[row * step];
    }
  }
};

class CaseNode final : public ChoiceNode {
 public:
  CaseNode(const Type& type, std::vector<NodePtr> arguments) : ChoiceNode(type), arguments_(std::move(arguments)) {}

  Value run(Run& run) override {
    const size_t rows = run.input.rows;
    start(run);
    prepare(out_, type_, rows);
    values_.assign(arguments_.size() / 2 + 1, Value{});
    for (size_t branch = 0; branch < arguments_.size() / 2; ++branch) {
      const Value condition = run_for(*arguments_[2 * branch], open_, run);
      take_branch(*arguments_[2 * branch + 1], condition, static_cast<Choice>(branch), run);
    }
    finish_with_else(run);
    if (at_end_) blend_at_end(values_, rows);
    return {&out_, false};
  }

 private:
  void take_branch(Node& node, const Value& condition, Choice branch, Run& run) {
    const size_t rows = run.input.rows;
    taken_.clear();
    taken_.resize(rows, false);
    const auto* truth = condition.data<uint8_t>();
    for (size_t row = 0; row < rows; ++row) {
      if (open_.test(row) && condition.valid(row) && truth[condition.row(row)] != 0) {
        choose(row, branch);
        taken_.set(row);
      }
    }
    values_[branch] = run_for(node, taken_, run);
    if (!at_end_) blend(values_[branch], branch, rows);
  }

  void finish_with_else(Run& run) {
    const auto branch = static_cast<Choice>(values_.size() - 1);
    for (size_t row = 0; row < run.input.rows; ++row) {
      if (choices_[row] == kOpen) choices_[row] = branch;
    }
    values_[branch] = run_for(*arguments_.back(), open_, run);
    if (!at_end_) blend(values_[branch], branch, run.input.rows);
  }

  std::vector<NodePtr> arguments_;
  std::vector<Value> values_;
  Bitmap taken_;
};

class CoalesceNode final : public ChoiceNode {
 public:
  CoalesceNode(const Type& type, std::vector<NodePtr> arguments) : ChoiceNode(type), arguments_(std::move(arguments)) {}

  Value run(Run& run) override {
    const size_t rows = run.input.rows;
    start(run);
    prepare(out_, type_, rows);
    values_.assign(arguments_.size(), Value{});
    for (size_t branch = 0; branch < arguments_.size(); ++branch) {
      values_[branch] = run_for(*arguments_[branch], open_, run);
      for (size_t row = 0; row < rows; ++row) {
        if (choices_[row] == kOpen && values_[branch].valid(row)) choose(row, static_cast<Choice>(branch));
      }
      if (!at_end_) blend(values_[branch], static_cast<Choice>(branch), rows);
    }
    if (at_end_) {
      blend_at_end(values_, rows);
    } else {
      for (size_t row = 0; row < rows; ++row) {
        if (choices_[row] == kOpen) clear_valid(row, rows);
      }
    }
    return {&out_, false};
  }

 private:
  std::vector<NodePtr> arguments_;
  std::vector<Value> values_;
};

}  // namespace

NodePtr make_case(const Type& type, std::vector<NodePtr> arguments) {
  CHECK(arguments.size() % 2 == 1 && arguments.size() < 60'000);
  return std::make_unique<CaseNode>(type, std::move(arguments));
}

NodePtr make_coalesce(const Type& type, std::vector<NodePtr> arguments) {
  CHECK(!arguments.empty() && arguments.size() < 60'000);
  return std::make_unique<CoalesceNode>(type, std::move(arguments));
}

}  // namespace tidegate::compute
