// Any bytes: no crash, and the same records whether they come at once or in two pieces.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "codec/csv_reader.h"

namespace {

using namespace tidegate;

size_t fields_in(codec::CsvReader& reader, std::string_view piece, bool last) {
  size_t fields = 0;
  reader.feed(piece, last);
  while (true) {
    const auto record = reader.next();
    if (!record) continue;
    if (!record->has_value()) return fields;
    fields += (*record)->size();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  codec::CsvReader whole;
  const size_t fields = fields_in(whole, text, true);
  codec::CsvReader parts;
  const size_t first = fields_in(parts, text.substr(0, size / 2), false);
  CHECK(first + fields_in(parts, text.substr(size / 2), true) == fields);
  return 0;
}
