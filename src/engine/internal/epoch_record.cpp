#include "engine/internal/epoch_record.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "engine/internal/window_math.h"

namespace tidegate::engine {

namespace {

constexpr uint8_t kRecordVersion = 1;
constexpr uint8_t kManifestVersion = 1;
// More than any plan has; a bound for reading bytes that are not ours.
constexpr uint64_t kMaxSources = 64;

void write_record(ByteWriter& out, const EpochRecord& record) {
  out.varint(record.id.value);
  out.zigzag(record.clock_us);
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
}

bool read_record(ByteReader& in, EpochRecord& record) {
  record.id = EpochId{in.varint()};
  record.clock_us = in.zigzag();
  record.shared_watermark = in.zigzag();
  record.rows_in = in.varint();
  record.rows_out = in.varint();
  record.late = in.varint();
  const uint64_t count = in.varint();
  if (!in.ok() || count > kMaxSources) return false;
  const bool in_range = record.shared_watermark >= -kNever && record.shared_watermark <= kNever;
  if (!in_range || !usable_time(record.clock_us)) return false;
  for (uint64_t i = 0; i < count; ++i) {
    SourceRange source;
    source.stream = StreamId{static_cast<uint32_t>(in.varint())};
    source.from = Offset{in.zigzag()};
    source.to = Offset{in.zigzag()};
    if (source.to < source.from) return false;
    record.sources.push_back(source);
  }
  return in.ok();
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
  if (in.fixed<uint8_t>() != kRecordVersion || !read_record(in, record) || !in.finished()) {
    return unknown("epoch record");
  }
  return record;
}

std::string encode(const Manifest& manifest) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kManifestVersion);
  write_record(out, manifest.epoch);
  out.text(manifest.operator_id);
  out.zigzag(manifest.scanned_at_us);
  out.varint(manifest.groups.size());
  for (const auto& [place, group] : manifest.groups) {
    out.varint(place);
    out.varint(group.pages);
    out.varint(group.epoch.value);
  }
  return bytes;
}

Result<Manifest> decode_manifest(std::string_view bytes) {
  ByteReader in(bytes);
  Manifest manifest;
  if (in.fixed<uint8_t>() != kManifestVersion || !read_record(in, manifest.epoch)) return unknown("snapshot");
  manifest.operator_id = in.text();
  manifest.scanned_at_us = in.zigzag();
  const uint64_t count = in.varint();
  for (uint64_t i = 0; in.ok() && i < count; ++i) {
    const auto place = static_cast<uint32_t>(in.varint());
    PageGroup group;
    group.pages = static_cast<uint32_t>(in.varint());
    group.epoch = EpochId{in.varint()};
    if ((place & 0xffff) >= kKeyGroups) return unknown("snapshot");
    manifest.groups[place] = group;
  }
  if (!in.finished() || manifest.scanned_at_us < -kNever || manifest.scanned_at_us > kNever) {
    return unknown("snapshot");
  }
  return manifest;
}

std::string epoch_key(EpochId id) { return fmt::format("{}{:016x}", kEpochPrefix, id.value); }

std::string page_key(std::string_view operator_id, uint16_t key_group, uint16_t worker, uint32_t page) {
  return fmt::format("page/{}/{:02x}/{:04x}/{:06x}", operator_id, key_group, worker, page);
}

}  // namespace tidegate::engine
