// The types of the JSON functions and of SHA2, whose literals choose what is computed.
#include <fmt/format.h>

#include "sql/internal/typing.h"

namespace tidegate::sql {

using columnar::Type;
using columnar::TypeKind;

namespace {

// JSON_VALUE: text, path, default on empty, default on error, a NULL of the type asked for, modes.
Result<Expression> type_json_value(Typing& typing) {
  const Type type = typing.arguments[4].type;
  switch (type) {
    case TypeKind::kString:
    case TypeKind::kBoolean:
    case TypeKind::kInt:
    case TypeKind::kBigint:
    case TypeKind::kDouble: break;
    default:
      return typing.mismatch("RETURNING takes STRING, BOOLEAN, INT, BIGINT or DOUBLE; CAST the STRING to other types");
  }
  for (const size_t at : {size_t{2}, size_t{3}}) {
    if (!typing.fit(at, type)) {
      return typing.mismatch(fmt::format("The DEFAULT is of another type than {}", columnar::type_name(type)));
    }
  }
  return typing.finish(FunctionId::kJsonValue, type, true);
}

}  // namespace

Result<Expression> type_json(Typing& typing, FunctionId id) {
  if (!typing.fit(0, TypeKind::kString)) return typing.mismatch("JSON is in a STRING");
  if (id == FunctionId::kIsJson) return typing.finish(id, TypeKind::kBoolean, false);
  if (!typing.fit(1, TypeKind::kString)) return typing.mismatch("The path is a STRING literal");
  if (id == FunctionId::kJsonValue) return type_json_value(typing);
  return typing.finish(id, id == FunctionId::kJsonExists ? TypeKind::kBoolean : TypeKind::kString, true);
}

Result<Expression> type_sha2(Typing& typing) {
  auto& arguments = typing.arguments;
  const auto* bits = literal_of<int64_t>(arguments[1]);
  if (!typing.fit(0, TypeKind::kString) || bits == nullptr) return typing.mismatch("It is SHA2(text, 256)");
  constexpr std::pair<int64_t, FunctionId> kBySize[] = {
      {224, FunctionId::kSha224}, {256, FunctionId::kSha256}, {384, FunctionId::kSha384}, {512, FunctionId::kSha512}};
  for (const auto& [size, id] : kBySize) {
    if (size != *bits) continue;
    arguments.resize(1);
    return typing.finish(id, TypeKind::kString, arguments[0].nullable);
  }
  return fail_at(ErrorCode::SqlInvalidLiteral, typing.position, fmt::format("there is no SHA2 of {} bits", *bits),
                 "Use 224, 256, 384 or 512");
}

}  // namespace tidegate::sql
