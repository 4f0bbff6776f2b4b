// The epoch record and the snapshot manifest, as bytes: docs/formats/state.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "catalog/table_definition.h"
#include "engine/engine.h"

namespace tidegate::engine {

// What lookup joins used.
struct TableUse {
  catalog::TableId table;
  uint64_t version = 0;
  bool operator==(const TableUse&) const = default;
};

// All that replaying the epoch needs besides the input itself.
struct EpochRecord {
  EpochId id;
  int64_t clock_us = 0;
  // More input than one epoch takes was waiting: nobody was taken for silent. False in records before version 3.
  bool behind = false;
  int64_t shared_watermark = 0;  // over all inputs, after the epoch
  // Of the operators that go by a shared watermark, in the plan's order. Records of version 1 have none: all their
  // operators go by `shared_watermark`.
  std::vector<int64_t> stage_watermarks;
  std::vector<SourceRange> sources;
  std::vector<TableUse> tables;  // of lookup joins; none in records before version 3
  // Since the pipeline first ran, this epoch included.
  uint64_t rows_in = 0;
  uint64_t rows_out = 0;
  uint64_t late = 0;
};

// Pages that one snapshot wrote for a place. Each run of a place has a bank of keys of its own; one that takes the
// place of others gets a free one, so that those of the manifest stay as they are until the next manifest is there.
struct PageRun {
  uint32_t pages = 0;
  EpochId epoch;  // of the snapshot that wrote them
  uint8_t bank = 0;
  uint64_t bytes = 0;  // of all pages, before they are sealed; 0 in manifests before version 5
};
inline constexpr uint8_t kBanks = 16;

struct OperatorPages {
  std::string operator_id;
  // By worker << 16 | key group: runs whose entries add up, the oldest first.
  std::map<uint32_t, std::vector<PageRun>> places;
};

// Where a snapshot's pages are, and the epoch it is the state of.
struct Manifest {
  EpochRecord epoch;  // sources: `to` is where reading goes on
  int64_t scanned_at_us = 0;
  uint32_t workers = 0;                  // how many there were; 0: not known, in manifests before version 5
  std::vector<OperatorPages> operators;  // none: a pipeline without state
};

[[nodiscard]] std::string encode(const EpochRecord& record);
[[nodiscard]] std::string encode(const Manifest& manifest);
// FormatUnknown: of a newer version, or not such bytes at all.
[[nodiscard]] Result<EpochRecord> decode_epoch_record(std::string_view bytes);
[[nodiscard]] Result<Manifest> decode_manifest(std::string_view bytes);

// Keys in the pipeline's part of the store.
inline constexpr std::string_view kManifestKey = "snapshot";
inline constexpr std::string_view kEpochPrefix = "epoch/";
inline constexpr std::string_view kPagePrefix = "page/";
// There while pages of a snapshot are in the store whose manifest is not.
inline constexpr std::string_view kPagesAheadKey = "pages_ahead";
[[nodiscard]] std::string epoch_key(EpochId id);
// Where an operator's state of a key group was with one worker.
struct Place {
  uint16_t key_group = 0;
  uint16_t worker = 0;

  [[nodiscard]] static Place of_number(uint32_t number) {
    return {static_cast<uint16_t>(number & 0xffff), static_cast<uint16_t>(number >> 16)};
  }
  [[nodiscard]] uint32_t number() const { return uint32_t{worker} << 16 | key_group; }
};
[[nodiscard]] std::string page_key(std::string_view operator_id, Place place, uint8_t bank, uint32_t page);

}  // namespace tidegate::engine
