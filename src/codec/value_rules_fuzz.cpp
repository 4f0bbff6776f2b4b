// Any text as a unit and as a range: refused with a reason, or kept. Any payload under rules: what is kept has one of
// the four qualities and no author but the sender, and is bad whenever a value is outside of its range.
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "codec/internal/decoder_fixture.h"
#include "codec/unit_code.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidegate::codec;
  using tidegate::columnar::Type;
  using tidegate::columnar::TypeKind;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  const auto name = unit_name(text);
  require(name ? !name->empty() : !name.error().message.empty() && !name.error().hint.empty());
  for (const Type& type : {Type(TypeKind::kInt), Type(TypeKind::kBigint), Type(TypeKind::kFloat),
                           Type(TypeKind::kDouble), Type::decimal(5, 2), Type::decimal(38, 38)}) {
    const auto range = ValueRange::parse(text, type);
    require(range ? !range->least_text().empty() || !range->greatest_text().empty() : !range.error().empty());
  }

  DecoderFixture stream({{"quality", "q"}, {"author", "who"}, {"range.v", "-1..1"}, {"range.p", "..5.5"}},
                        {{"device", TypeKind::kString, true},
                         {"v", TypeKind::kDouble, true},
                         {"p", Type::decimal(9, 2), true},
                         {"q", TypeKind::kString, false},
                         {"who", TypeKind::kString, true}});
  CollectedMisfits misfits;
  stream.rules.author = size % 2 == 0 ? "ann" : "";
  const Decoded decoded = stream.decoder->decode({text, false, {}}, stream.rules, stream.rows, misfits);
  const auto rows = stream.rows.finish();
  require(rows.rows == decoded.good);
  const auto& values = *rows.columns[1];
  for (size_t row = 0; row < rows.rows; ++row) {
    const auto quality = find_quality(rows.columns[3]->string_at(row));
    require(quality.has_value());
    const bool outside = values.valid(row) && !(std::abs(values.values<double>()[row]) <= 1);
    require(!outside || quality == Quality::kBad);
    require(rows.columns[4]->valid(row) == !stream.rules.author.empty());
    require(!rows.columns[4]->valid(row) || rows.columns[4]->string_at(row) == "ann");
  }
  return 0;
}
