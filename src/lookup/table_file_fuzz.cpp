// Any text as the file of a lookup table, any bytes as stored rows: refused or taken, and what is taken survives.
#include "base/check.h"
#include "lookup/row_bytes.h"
#include "lookup/table_file.h"

namespace {

using namespace tidegate;

catalog::TableDefinition definition(bool header) {
  using columnar::TypeKind;
  catalog::TableDefinition table;
  table.name = "t";
  table.schema = std::make_shared<const columnar::Schema>(columnar::Schema{{{"zone", TypeKind::kString, false},
                                                                            {"n", TypeKind::kInt, true},
                                                                            {"since", TypeKind::kTimestampLtz, false},
                                                                            {"price", TypeKind::kDouble, true},
                                                                            {"on", TypeKind::kBoolean, true}}});
  table.key = {0};
  table.version_column = 2;
  table.options = {{"format", "csv"}, {"csv.header", header ? "true" : "false"}};
  return table;
}

void check_order(const catalog::TableDefinition& table, const columnar::Batch& rows) {
  const auto order = lookup::key_order(rows, table.key, table.version_column);
  for (size_t at = 0; at < order.size(); ++at) CHECK(order[at] == at);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const catalog::TableDefinition kHeaded = definition(true);
  static const catalog::TableDefinition kPlain = definition(false);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const catalog::TableDefinition* table : {&kHeaded, &kPlain}) {
    const auto rows = lookup::read_table_file(*table, text);
    if (!rows) {
      CHECK(rows.error().code == ErrorCode::TableRefused);
      continue;
    }
    check_order(*table, *rows);
    const std::string bytes = lookup::encode_rows(*rows);
    const auto again = lookup::decode_rows(bytes, table->schema, rows->rows);
    CHECK(again.has_value());
    CHECK(lookup::encode_rows(*again) == bytes);
  }
  const auto stored = lookup::decode_rows(text, kPlain.schema, size / 8);
  if (stored) CHECK(stored->rows == size / 8);
  return 0;
}
