#include "engine/internal/epoch_record.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "engine/internal/window_math.h"

namespace tidegate::engine {

namespace {

// Version 1 had one source, one operator and one watermark; version 2 no tables, and does not say who was behind.
constexpr uint8_t kRecordVersion = 3;
constexpr uint8_t kManifestVersion = 5;  // version 4 had one run of pages per place in two banks, version 3 in one
// More than any plan has; a bound for reading bytes that are not ours.
constexpr uint64_t kMaxSources = 64;
constexpr uint64_t kMaxOperators = 128;
constexpr uint64_t kMaxTables = 100'000;
// Of a run; what keys have room for.
constexpr uint32_t kPageBits = 20;
constexpr uint32_t kMaxPages = (1U << kPageBits) - 1;
constexpr uint32_t kBankBits = 4;
static_assert(kBanks == 1U << kBankBits);
// The second one of version 4.
constexpr uint8_t kSecondBank = 8;

void write_record(ByteWriter& out, const EpochRecord& record) {
  out.varint(record.id.value);
  out.zigzag(record.clock_us);
  out.fixed<uint8_t>(record.behind);
  out.zigzag(record.shared_watermark);
  out.varint(record.rows_in);
  out.varint(record.rows_out);
  out.varint(record.late);
  out.varint(record.sources.size());
  for (const SourceRange& source : record.sources) {
    out.varint(source.stream.value);
    out.zigzag(source.from.value);
    out.zigzag(source.to.value);
  }
  out.varint(record.stage_watermarks.size());
  for (const int64_t watermark : record.stage_watermarks) out.zigzag(watermark);
  out.varint(record.tables.size());
  for (const TableUse& use : record.tables) {
    out.varint(use.table.value);
    out.varint(use.version);
  }
}

bool in_range(int64_t watermark) { return watermark >= -kNever && watermark <= kNever; }

bool read_record(ByteReader& in, uint8_t version, EpochRecord& record) {
  record.id = EpochId{in.varint()};
  record.clock_us = in.zigzag();
  if (version >= 3) record.behind = in.fixed<uint8_t>() != 0;
  record.shared_watermark = in.zigzag();
  record.rows_in = in.varint();
  record.rows_out = in.varint();
  record.late = in.varint();
  const uint64_t count = in.varint();
  if (!in.ok() || count > kMaxSources) return false;
  if (!in_range(record.shared_watermark) || !usable_time(record.clock_us)) return false;
  for (uint64_t i = 0; i < count; ++i) {
    SourceRange source;
    source.stream = StreamId{static_cast<uint32_t>(in.varint())};
    source.from = Offset{in.zigzag()};
    source.to = Offset{in.zigzag()};
    if (source.to < source.from) return false;
    record.sources.push_back(source);
  }
  if (version == 1) return in.ok();
  const uint64_t stages = in.varint();
  if (!in.ok() || stages > kMaxOperators) return false;
  for (uint64_t i = 0; i < stages; ++i) {
    record.stage_watermarks.push_back(in.zigzag());
    if (!in_range(record.stage_watermarks.back())) return false;
  }
  if (version == 2) return in.ok();
  const uint64_t tables = in.varint();
  if (!in.ok() || tables > kMaxTables) return false;
  for (uint64_t i = 0; i < tables; ++i) {
    const catalog::TableId table{static_cast<uint32_t>(in.varint())};
    record.tables.push_back({table, in.varint()});
  }
  return in.ok();
}

void write_pages(ByteWriter& out, const OperatorPages& pages) {
  out.text(pages.operator_id);
  out.varint(pages.places.size());
  for (const auto& [place, runs] : pages.places) {
    out.varint(place);
    out.varint(runs.size());
    for (const PageRun& run : runs) {
      out.varint(uint64_t{run.pages} << kBankBits | run.bank);
      out.varint(run.epoch.value);
      out.varint(run.bytes);
    }
  }
}

bool read_run(ByteReader& in, uint8_t version, PageRun& run) {
  const uint64_t number = in.varint();
  if (version >= 5) {
    run.bank = static_cast<uint8_t>(number & (kBanks - 1));
    run.pages = static_cast<uint32_t>(number >> kBankBits);
  } else if (version == 4) {
    run.bank = (number & 1U) == 0 ? 0 : kSecondBank;
    run.pages = static_cast<uint32_t>(number >> 1U);
  } else {
    run.pages = static_cast<uint32_t>(number);
  }
  run.epoch = EpochId{in.varint()};
  if (version >= 5) run.bytes = in.varint();
  return in.ok() && run.pages <= kMaxPages;
}

bool read_places(ByteReader& in, uint8_t version, OperatorPages& pages) {
  const uint64_t count = in.varint();
  for (uint64_t i = 0; in.ok() && i < count; ++i) {
    const auto place = static_cast<uint32_t>(in.varint());
    const uint64_t runs = version >= 5 ? in.varint() : 1;
    if ((place & 0xffff) >= kKeyGroups || runs > kBanks) return false;
    std::vector<PageRun>& of_place = pages.places[place];
    of_place.resize(runs);
    for (PageRun& run : of_place) {
      if (!read_run(in, version, run)) return false;
    }
  }
  return in.ok();
}

// Version 1: one operator with the clock reading between its name and its pages; no name: no state.
bool read_operator_v1(ByteReader& in, Manifest& manifest) {
  OperatorPages only;
  only.operator_id = in.text();
  manifest.scanned_at_us = in.zigzag();
  if (!read_places(in, 1, only)) return false;
  if (!only.operator_id.empty()) manifest.operators.push_back(std::move(only));
  return true;
}

bool read_operators(ByteReader& in, uint8_t version, Manifest& manifest) {
  manifest.scanned_at_us = in.zigzag();
  if (version >= 5) manifest.workers = static_cast<uint32_t>(in.varint());
  const uint64_t count = in.varint();
  if (!in.ok() || count > kMaxOperators) return false;
  for (uint64_t i = 0; i < count; ++i) {
    OperatorPages& pages = manifest.operators.emplace_back();
    pages.operator_id = in.text();
    if (!read_places(in, version, pages)) return false;
  }
  return true;
}

std::unexpected<Error> unknown(std::string_view what) {
  return fail(ErrorCode::FormatUnknown, fmt::format("a stored {} cannot be read", what),
              "it was written by a newer version; use that version or a later one");
}

}  // namespace

std::string encode(const EpochRecord& record) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kRecordVersion);
  write_record(out, record);
  return bytes;
}

