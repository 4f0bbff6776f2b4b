// Any bytes as Sparkplug B, on topics of each kind, the first line being the end of the topic: no crash.
#include <cstddef>
#include <cstdint>

#include "codec/internal/decoder_fixture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidegate::codec;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const size_t half = size / 2;
  DecoderFixture fixture({{"format", "sparkplug"}}, readings_fields(), 4096);
  fixture.rules.default_device = fixture.devices.intern("default");
  for (const char* topic :
       {"spBv1.0/g/NBIRTH/n", "spBv1.0/g/DBIRTH/n/d", "spBv1.0/g/DDATA/n/d", "spBv1.0/g/NDEATH/n"}) {
    fixture.topic = topic;
    fixture.decode(all);
    fixture.decode(all.substr(half));
  }
  fixture.topic = std::string(all.substr(0, half));
  fixture.decode(all.substr(half));
  return 0;
}
