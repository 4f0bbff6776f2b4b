// Any bytes as CSV, with and without a header: no crash, and every record is a row or a misfit.
#include <cstddef>
#include <cstdint>

#include "codec/internal/decoder_fixture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidegate::codec;
  const std::string_view payload(reinterpret_cast<const char*>(data), size);
  DecoderFixture header({{"format", "csv"}, {"csv.header", "true"}}, readings_fields(), 4096);
  header.rules.default_device = header.devices.intern("default");
  header.decode(payload);
  DecoderFixture plain({{"format", "csv"}, {"csv.columns", "device,value,note,ts,n"}}, readings_fields(), 4096);
  plain.decode(payload);
  return 0;
}
