// The manifest of a stream: the list of its pieces that are not write-ahead batches any more, in pages, so that listing
// one more or dropping one writes a page and not everything. Layout in docs/formats/log.md.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "crypto/sealing.h"
#include "log/internal/piece_codec.h"
#include "store/store.h"

namespace tidegate::log::internal {

struct Piece {
  char kind;  // kBatchKind or kSegmentKind
  Offset first;
  Offset end;
  IngestTime ingest_first;
  IngestTime ingest_last;
  uint64_t bytes = 0;  // sealed
  Tag tag{};
  [[nodiscard]] size_t rows() const { return static_cast<size_t>(end.value - first.value); }
};

// About 15 KB a page: small beside the segment whose listing writes it. The root has 24 bytes a page, so that a million
// segments make one of 100 KB.
inline constexpr uint32_t kManifestPagePieces = 256;

// How the listed pieces are spread over pages; what they are, the index knows.
class ManifestPages {
 public:
  // One more piece is listed, at the end.
  void append();
  // The oldest is not listed any more.
  void drop_front();
  // Everything anew: `listed` pieces, in none of the pages that there were.
  void start_over(size_t listed);
  // A page that may lie in the store and is not part of this manifest: the next put() erases it.
  void forget(uint32_t number);

  // Writes the pages that changed and the root into `batch`; returns the root's tag. `pieces` begins with the listed.
  [[nodiscard]] Tag put(StreamId stream, const std::deque<Piece>& pieces, const crypto::Key& key, io::Random& random,
                        store::WriteBatch& batch);
  // Reads root and pages into `pieces`. False when anything is missing, does not open or is not what the root or `tag`
  // (of the root) vouch for; nothing that was read counts then.
  [[nodiscard]] Result<bool> load(store::Store& store, StreamId stream, const Tag& tag, const crypto::Key& key,
                                  std::deque<Piece>& pieces);

 private:
  struct Page {
    uint32_t number = 0;
    uint32_t pieces = 0;
    Tag tag{};
    bool changed = true;
  };

  [[nodiscard]] bool read_root(std::string_view plain);

  std::deque<Page> pages_;  // by number, the oldest pieces first
  uint32_t next_number_ = 0;
  std::vector<uint32_t> forgotten_;
};

// The numbers of all pages of a stream in the store, whole or not.
[[nodiscard]] Result<std::vector<uint32_t>> stored_pages(store::Store& store, StreamId stream);

// A sealed record of the log: its content behind the version byte. Nothing when it is missing or does not open.
struct OpenedRecord {
  uint8_t version = 0;
  std::string plain;
  Tag tag{};
};
[[nodiscard]] Result<std::optional<OpenedRecord>> open_record(store::Store& store, const std::string& record,
                                                              const crypto::Key& key);

[[nodiscard]] Tag tag_of(std::string_view sealed);
void write_tag(ByteWriter& writer, const Tag& tag);
[[nodiscard]] Tag read_tag(ByteReader& in);

}  // namespace tidegate::log::internal
