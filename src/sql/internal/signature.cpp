#include "sql/internal/signature.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/check.h"
#include "sql/functions.h"

namespace tidegate::sql {

using columnar::Type;
using columnar::type_name;
using columnar::TypeKind;

namespace {

constexpr size_t kMaxArguments = 1024;  // of a function that repeats its last parameter

struct Kind {
  std::string_view word;
  TypeKind type;
};
// The exact types; an argument widens to them.
constexpr std::array kExact = {Kind{"BOOLEAN", TypeKind::kBoolean},
                               Kind{"INT", TypeKind::kInt},
                               Kind{"BIGINT", TypeKind::kBigint},
                               Kind{"FLOAT", TypeKind::kFloat},
                               Kind{"DOUBLE", TypeKind::kDouble},
                               Kind{"STRING", TypeKind::kString},
                               Kind{"BYTES", TypeKind::kBytes},
                               Kind{"TIMESTAMP", TypeKind::kTimestamp},
                               Kind{"TIMESTAMP_LTZ", TypeKind::kTimestampLtz}};

std::optional<TypeKind> exact_type(std::string_view word) {
  for (const Kind& kind : kExact) {
    if (kind.word == word) return kind.type;
  }
  return std::nullopt;
}

// What a bare NULL is taken as.
Type type_of_null(std::string_view kind) {
  if (const auto exact = exact_type(kind)) return *exact;
  if (kind == "NUMERIC" || kind == "INTEGER") return TypeKind::kInt;
  return kind == "TIME" ? TypeKind::kTimestamp : TypeKind::kString;
}

bool belongs(TypeKind type, std::string_view kind) {
  if (kind == "NUMERIC") return columnar::is_numeric(type);
  if (kind == "INTEGER") return columnar::is_integer(type);
  if (kind == "TIME") return columnar::is_timestamp(type);
  return kind == "ANY";
}

bool takes(std::string_view kind, const Type& type) {
  if (type == TypeKind::kNull) return true;
  const auto exact = exact_type(kind);
  return exact ? widens(type, *exact) : belongs(type, kind);
}

std::string_view kind_at(const Signature& signature, size_t argument) {
  return signature.parameters[std::min(argument, signature.parameters.size() - 1)].kind;
}

bool fits(const Signature& signature, const std::vector<Expression>& arguments) {
  const auto needed = static_cast<size_t>(
      std::ranges::count_if(signature.parameters, [](const auto& parameter) { return !parameter.optional; }));
  const size_t most = signature.repeats ? kMaxArguments : signature.parameters.size();
  if (arguments.size() < needed || arguments.size() > most) return false;
  for (size_t at = 0; at < arguments.size(); ++at) {
    if (!takes(kind_at(signature, at), arguments[at].type)) return false;
  }
  return true;
}

// The type that the arguments of a class have in common: the widest.
Type widest(const Signature& signature, const std::vector<Expression>& arguments, std::string_view kind) {
  Type type = TypeKind::kNull;
  for (size_t at = 0; at < arguments.size(); ++at) {
    if (kind_at(signature, at) == kind && widens(type, arguments[at].type)) type = arguments[at].type;
  }
  return type == TypeKind::kNull ? type_of_null(kind) : type;
}

// CEIL and FLOOR have no digits behind the point, ROUND and TRUNCATE as many as a literal says.
Type decimal_result(FunctionId id, const Type& type, const std::vector<Expression>& arguments) {
  if (id == FunctionId::kCeil || id == FunctionId::kFloor) return Type::decimal(type.precision, 0);
  if (id != FunctionId::kRound && id != FunctionId::kTruncate) return type;
  if (arguments.size() == 1) return columnar::rounded_type(type, 0);
  const auto* literal = std::get_if<Literal>(&arguments[1].node);
  const auto* digits = literal == nullptr ? nullptr : std::get_if<int64_t>(literal);
  return digits == nullptr ? type : columnar::rounded_type(type, *digits);
}

Expression apply(const Signature& signature, FunctionId id, std::vector<Expression> arguments) {
  bool nullable = signature.nullable;
  for (size_t at = 0; at < arguments.size(); ++at) {
    const std::string_view kind = kind_at(signature, at);
    const auto exact = exact_type(kind);
    const bool any = kind == "ANY" && arguments[at].type != TypeKind::kNull;
    nullable = nullable || arguments[at].nullable;
    if (any) continue;
    const Type target = exact ? Type(*exact) : widest(signature, arguments, kind);
    arguments[at] = coerce(std::move(arguments[at]), target);
  }
  const auto exact = exact_type(signature.result);
  const Type type = exact ? Type(*exact) : widest(signature, arguments, signature.result);
  if (type == TypeKind::kDecimal) {
    Type result = decimal_result(id, type, arguments);
    return make_call(id, std::move(result), true, std::move(arguments));
  }
  return make_call(id, type, nullable, std::move(arguments));
}

Signature parse_one(std::string_view text) {
  Signature signature;
  const size_t close = text.find(") -> ");
  CHECK(text.starts_with('(') && close != std::string_view::npos);
  signature.result = text.substr(close + 5);
  signature.nullable = signature.result.ends_with('?');
  if (signature.nullable) signature.result.remove_suffix(1);
  std::string_view list = text.substr(1, close - 1);
  bool optional = false;
  while (!list.empty()) {
    const size_t end = list.find_first_of(",[]");
    std::string_view parameter = list.substr(0, end);
    while (parameter.starts_with(' ')) parameter.remove_prefix(1);
    const size_t blank = parameter.rfind(' ');
    const std::string_view kind = blank == std::string_view::npos ? parameter : parameter.substr(blank + 1);
    if (kind == "...") {
      signature.repeats = true;
    } else if (!kind.empty()) {
      signature.parameters.push_back({kind, optional});
    }
    if (end == std::string_view::npos) break;
    optional = optional || list[end] == '[';
    list.remove_prefix(end + 1);
  }
  return signature;
}

}  // namespace

std::vector<Signature> parse_signatures(std::string_view text) {
  std::vector<Signature> forms;
  while (!text.empty()) {
    const size_t bar = text.find(" | ");
    forms.push_back(parse_one(text.substr(0, bar)));
    text = bar == std::string_view::npos ? std::string_view() : text.substr(bar + 3);
  }
  return forms;
}

Result<Expression> resolve_by_signature(FunctionId id, TextPosition position, std::vector<Expression> arguments) {
  const FunctionInfo& function = function_info(id);
  for (const Signature& form : parse_signatures(function.signature)) {
    if (fits(form, arguments)) return apply(form, id, std::move(arguments));
  }
  std::string types;
  for (const Expression& argument : arguments) {
    if (!types.empty()) types += ", ";
    types += type_name(argument.type);
  }
  return fail_at(ErrorCode::SqlTypeMismatch, position, fmt::format("{} cannot take ({})", function.name, types),
                 fmt::format("It is {}{}", function.name, function.signature));
}

}  // namespace tidegate::sql
