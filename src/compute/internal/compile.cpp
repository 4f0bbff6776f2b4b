#include <utility>

#include "base/check.h"
#include "compute/internal/kernels.h"
#include "compute/internal/nodes.h"
#include "sql/functions.h"

namespace tidegate::compute {

namespace {

class ColumnNode final : public Node {
 public:
  explicit ColumnNode(size_t index) : index_(index) {}
  Value run(Run& run) override { return {run.input.columns[index_].get(), false}; }
  std::optional<size_t> input_column() const override { return index_; }

 private:
  size_t index_;
};

columnar::ColumnPtr literal_column(const Type& type, const sql::Literal& literal) {
  columnar::ColumnBuilder builder(type);
  if (std::holds_alternative<std::monostate>(literal)) {
    builder.append_null();
    return builder.finish();
  }
  switch (type) {
    case TypeKind::kBoolean: builder.append<uint8_t>(std::get<bool>(literal) ? 1 : 0); break;
    case TypeKind::kInt: builder.append(static_cast<int32_t>(std::get<int64_t>(literal))); break;
    case TypeKind::kFloat: builder.append(static_cast<float>(std::get<double>(literal))); break;
    case TypeKind::kDouble: builder.append(std::get<double>(literal)); break;
    case TypeKind::kDecimal: builder.append(std::get<columnar::Decimal>(literal).unscaled); break;
    case TypeKind::kString:
    case TypeKind::kBytes: builder.append_string(std::get<std::string>(literal)); break;
    default: builder.append(std::get<int64_t>(literal));
  }
  return builder.finish();
}

class LiteralNode final : public Node {
 public:
  LiteralNode(const Type& type, const sql::Literal& literal) : column_(literal_column(type, literal)) {}
  Value run(Run&) override { return {column_.get(), true}; }

 private:
  columnar::ColumnPtr column_;
};

class FunctionNode final : public Node {
 public:
  FunctionNode(Type type, Function function, std::vector<NodePtr> arguments)
      : type_(std::move(type)),
        function_(std::move(function)),
        arguments_(std::move(arguments)),
        values_(arguments_.size()) {}

  Value run(Run& run) override {
    bool constant = true;
    for (size_t at = 0; at < arguments_.size(); ++at) {
      values_[at] = arguments_[at]->run(run);
      constant = constant && values_[at].constant;
    }
    const size_t rows = constant ? 1 : run.input.rows;
    prepare(out_, type_, rows);
    if (function_.strict) combine_validity(values_, rows, out_);
    Frame frame{values_, out_, rows, constant, run};
    function_.kernel(frame);
    return {&out_, constant};
  }
  Column* own_result() override { return &out_; }

