// The epoch record and the snapshot manifest, as bytes: docs/formats/state.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"

namespace tidegate::engine {

struct SourceRange {
  StreamId stream;
  Offset from;  // the first row of the epoch
  Offset to;    // one past the last
};

// All that replaying the epoch needs besides the input itself.
struct EpochRecord {
  EpochId id;
  int64_t clock_us = 0;
  int64_t shared_watermark = 0;  // after the epoch
  std::vector<SourceRange> sources;
  // Since the pipeline first ran, this epoch included.
  uint64_t rows_in = 0;
  uint64_t rows_out = 0;
  uint64_t late = 0;
};

struct PageGroup {
  uint32_t pages = 0;
  EpochId epoch;  // of the snapshot that wrote them
};

// Where a snapshot's pages are, and the epoch it is the state of.
struct Manifest {
  EpochRecord epoch;  // sources: `to` is where reading goes on
  std::string operator_id;
  int64_t scanned_at_us = 0;
  // By worker << 16 | key group.
  std::map<uint32_t, PageGroup> groups;
};

[[nodiscard]] std::string encode(const EpochRecord& record);
[[nodiscard]] std::string encode(const Manifest& manifest);
// FormatUnknown: of a newer version, or not such bytes at all.
[[nodiscard]] Result<EpochRecord> decode_epoch_record(std::string_view bytes);
[[nodiscard]] Result<Manifest> decode_manifest(std::string_view bytes);

// Keys in the pipeline's part of the store.
inline constexpr std::string_view kManifestKey = "snapshot";
inline constexpr std::string_view kEpochPrefix = "epoch/";
[[nodiscard]] std::string epoch_key(EpochId id);
[[nodiscard]] std::string page_key(std::string_view operator_id, uint16_t key_group, uint16_t worker, uint32_t page);

}  // namespace tidegate::engine
