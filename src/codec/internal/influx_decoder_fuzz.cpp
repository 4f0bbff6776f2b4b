// Any bytes as line protocol, in columns and in rows: no crash, and every line is rows or a misfit.
#include <cstddef>
#include <cstdint>

#include "codec/internal/decoder_fixture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidegate::codec;
  const std::string_view payload(reinterpret_cast<const char*>(data), size);
  for (const char* layout : {"columns", "rows"}) {
    DecoderFixture fixture({{"format", "influx"}, {"metrics", layout}}, readings_fields(), 4096);
    fixture.rules.default_device = fixture.devices.intern("default");
    fixture.decode(payload);
  }
  return 0;
}
