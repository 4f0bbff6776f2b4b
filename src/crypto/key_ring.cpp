#include "crypto/key_ring.h"

#include <map>
#include <optional>

#include "base/bytes.h"
#include "base/guarded.h"
#include "crypto/internal/encoding.h"
#include "io/file.h"

namespace tidegate::crypto {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRootFile = "root.key";
constexpr std::string_view kNewRootFile = "root.key.new";
constexpr std::string_view kRingFile = "keyring";
constexpr std::string_view kMagic = "TGKEYS01";
constexpr std::string_view kKekPlace = "keyring/kek";
constexpr size_t kMaxKeys = 100'000;  // one per stream and pipeline; the file stays below 15 MB
constexpr size_t kMaxNameBytes = 256;

struct Ring {
  Key kek;
  std::map<std::string, Key, std::less<>> keys;
};

std::string place_of(std::string_view name) { return "keyring/data/" + std::string(name); }

std::string encode(const Ring& ring, const Key& root, io::Random& random) {
  std::string out(kMagic);
  ByteWriter writer(out);
  writer.text(seal(root, random, kKekPlace, ring.kek.bytes()));
  writer.varint(ring.keys.size());
  for (const auto& [name, key] : ring.keys) {
    writer.text(name);
    writer.text(seal(ring.kek, random, place_of(name), key.bytes()));
  }
  return out;
}

Result<Key> unwrap(const Key& wrapping, std::string_view place, std::string_view sealed, const fs::path& ring_path) {
  const Result<std::string> plain = open_seal(wrapping, place, sealed);
  if (!plain || plain->size() != Key::kBytes) {
    return fail(ErrorCode::KeyUnavailable, "the key ring " + ring_path.string() + " does not open with this root key",
                "Put back the root.key and keyring that belong to this data folder, from a backup of the keys folder.");
  }
  return Key(*plain);
}

Result<Ring> decode(std::string_view bytes, const Key& root, const fs::path& path) {
  const auto malformed = [&] {
    return fail(ErrorCode::KeyUnavailable, "the key ring " + path.string() + " is damaged or of an unknown version",
                "Put back the keyring file from a backup of the keys folder.");
  };
  ByteReader reader(bytes);
  if (reader.raw(kMagic.size()) != kMagic) return malformed();
  const std::string_view sealed_kek = reader.text();
  const uint64_t count = reader.varint();
  if (!reader.ok() || count > kMaxKeys) return malformed();
  TRY_ASSIGN(const Key kek, unwrap(root, kKekPlace, sealed_kek, path));
  Ring ring{kek, {}};
  for (uint64_t at = 0; at < count; ++at) {
    const std::string name(reader.text());
    const std::string_view sealed = reader.text();
    if (!reader.ok() || name.empty() || name.size() > kMaxNameBytes) return malformed();
    TRY_ASSIGN(const Key key, unwrap(kek, place_of(name), sealed, path));
    ring.keys.emplace(name, key);
  }
  if (!reader.finished()) return malformed();
  return ring;
}

Result<Key> read_root_key(const fs::path& path) {
  TRY_ASSIGN(std::string text, io::read_file(path));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  const std::optional<std::string> bytes = internal::from_hex(text);
  if (!bytes || bytes->size() != Key::kBytes) {
    return fail(ErrorCode::KeyUnavailable, "the root key " + path.string() + " is not 64 hex digits",
                "Put back the root.key that belongs to this data folder.");
  }
  return Key(*bytes);
}

class FileKeyRing final : public KeyRing {
 public:
  FileKeyRing(fs::path path, const Key& root, Ring ring, io::Random& random)
      : path_(std::move(path)), root_(root), random_(random), ring_(std::move(ring)) {}

  Result<Key> data_key(std::string_view name) override {
    if (name.empty() || name.size() > kMaxNameBytes) {
      return fail(ErrorCode::KeyUnavailable, "a key's name must have 1 to 256 bytes");
    }
    auto ring = ring_.lock();
    if (const auto found = ring->keys.find(name); found != ring->keys.end()) return found->second;
    if (ring->keys.size() >= kMaxKeys) {
      return fail(ErrorCode::LimitReached, "the key ring is full: it holds 100000 keys");
    }
    Key made = Key::generate(random_);
    ring->keys.emplace(name, made);
    if (const Result<> saved = io::write_file_atomic(path_, encode(*ring, root_, random_), io::FilePrivacy::kOwnerOnly);
        !saved) {
      ring->keys.erase(ring->keys.find(name));
      return std::unexpected(saved.error());
    }
    return made;
  }

 private:
  const fs::path path_;
  const Key root_;
  io::Random& random_;
  Guarded<Ring> ring_;
};

}  // namespace

Result<std::unique_ptr<KeyRing>> KeyRing::open(const fs::path& folder, io::Random& random) {
  TRY(io::create_private_folder(folder));
  const fs::path root_path = folder / kRootFile;
  const fs::path new_root_path = folder / kNewRootFile;
  const fs::path ring_path = folder / kRingFile;
  std::error_code ignored;
  if (!fs::exists(root_path, ignored) && fs::exists(new_root_path, ignored) && fs::exists(ring_path, ignored)) {
    fs::rename(new_root_path, root_path, ignored);  // the first start was interrupted at its last step
  }
  const bool has_root = fs::exists(root_path, ignored);
  const bool has_ring = fs::exists(ring_path, ignored);
  if (has_ring && !has_root) {
    return fail(ErrorCode::KeyUnavailable, "the root key " + root_path.string() + " is missing",
                "Put back the root.key that belongs to this data folder. Without it the data cannot be read.");
  }
  if (has_root && !has_ring) {
    return fail(ErrorCode::KeyUnavailable, "the key ring " + ring_path.string() + " is missing",
                "Put back the keyring that belongs to this root key, or move root.key away to start with new keys.");
  }
  if (has_ring) {
    TRY_ASSIGN(const Key root, read_root_key(root_path));
    TRY_ASSIGN(const std::string bytes, io::read_file(ring_path));
    TRY_ASSIGN(Ring ring, decode(bytes, root, ring_path));
    return std::make_unique<FileKeyRing>(ring_path, root, std::move(ring), random);
  }
  const Key root = Key::generate(random);
  Ring ring{Key::generate(random), {}};
  // root.key appears last, so that a start interrupted anywhere is told apart from a lost file.
  TRY(io::write_file_atomic(new_root_path, internal::hex(root.bytes()) + "\n", io::FilePrivacy::kOwnerOnly));
  TRY(io::write_file_atomic(ring_path, encode(ring, root, random), io::FilePrivacy::kOwnerOnly));
  std::error_code failed;
  fs::rename(new_root_path, root_path, failed);
  if (failed) {
    return fail(ErrorCode::DataFolderUnusable, "cannot write " + root_path.string() + ": " + failed.message());
  }
  return std::make_unique<FileKeyRing>(ring_path, root, std::move(ring), random);
}

}  // namespace tidegate::crypto
