// Any bytes as mapped JSON, and as a path: no crash, and every record is rows or a misfit.
#include <cstddef>
#include <cstdint>

#include "codec/internal/decoder_fixture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidegate::codec;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(all.find('\n'), all.size());
  const std::string path(all.substr(0, line));
  const std::string_view payload = all.substr(std::min(line + 1, all.size()));
  DecoderFixture fixed({{"records", "$.r[*]"},
                        {"field.value", "@.v"},
                        {"field.note", "@key"},
                        {"field.ts", "$.t[?@.n=='a'].v"},
                        {"timestamp.format", "yyyy-MM-dd'T'HH:mm:ssX"}},
                       readings_fields(), 4096);
  fixed.rules.default_device = fixed.devices.intern("default");
  fixed.decode(payload);
  for (const char* option : {"records", "field.note", "timestamp.format.wall", "mqtt.topic"}) {
    DecoderFixture told({{option, path}, {"field.value", "$.v"}}, readings_fields(), 4096);
    if (told.decoder != nullptr) told.decode(payload);
  }
  return 0;
}