 private:
  Type type_;
  Function function_;
  std::vector<NodePtr> arguments_;
  std::vector<Value> values_;
  Column out_;
};

// The result of a strict function of an untyped NULL.
void all_null(Frame& frame) {
  frame.out.validity.clear();
  frame.out.validity.resize(frame.rows, false);
  if (frame.out.type.is_nested()) {
    frame.out = columnar::gather_or_null(frame.out, std::vector<uint32_t>(frame.rows, columnar::kNoRow));
  } else if (frame.out.is_plain_text()) {
    for (size_t row = 0; row < frame.rows; ++row) frame.put_null();
  } else {
    std::memset(frame.out.fixed.data(), 0, frame.out.fixed.size());
  }
}

bool has_untyped_null(const sql::Call& call) {
  for (const sql::Expression& argument : call.arguments) {
    if (argument.type == TypeKind::kNull) return true;
  }
  return false;
}

// What minds a bare NULL by itself.
std::optional<Function> null_minding_function(const sql::Call& call) {
  switch (call.function) {
    case FunctionId::kAnd:
    case FunctionId::kOr:
    case FunctionId::kNot:
    case FunctionId::kIsNull:
    case FunctionId::kIsNotNull: return logic_function(call);
    case FunctionId::kIn: return membership_function(call);
    case FunctionId::kDistinctFrom: return distinct_function(call);
    case FunctionId::kNullIf: return conditional_function(call);
    default: return std::nullopt;
  }
}

Function operator_function(const sql::Call& call, const Type& type) {
  switch (call.function) {
    case FunctionId::kAdd:
    case FunctionId::kSubtract:
    case FunctionId::kMultiply:
    case FunctionId::kDivide:
    case FunctionId::kModulo:
    case FunctionId::kNegate:
      return type == TypeKind::kDecimal ? decimal_arithmetic(call, type) : arithmetic_function(call);
    case FunctionId::kLike: return like_function(call);
    case FunctionId::kSimilarTo: return regexp_function(call);
    case FunctionId::kConcatOperator: return string_function(call);
    case FunctionId::kCast: return cast_function(call.arguments[0].type, type);
    case FunctionId::kTryCast: return try_cast_function(call.arguments[0].type, type);
    default: return comparison_function(call);
  }
}

Function text_function(const sql::Call& call) {
  switch (call.function) {
    case FunctionId::kUpper:
    case FunctionId::kLower:
    case FunctionId::kCharLength:
    case FunctionId::kSubstring:
    case FunctionId::kReplace:
    case FunctionId::kConcat: return string_function(call);
    case FunctionId::kTrim:
    case FunctionId::kBtrim:
    case FunctionId::kLtrim:
    case FunctionId::kRtrim:
    case FunctionId::kPosition:
    case FunctionId::kInstr:
    case FunctionId::kLocate:
    case FunctionId::kStartsWith:
    case FunctionId::kEndsWith: return text_search_function(call);
    case FunctionId::kAscii:
    case FunctionId::kChr:
    case FunctionId::kEncode:
    case FunctionId::kDecode:
    case FunctionId::kToBase64:
    case FunctionId::kFromBase64:
    case FunctionId::kUrlEncode:
    case FunctionId::kUrlDecode:
    case FunctionId::kParseUrl: return text_code_function(call);
    default: return text_part_function(call);
  }
}

Function number_function(const sql::Call& call, const Type& type) {
  if (type == TypeKind::kDecimal) {
    return call.function == FunctionId::kMod ? decimal_arithmetic(call, type) : decimal_function(call, type);
  }
  switch (call.function) {
    case FunctionId::kMod: return arithmetic_function(call);
    case FunctionId::kAbs:
    case FunctionId::kCeil:
    case FunctionId::kFloor:
    case FunctionId::kRound:
    case FunctionId::kSign:
    case FunctionId::kSqrt:
    case FunctionId::kPower:
    case FunctionId::kExp:
    case FunctionId::kLn:
    case FunctionId::kLog10: return math_function(call);
    case FunctionId::kTruncate: return truncate_function(call);
    case FunctionId::kBin:
    case FunctionId::kHex:
    case FunctionId::kUnhex: return text_code_function(call);
    case FunctionId::kBitAnd:
    case FunctionId::kBitOr:
    case FunctionId::kBitXor:
    case FunctionId::kBitNot: return bit_function(call);
    default: return trigonometry_function(call);
  }
}

Function function_of(const sql::Call& call, const Type& type) {
  if (auto function = null_minding_function(call)) return std::move(*function);
  using enum sql::FunctionCategory;
  const sql::FunctionCategory category = sql::function_info(call.function).category;
  if (category != kJson && call.function != FunctionId::kConcatWs && has_untyped_null(call)) return {all_null};
  switch (category) {
    case kOperator: return operator_function(call, type);
    case kConditional: {
      const bool test = call.function >= FunctionId::kIsAlpha;
      return test ? text_search_function(call) : conditional_function(call);
    }
    case kText: return text_function(call);
    case kPattern: return regexp_function(call);
    case kNumber: return number_function(call, type);
    case kTime: return time_function(call);
    case kHash: return hash_function(call);
    case kJson: return json_function(call);
    case kCollection: return collection_function(call);
  }
  CHECK(false && "a function of no category");
}

// IN whose list holds more than literals: a chain of OR over equalities.
NodePtr compile_in_chain(const sql::Call& call) {
  const Type boolean = TypeKind::kBoolean;
  NodePtr chain;
  for (size_t at = 1; at < call.arguments.size(); ++at) {
    sql::Call equal{FunctionId::kEqual, {}};
    equal.arguments.push_back(call.arguments[0].clone());
    equal.arguments.push_back(call.arguments[at].clone());
    std::vector<NodePtr> sides;
    sides.push_back(compile_node(equal.arguments[0]));
    sides.push_back(compile_node(equal.arguments[1]));
    auto node = std::make_unique<FunctionNode>(boolean, function_of(equal, boolean), std::move(sides));
    if (chain == nullptr) {
      chain = std::move(node);
      continue;
    }
    std::vector<NodePtr> both;
    both.push_back(std::move(chain));
    both.push_back(std::move(node));
    const sql::Call either{FunctionId::kOr, {}};
    chain = std::make_unique<FunctionNode>(boolean, logic_function(either), std::move(both));
  }
  CHECK(chain != nullptr);
  return chain;
}

bool only_literals(const sql::Call& call) {
  for (size_t at = 1; at < call.arguments.size(); ++at) {
    if (as_literal(call.arguments[at]) == nullptr) return false;
  }
  return true;
}

NodePtr compile_call(const sql::Call& call, const Type& type) {
  if (call.function == FunctionId::kIn && (!only_literals(call) || as_literal(call.arguments[0]) != nullptr)) {
    return compile_in_chain(call);
  }
  std::vector<NodePtr> arguments;
  arguments.reserve(call.arguments.size());
  for (const sql::Expression& argument : call.arguments) arguments.push_back(compile_node(argument));
  if (call.function == FunctionId::kCase) return make_case(type, std::move(arguments));
  if (call.function == FunctionId::kCoalesce) return make_coalesce(type, std::move(arguments));
  // The literals of IN, and the field's number, are in the kernel; evaluating them for every batch is of no use.
  if (call.function == FunctionId::kIn || call.function == FunctionId::kField) arguments.resize(1);
  return std::make_unique<FunctionNode>(type, function_of(call, type), std::move(arguments));
}

}  // namespace

NodePtr compile_node(const sql::Expression& expression) {
  if (const auto* column = std::get_if<sql::ColumnRef>(&expression.node)) {
    return std::make_unique<ColumnNode>(column->index);
  }
  if (const auto* literal = std::get_if<sql::Literal>(&expression.node)) {
    return std::make_unique<LiteralNode>(expression.type, *literal);
  }
  const auto& call = *std::get<std::unique_ptr<sql::Call>>(expression.node);
  if (call.function == FunctionId::kCast && call.arguments[0].type == expression.type) {
    return compile_node(call.arguments[0]);
  }
  return compile_call(call, expression.type);
}

const sql::Literal* as_literal(const sql::Expression& argument) { return std::get_if<sql::Literal>(&argument.node); }

const std::string& literal_text(const sql::Expression& argument) {
  const sql::Literal* literal = as_literal(argument);
  CHECK(literal != nullptr && std::holds_alternative<std::string>(*literal));
  return std::get<std::string>(*literal);
}

}  // namespace tidegate::compute
