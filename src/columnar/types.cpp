#include "columnar/types.h"

namespace tidegate::columnar {

std::string_view type_name(TypeKind type) {
  switch (type) {
    case TypeKind::kNull: return "NULL";
    case TypeKind::kBoolean: return "BOOLEAN";
    case TypeKind::kInt: return "INT";
    case TypeKind::kBigint: return "BIGINT";
    case TypeKind::kDouble: return "DOUBLE";
    case TypeKind::kString: return "STRING";
    case TypeKind::kTimestamp: return "TIMESTAMP(3)";
    case TypeKind::kTimestampLtz: return "TIMESTAMP_LTZ(3)";
    case TypeKind::kInterval: return "INTERVAL";
  }
  return "UNKNOWN";
}

}  // namespace tidegate::columnar
