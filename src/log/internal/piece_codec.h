// A piece is what the log stores as one value: a write-ahead batch or a segment. This file turns rows into the bytes
// that are sealed, and back. Layout in docs/formats/log.md.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "columnar/batch.h"
#include "log/internal/column_codec.h"

namespace tidegate::log::internal {

// A piece closes at this many rows or bytes (in memory); segments gather small batches up to it.
inline constexpr size_t kPieceRows = 65'536;
inline constexpr size_t kPieceBytes = 4U << 20;
// What a reader accepts: two closed pieces in one.
inline constexpr size_t kMaxPieceRows = 2 * kPieceRows;
inline constexpr size_t kMaxPlainBytes = 192U << 20;  // above Log::kMaxQueuedBytes in its widest encoding

inline constexpr size_t kTagBytes = 16;
using Tag = std::array<char, kTagBytes>;  // the GCM tag of a sealed value: its last bytes

// Rows that were committed together.
struct IngestRun {
  uint32_t rows = 0;
  IngestTime time;
};

struct PieceHeader {
  size_t rows = 0;
  Tag previous{};  // of the write-ahead batch before this one; zeros in a segment
  std::vector<IngestRun> runs;
  std::optional<std::pair<int64_t, int64_t>> event_range;  // least and greatest event time, if there is a time column
  KeyGroupSet key_groups;                                  // none set: no device column
};

// Which columns of the schema mean something to the log.
struct PieceShape {
  columnar::SchemaPtr schema;
  std::optional<size_t> time_column;
  std::optional<size_t> device_column;
};

[[nodiscard]] std::string encode_piece(const columnar::Batch& rows, const PieceShape& shape, const Tag& previous,
                                       const std::vector<IngestRun>& runs, int zstd_level);

struct DecodedPiece {
  PieceHeader header;
  columnar::Batch rows;
};
// LogCorrupted, FormatUnknown, LimitReached (more devices than `devices` holds).
[[nodiscard]] Result<PieceHeader> decode_piece_header(std::string_view plain);
[[nodiscard]] Result<DecodedPiece> decode_piece(std::string_view plain, const PieceShape& shape,
                                                columnar::StringPool& devices);

}  // namespace tidegate::log::internal
