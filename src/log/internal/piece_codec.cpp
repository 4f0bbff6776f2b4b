#include "log/internal/piece_codec.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/check.h"

namespace tidegate::log::internal {

namespace {

using columnar::Batch;
using columnar::Column;
using columnar::RowKind;

constexpr uint8_t kVersion = 1;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

std::unexpected<Error> malformed() { return fail(ErrorCode::LogCorrupted, "a stored batch is malformed"); }

void compress(std::string_view plain, int level, std::string& out) {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  const size_t at = out.size();
  out.resize(at + ZSTD_compressBound(plain.size()));
  const size_t size =
      ZSTD_compressCCtx(context.get(), out.data() + at, out.size() - at, plain.data(), plain.size(), level);
  CHECK(ZSTD_isError(size) == 0U);
  out.resize(at + size);
}

Result<std::string> decompress(std::string_view frame, uint64_t plain_bytes) {
  if (plain_bytes > kMaxPlainBytes || ZSTD_getFrameContentSize(frame.data(), frame.size()) != plain_bytes) {
    return malformed();
  }
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  std::string plain(plain_bytes, '\0');
  const size_t size = ZSTD_decompressDCtx(context.get(), plain.data(), plain.size(), frame.data(), frame.size());
  if (size != plain_bytes) return malformed();
  return plain;
}

std::optional<std::pair<int64_t, int64_t>> event_range_of(const Batch& rows, std::optional<size_t> time_column) {
  if (!time_column || rows.rows == 0) return std::nullopt;
  const Column& column = *rows.columns[*time_column];
  const auto times = column.values<int64_t>();
  std::optional<std::pair<int64_t, int64_t>> range;
  for (size_t row = 0; row < times.size(); ++row) {
    if (!column.valid(row)) continue;
    if (!range) range = {times[row], times[row]};
    range->first = std::min(range->first, times[row]);
    range->second = std::max(range->second, times[row]);
  }
  return range;
}

void write_header(const PieceHeader& header, ByteWriter& writer) {
  writer.fixed(kVersion);
  writer.varint(header.rows);
  writer.raw(std::string_view(header.previous.data(), header.previous.size()));
  writer.varint(header.runs.size());
  int64_t before = 0;
  for (const IngestRun& run : header.runs) {
    writer.varint(run.rows);
    writer.zigzag(run.time.value - before);
    before = run.time.value;
  }
  writer.fixed(static_cast<uint8_t>(header.event_range ? 1 : 0));
  if (header.event_range) {
    writer.fixed(header.event_range->first);
    writer.fixed(header.event_range->second);
  }
  for (size_t word = 0; word < kKeyGroups / 64; ++word) {
    uint64_t bits = 0;
    for (size_t bit = 0; bit < 64; ++bit) bits |= static_cast<uint64_t>(header.key_groups[word * 64 + bit]) << bit;
    writer.fixed(bits);
  }
}

Result<PieceHeader> read_header(ByteReader& in) {
  if (in.fixed<uint8_t>() != kVersion) {
    return fail(ErrorCode::FormatUnknown, "a stored batch has an unknown format version");
  }
  PieceHeader header;
  header.rows = in.varint();
  const std::string_view previous = in.raw(kTagBytes);
  const uint64_t runs = in.varint();
  if (!in.ok() || header.rows > kMaxPieceRows || runs > header.rows) return malformed();
  std::memcpy(header.previous.data(), previous.data(), kTagBytes);
  uint64_t counted = 0;
  uint64_t time = 0;
  for (uint64_t at = 0; at < runs; ++at) {
    const uint64_t rows = in.varint();
    time += static_cast<uint64_t>(in.zigzag());
    if (!in.ok() || rows > header.rows) return malformed();
    counted += rows;
    header.runs.push_back({static_cast<uint32_t>(rows), IngestTime{static_cast<int64_t>(time)}});
  }
  if (counted != header.rows) return malformed();
  if (in.fixed<uint8_t>() != 0) {
    const auto least = in.fixed<int64_t>();
    header.event_range = {least, in.fixed<int64_t>()};
  }
  for (size_t word = 0; word < kKeyGroups / 64; ++word) {
    const auto bits = in.fixed<uint64_t>();
    for (size_t bit = 0; bit < 64; ++bit) header.key_groups[word * 64 + bit] = ((bits >> bit) & 1) != 0;
  }
  if (!in.ok()) return malformed();
  return header;
}

Result<Batch> decode_rows(ByteReader& in, size_t rows, const PieceShape& shape, columnar::StringPool& devices) {
  Batch out{shape.schema, {}, {}, rows};
  if (in.fixed<uint8_t>() != 0) {
    const std::string_view kinds = in.raw(rows);
    if (!in.ok()) return malformed();
    for (const char kind : kinds) {
      if (static_cast<uint8_t>(kind) > static_cast<uint8_t>(RowKind::kDelete)) return malformed();
      out.kinds.push_back(static_cast<RowKind>(kind));
    }
  }
  const uint64_t columns = in.varint();
  if (!in.ok() || columns > shape.schema->fields.size()) return malformed();
  for (size_t at = 0; at < shape.schema->fields.size(); ++at) {
    columnar::StringPool* const pool = shape.device_column == at ? &devices : nullptr;
    const columnar::Type& type = shape.schema->fields[at].type;
    if (at >= columns) {
      out.columns.push_back(null_column(type, rows, pool));
      continue;
    }
    TRY_ASSIGN(columnar::ColumnPtr column, decode_column(in, type, rows, pool));
    out.columns.push_back(std::move(column));
  }
  if (!in.finished()) return malformed();
  return out;
}

bool is_all_null(const Column& column) {
  if (!column.has_nulls()) return column.rows == 0;
  for (size_t row = 0; row < column.rows; ++row) {
    if (column.valid(row)) return false;
  }
  return true;
}

// Columns at the end without a value are left out: readers add them. So a piece has a column that was added to its
// stream only if some record of it has a value there, and that comes after the catalog knows the column for good.
size_t columns_to_write(const Batch& rows, const PieceShape& shape) {
  size_t count = rows.columns.size();
  while (count > 0 && shape.device_column != count - 1 && is_all_null(*rows.columns[count - 1])) --count;
  return count;
}

}  // namespace

std::string encode_piece(const Batch& rows, const PieceShape& shape, const Tag& previous,
                         const std::vector<IngestRun>& runs, int zstd_level) {
  thread_local std::string plain;  // grows to the largest piece this thread encodes
  plain.clear();
  ByteWriter writer(plain);
  writer.fixed(static_cast<uint8_t>(rows.kinds.empty() ? 0 : 1));
  for (const RowKind kind : rows.kinds) writer.fixed(static_cast<uint8_t>(kind));
  const size_t columns = columns_to_write(rows, shape);
  writer.varint(columns);
  PieceHeader header{rows.rows, previous, runs, event_range_of(rows, shape.time_column), {}};
  for (size_t at = 0; at < columns; ++at) {
    encode_column(*rows.columns[at], shape.device_column == at ? &header.key_groups : nullptr, plain);
  }
  std::string out;
  ByteWriter head(out);
  write_header(header, head);
  head.varint(plain.size());
  compress(plain, zstd_level, out);
  if (plain.capacity() > 2 * kPieceBytes) std::string().swap(plain);  // one huge record must not stay in memory
  return out;
}

Result<PieceHeader> decode_piece_header(std::string_view plain) {
  ByteReader in(plain);
  return read_header(in);
}

Result<DecodedPiece> decode_piece(std::string_view plain, const PieceShape& shape, columnar::StringPool& devices) {
  ByteReader in(plain);
  TRY_ASSIGN(PieceHeader header, read_header(in));
  const uint64_t plain_bytes = in.varint();
  if (!in.ok()) return malformed();
  TRY_ASSIGN(const std::string body, decompress(in.raw(in.remaining()), plain_bytes));
  ByteReader body_in(body);
  TRY_ASSIGN(Batch rows, decode_rows(body_in, header.rows, shape, devices));
  return DecodedPiece{std::move(header), std::move(rows)};
}

}  // namespace tidegate::log::internal
