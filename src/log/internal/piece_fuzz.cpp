// Fuzzes what is inside a seal: a piece whose bytes were made by an attacker who holds the key, or by a bug.
#include <cstdint>

#include "log/internal/piece_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidegate;
  using columnar::TypeKind;
  static columnar::StringPool devices(10'000);
  static const auto point = columnar::Type::row({{"x", TypeKind::kInt, true}, {"name", TypeKind::kString, false}});
  static const log::internal::PieceShape shape{
      std::make_shared<const columnar::Schema>(columnar::Schema{{{"device", TypeKind::kString, true},
                                                                 {"ts", TypeKind::kTimestampLtz, true},
                                                                 {"flag", TypeKind::kBoolean, true},
                                                                 {"small", TypeKind::kInt, true},
                                                                 {"value", TypeKind::kDouble, true},
                                                                 {"note", TypeKind::kString, true},
                                                                 {"small_real", TypeKind::kFloat, true},
                                                                 {"frame", TypeKind::kBytes, true},
                                                                 {"price", columnar::Type::decimal(20, 4), true},
                                                                 {"samples", columnar::Type::array(point), true}}}),
      1, 0};
  const std::string_view plain(reinterpret_cast<const char*>(data), size);
  auto decoded = log::internal::decode_piece(plain, shape, devices);
  if (decoded) {
    const std::string again =
        log::internal::encode_piece(decoded->rows, shape, decoded->header.previous, decoded->header.runs, 1);
    if (!log::internal::decode_piece(again, shape, devices)) __builtin_trap();
  }
  // Columns without the compression around them, so that mutations reach them.
  ByteReader in(plain);
  for (const columnar::Field& field : shape.schema->fields) {
    if (!log::internal::decode_column(in, field.type, size % 300, field.name == "device" ? &devices : nullptr)) break;
  }
  return 0;
}
