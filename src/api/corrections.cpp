#include "api/corrections.h"

#include "catalog/catalog.h"

namespace tidegate::api {

catalog::StreamDefinition corrections_definition() {
  using columnar::TypeKind;
  return catalog::own_stream(std::string(kCorrections), {{"device", TypeKind::kString, false},
                                                         {"ts", TypeKind::kTimestampLtz, false},
                                                         {"stream", TypeKind::kString, false},
                                                         {"record_time", TypeKind::kTimestampLtz, false},
                                                         {"column_name", TypeKind::kString, false},
                                                         {"old_value", TypeKind::kString, true},
                                                         {"new_value", TypeKind::kString, true},
                                                         {"author", TypeKind::kString, false},
                                                         {"reason", TypeKind::kString, false}});
}

}  // namespace tidegate::api
