// Any bytes as samples: refused, or a proposal whose options are accepted and by which every sample can be read.
#include <cstddef>
#include <cstdint>

#include "codec/internal/decoder_fixture.h"
#include "codec/presets.h"
#include "codec/sample_preview.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidegate::codec;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(all.find('\n'), all.size());
  const size_t half = line + (size - line) / 2;
  const std::vector<Sample> samples{{std::string(all.substr(0, line)), std::string(all.substr(line, half - line))},
                                    {"", std::string(all.substr(half))}};
  for (const size_t count : {size_t{1}, size_t{2}}) {
    const auto shown = std::span(samples).first(count);
    const auto proposal = propose(shown);
    if (!proposal) continue;
    const auto schema = schema_of(*proposal);
    const SourceColumns columns{*schema, proposal->device, proposal->time};
    SourceOptions options = proposal->options;
    auto more = expand_preset(options, columns);
    require(more.has_value());
    options.merge(*more);
    const auto format = parse_source_format(options, columns);
    require(format.has_value());
    const SamplePreview seen = preview(*format, schema, proposal->device, proposal->time, shown, 1'767'225'600'000'000);
    require(seen.rows.size() <= kMaxPreviewRows);
  }
  return 0;
}
