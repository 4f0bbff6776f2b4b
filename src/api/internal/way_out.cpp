#include "api/internal/way_out.h"

#include <fmt/format.h>

#include "net/http_problem.h"

namespace tidegate::api {

void append_rows(const codec::JsonEncoder& encoder, const CheckedBatch& batch, size_t first, size_t rows,
                 std::string& out) {
  out += '[';
  for (size_t row = first; row < first + rows; ++row) {
    if (row != first) out += ',';
    encoder.append_row(batch.value(), row, out);
  }
  out += ']';
}

void append_row(const codec::JsonEncoder& encoder, const CheckedBatch& batch, size_t row, std::string& out) {
  encoder.append_row(batch.value(), row, out);
}

void append_record(const codec::JsonEncoder& encoder, const CheckedBatch& batch, size_t row, int64_t offset,
                   std::string& out) {
  encoder.append_row(batch.value(), row, fmt::format("\"_offset\":{}", offset), out);
}

std::string schema_json(const columnar::Schema& schema) {
  std::string out = "{\"columns\":[";
  for (const auto& field : schema.fields) {
    if (&field != &schema.fields.front()) out += ',';
    out += fmt::format(R"({{"name":{},"type":{},"nullable":{}}})", net::json_string(field.name),
                       net::json_string(columnar::type_name(field.type)), field.nullable);
  }
  return out + "]}";
}

}  // namespace tidegate::api
