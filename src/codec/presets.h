// Presets: the options that the payloads of a well-known product need, as CREATE TABLE would have them written out.
#pragma once

#include "codec/source_format.h"

namespace tidegate::codec {

// 'preset' = 'chirpstack' (LoRaWAN, uplink events of version 4) or 'zigbee2mqtt': the options that it stands for and
// that are not set already. Nothing without the option; refused when its name is not known, or with another format.
[[nodiscard]] std::expected<SourceOptions, BadOption> expand_preset(const SourceOptions& options,
                                                                    const SourceColumns& columns);

}  // namespace tidegate::codec
