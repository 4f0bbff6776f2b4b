#include "api/corrections.h"

namespace tidegate::api {

catalog::StreamDefinition corrections_definition() {
  using columnar::TypeKind;
  catalog::StreamDefinition definition;
  definition.name = kCorrections;
  definition.schema = std::make_shared<const columnar::Schema>(columnar::Schema{{
      {"device", TypeKind::kString, false},
      {"ts", TypeKind::kTimestampLtz, false},
      {"stream", TypeKind::kString, false},
      {"record_time", TypeKind::kTimestampLtz, false},
      {"column_name", TypeKind::kString, false},
      {"old_value", TypeKind::kString, true},
      {"new_value", TypeKind::kString, true},
      {"author", TypeKind::kString, false},
      {"reason", TypeKind::kString, false},
  }});
  definition.device_column = 0;
  definition.time_column = 1;
  definition.options = {{"device", "device"}};
  definition.sql =
      "CREATE TABLE corrections (device STRING NOT NULL, ts TIMESTAMP_LTZ(3) NOT NULL, stream STRING NOT NULL,\n"
      "  record_time TIMESTAMP_LTZ(3) NOT NULL, column_name STRING NOT NULL, old_value STRING, new_value STRING,\n"
      "  author STRING NOT NULL, reason STRING NOT NULL, WATERMARK FOR ts AS ts) WITH ('device' = 'device')";
  return definition;
}

}  // namespace tidegate::api
