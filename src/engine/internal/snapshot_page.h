// A page of a snapshot: docs/formats/state.md.
#pragma once

#include "base/bytes.h"
#include "engine/internal/epoch_record.h"

namespace tidegate::engine {

inline constexpr uint8_t kPageVersion = 1;

inline void start_page(std::string& page, Place place, EpochId epoch) {
  ByteWriter out(page);
  out.fixed(kPageVersion);
  out.fixed(place.key_group);
  out.fixed(place.worker);
  out.fixed(epoch.value);
}

// Whether it is the page that belongs there; `in` is then at its first entry.
[[nodiscard]] inline bool open_page(ByteReader& in, Place place, EpochId epoch) {
  bool fine = in.fixed<uint8_t>() == kPageVersion;
  fine = in.fixed<uint16_t>() == place.key_group && fine;
  fine = in.fixed<uint16_t>() == place.worker && fine;
  return in.fixed<uint64_t>() == epoch.value && fine && in.ok();
}

}  // namespace tidegate::engine
