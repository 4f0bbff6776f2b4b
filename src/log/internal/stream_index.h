// What the log knows of one stream's stored pieces: the list, its anchor (the head record) and the manifest, and
// how they are read back and verified at a start.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "crypto/sealing.h"
#include "log/embedded_log.h"
#include "log/internal/manifest.h"
#include "log/internal/piece_codec.h"
#include "store/store.h"

namespace tidegate::log::internal {

// pieces[0, listed) are in the manifest; the rest are write-ahead batches, chained backwards by tags from the head.
struct StreamIndex {
  Offset begin;
  Offset end;
  std::deque<Piece> pieces;
  size_t listed = 0;
  ManifestPages manifest;                // of the listed pieces
  Tag last_tag{};                        // of the newest write-ahead batch; zeros before the first
  Tag manifest_tag{};                    // of the sealed manifest; zeros while there is none
  std::vector<OffsetRange> quarantined;  // sorted, disjoint

  // The write-ahead batch or segment at `listed` goes into the manifest.
  void list_next();
  // The oldest piece is dropped.
  void drop_front();
  // The index of the piece that holds `offset`, or of the first after it.
  [[nodiscard]] size_t find(Offset offset) const;
  // Where the listed pieces end: the write-ahead batches begin there.
  [[nodiscard]] Offset listed_end() const;
  void quarantine(OffsetRange range);
  [[nodiscard]] Offset next_readable(Offset from) const;
};

// These write into `batch`; put_manifest notes its tag in `index`, which the head written after it carries.
void put_head(StreamId stream, const StreamIndex& index, Offset listed_end, const crypto::Key& key, io::Random& random,
              store::WriteBatch& batch);
void put_manifest(StreamId stream, StreamIndex& index, const crypto::Key& key, io::Random& random,
                  store::WriteBatch& batch);
void put_quarantine(StreamId stream, OffsetRange range, const crypto::Key& key, io::Random& random,
                    store::WriteBatch& batch);

struct LoadedIndex {
  StreamIndex index;
  std::vector<OffsetRange> found_broken;  // by this load, not known before
  std::string reason;                     // why head or manifest had to be rebuilt; empty: they were whole
};
// Never fails on broken content, only on a store that cannot be read.
[[nodiscard]] Result<LoadedIndex> load_index(store::Store& store, StreamId stream, const crypto::Key& key);

}  // namespace tidegate::log::internal
