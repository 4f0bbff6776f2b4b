#include "lookup/internal/version_store.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "lookup/row_bytes.h"

namespace tidegate::lookup {

namespace {

constexpr uint8_t kVersion = 1;

std::string prefix_of(catalog::TableId table) { return fmt::format("lookup/{:08x}/", table.value); }
std::string end_of(catalog::TableId table) { return fmt::format("lookup/{:08x}0", table.value); }  // behind '/'
std::string head_key(catalog::TableId table) { return prefix_of(table) + "head"; }
std::string page_key(catalog::TableId table, size_t page) {
  return fmt::format("{}page/{:06x}", prefix_of(table), page);
}

std::unexpected<Error> unknown(const catalog::TableDefinition& table) {
  return fail(ErrorCode::FormatUnknown,
              fmt::format("what is stored of the lookup table '{}' cannot be read", table.name),
              "it was written by a newer version; use that version or a later one");
}

}  // namespace

std::string fingerprint(const columnar::Batch& rows) {
  std::string digest;
  crypto::Digest(crypto::DigestAlgorithm::kSha256).append_hex(encode_rows(rows), digest);
  return digest;
}

Result<> VersionStore::put(catalog::TableId table, const KeptVersion& version) {
  const std::string rows = version.rows ? encode_rows(*version.rows) : std::string();
  const size_t pages = (rows.size() + kPageBytes - 1) / kPageBytes;
  std::string head;
  ByteWriter out(head);
  out.fixed(kVersion);
  out.varint(version.number);
  out.zigzag(version.loaded_us);
  out.text(version.fingerprint);
  out.fixed<uint8_t>(version.rows ? 1 : 0);
  out.varint(version.rows ? version.rows->rows : 0);
  out.varint(pages);
  store::WriteBatch batch;
  batch.erase_range(store::Family::kCatalog, prefix_of(table), end_of(table));
  batch.put(store::Family::kCatalog, head_key(table), crypto::seal(key_, random_, head_key(table), head));
  for (size_t page = 0; page < pages; ++page) {
    const std::string key = page_key(table, page);
    const std::string_view part = std::string_view(rows).substr(page * kPageBytes, kPageBytes);
    // The version is part of the place, so that a page of another one does not open.
    const std::string place = fmt::format("{}@{}", key, version.number);
    batch.put(store::Family::kCatalog, key, crypto::seal(key_, random_, place, part));
  }
  return store_.write(std::move(batch), store::Durability::kSynced);
}

Result<std::optional<KeptVersion>> VersionStore::get(const catalog::TableDefinition& table) {
  TRY_ASSIGN(const auto sealed, store_.get(store::Family::kCatalog, head_key(table.id)));
  if (!sealed) return std::optional<KeptVersion>();
  TRY_ASSIGN(const std::string head, crypto::open_seal(key_, head_key(table.id), *sealed));
  ByteReader in(head);
  KeptVersion kept;
  if (in.fixed<uint8_t>() != kVersion) return unknown(table);
  kept.number = in.varint();
  kept.loaded_us = in.zigzag();
  kept.fingerprint = in.text();
  const bool has_rows = in.fixed<uint8_t>() != 0;
  const uint64_t count = in.varint();
  const uint64_t pages = in.varint();
  if (!in.finished()) return unknown(table);
  if (!has_rows) return std::optional(std::move(kept));
  std::string rows;
  for (uint64_t page = 0; page < pages; ++page) {
    const std::string key = page_key(table.id, page);
    TRY_ASSIGN(const auto part, store_.get(store::Family::kCatalog, key));
    if (!part)
      return fail(ErrorCode::LogCorrupted, fmt::format("a page of the lookup table '{}' is missing", table.name));
    TRY_ASSIGN(const std::string bytes, crypto::open_seal(key_, fmt::format("{}@{}", key, kept.number), *part));
    rows += bytes;
  }
  kept.rows = decode_rows(rows, table.schema, count);
  if (!kept.rows) return unknown(table);
  return std::optional(std::move(kept));
}

Result<> VersionStore::drop(catalog::TableId table) {
  store::WriteBatch batch;
  batch.erase_range(store::Family::kCatalog, prefix_of(table), end_of(table));
  return store_.write(std::move(batch), store::Durability::kSynced);
}

}  // namespace tidegate::lookup