Result<EpochRecord> decode_epoch_record(std::string_view bytes) {
  ByteReader in(bytes);
  EpochRecord record;
  const auto version = in.fixed<uint8_t>();
  const bool known = version >= 1 && version <= kRecordVersion;
  if (!known || !read_record(in, version, record) || !in.finished()) return unknown("epoch record");
  return record;
}

std::string encode(const Manifest& manifest) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kManifestVersion);
  write_record(out, manifest.epoch);
  out.zigzag(manifest.scanned_at_us);
  out.varint(manifest.workers);
  out.varint(manifest.operators.size());
  for (const OperatorPages& pages : manifest.operators) write_pages(out, pages);
  return bytes;
}

Result<Manifest> decode_manifest(std::string_view bytes) {
  ByteReader in(bytes);
  Manifest manifest;
  const auto version = in.fixed<uint8_t>();
  const bool known = version >= 1 && version <= kManifestVersion;
  if (!known || !read_record(in, version, manifest.epoch)) return unknown("snapshot");
  const bool fine = version == 1 ? read_operator_v1(in, manifest) : read_operators(in, version, manifest);
  if (!fine || !in.finished() || !in_range(manifest.scanned_at_us)) return unknown("snapshot");
  return manifest;
}

std::string epoch_key(EpochId id) { return fmt::format("{}{:016x}", kEpochPrefix, id.value); }

std::string page_key(std::string_view operator_id, Place place, uint8_t bank, uint32_t page) {
  const uint32_t number = uint32_t{bank} << kPageBits | page;
  return fmt::format("{}{}/{:02x}/{:04x}/{:06x}", kPagePrefix, operator_id, place.key_group, place.worker, number);
}

}  // namespace tidegate::engine
