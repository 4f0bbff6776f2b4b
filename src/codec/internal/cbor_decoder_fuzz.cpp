// Any bytes as CBOR, plain, with paths, and as SenML: no crash, and everything is rows or misfits.
#include <cstddef>
#include <cstdint>

#include "codec/internal/decoder_fixture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidegate::codec;
  const std::string_view payload(reinterpret_cast<const char*>(data), size);
  DecoderFixture plain({{"format", "cbor"}}, readings_fields(), 4096);
  DecoderFixture paths({{"format", "cbor"}, {"records", "$.*"}, {"field.value", "@[0]"}, {"field.note", "@key"}},
                       readings_fields(), 4096);
  DecoderFixture senml({{"format", "senml-cbor"}}, readings_fields(), 4096);
  for (DecoderFixture* fixture : {&plain, &paths, &senml}) {
    fixture->rules.default_device = fixture->devices.intern("default");
    fixture->decode(payload);
  }
  return 0;
}
