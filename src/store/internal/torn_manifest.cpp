#include "store/internal/torn_manifest.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/logging.h"

namespace tidegate::store {

namespace {

constexpr size_t kBlockBytes = 32U << 10;
constexpr size_t kHeaderBytes = 7;
constexpr uint8_t kFull = 1;
constexpr uint8_t kLast = 4;
// Edits are small; what is longer than this was not torn by a power cut.
constexpr size_t kMaxTornBytes = 64U << 10;

constexpr std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t at = 0; at < table.size(); ++at) {
    uint32_t crc = at;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
    table[at] = crc;
  }
  return table;
}

// CRC-32C (RFC 3720, appendix B.4), masked as RocksDB stores it.
uint32_t masked_crc(std::string_view bytes) {
  static constexpr auto kTable = crc_table();
  uint32_t crc = 0xffffffffU;
  for (const char byte : bytes) crc = kTable[(crc ^ static_cast<uint8_t>(byte)) & 0xffU] ^ (crc >> 8U);
  crc ^= 0xffffffffU;
  return ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U;
}

// The bytes of the record that begins there; 0: none does.
size_t record_bytes(std::string_view manifest, size_t at) {
  const size_t left = std::min(manifest.size() - at, kBlockBytes - at % kBlockBytes);
  if (left < kHeaderBytes) return 0;
  ByteReader in(manifest.substr(at, left));
  const auto crc = in.fixed<uint32_t>();
  const size_t length = in.fixed<uint16_t>();
  const auto type = in.fixed<uint8_t>();
  if (type < kFull || type > kLast || length > left - kHeaderBytes) return 0;
  // The type counts into the sum.
  return masked_crc(manifest.substr(at + kHeaderBytes - 1, length + 1)) == crc ? kHeaderBytes + length : 0;
}

// Edits of families that are flushed together are appended at once; each ends with the tag 300 and how many follow.
bool of_atomic_group(std::string_view record) {
  constexpr std::string_view kTag = "\xac\x02";
  if (record.size() <= kHeaderBytes + kTag.size()) return false;
  return record.substr(record.size() - kTag.size() - 1, kTag.size()) == kTag;
}

bool write_anew(rocksdb::Env& env, const std::string& path, std::string_view bytes) {
  return rocksdb::WriteStringToFile(&env, {bytes.data(), bytes.size()}, path, true).ok();
}

}  // namespace

size_t whole_records_end(std::string_view manifest) {
  size_t end = 0;
  size_t at = 0;
  while (at < manifest.size()) {
    if (kBlockBytes - at % kBlockBytes < kHeaderBytes) at += kBlockBytes - at % kBlockBytes;  // the rest of a block
    const size_t bytes = at < manifest.size() ? record_bytes(manifest, at) : 0;
    if (bytes == 0) break;
    const auto type = static_cast<uint8_t>(manifest[at + kHeaderBytes - 1]);
    at += bytes;
    if (type == kFull || type == kLast) end = at;
  }
  for (size_t behind = at + 1; behind < manifest.size();) {
    const size_t bytes = record_bytes(manifest, behind);
    if (bytes != 0 && !of_atomic_group(manifest.substr(behind, bytes))) return std::string_view::npos;
    behind += std::max<size_t>(bytes, 1);
  }
  return end;
}

std::optional<std::string> cut_torn_manifest(rocksdb::Env& env, const std::string& database) {
  std::string name;
  if (!rocksdb::ReadFileToString(&env, database + "/CURRENT", &name).ok()) return std::nullopt;
  while (!name.empty() && name.back() == '\n') name.pop_back();
  std::string path = database + "/" + name;
  std::string manifest;
  if (!name.starts_with("MANIFEST-") || !rocksdb::ReadFileToString(&env, path, &manifest).ok()) return std::nullopt;
  const size_t end = whole_records_end(manifest);
  if (end == 0 || end >= manifest.size() || manifest.size() - end > kMaxTornBytes) return std::nullopt;
  const std::string cut = path + ".cut";
  const bool written = write_anew(env, path + ".torn", manifest) &&
                       write_anew(env, cut, std::string_view(manifest).substr(0, end)) &&
                       env.RenameFile(cut, path).ok();
  if (!written) return std::nullopt;
  log_info("store.torn_manifest", {{"file", path}, {"bytes_cut", manifest.size() - end}});
  return path;
}

void uncut_manifest(rocksdb::Env& env, const std::string& path) {
  if (const rocksdb::Status renamed = env.RenameFile(path + ".torn", path); !renamed.ok()) {
    log_warn("store.manifest_not_put_back", {{"file", path}, {"reason", renamed.ToString()}});
  }
}

}  // namespace tidegate::store
