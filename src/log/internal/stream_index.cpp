#include "log/internal/stream_index.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "log/internal/keys.h"

namespace tidegate::log::internal {

namespace {

constexpr uint8_t kHeadVersion = 1;

bool read_head(const std::string& plain, StreamIndex& index, Offset& listed_end) {
  ByteReader in(plain);
  index.begin = Offset{in.fixed<int64_t>()};
  index.end = Offset{in.fixed<int64_t>()};
  listed_end = Offset{in.fixed<int64_t>()};
  index.last_tag = read_tag(in);
  index.manifest_tag = read_tag(in);
  return in.finished() && index.begin.value >= 0 && index.begin <= index.end;
}

struct StoredBatch {
  Piece piece;
  bool good = false;
  Tag previous{};
};

int64_t read_big_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = (value << 8) | static_cast<uint8_t>(byte);
  return static_cast<int64_t>(value);
}

std::optional<OffsetRange> range_of_key(std::string_view key) {
  if (key.size() != kRangeKeyBytes) return std::nullopt;
  const OffsetRange range{Offset{read_big_endian(key.substr(5, 8))}, Offset{read_big_endian(key.substr(13, 8))}};
  if (range.first.value < 0 || range.end <= range.first) return std::nullopt;
  return range;
}

StoredBatch read_stored(char kind, OffsetRange range, std::string_view key_in_store, std::string_view sealed,
                        const crypto::Key& key) {
  StoredBatch stored;
  stored.piece = Piece{kind, range.first, range.end, {}, {}, sealed.size(), tag_of(sealed)};
  const Result<std::string> plain = crypto::open_seal(key, log_place(key_in_store), sealed);
  if (!plain) return stored;
  const Result<PieceHeader> header = decode_piece_header(*plain);
  if (!header || header->rows != stored.piece.rows() || header->runs.empty()) return stored;
  stored.good = true;
  stored.previous = header->previous;
  stored.piece.ingest_first = header->runs.front().time;
  stored.piece.ingest_last = header->runs.back().time;
  return stored;
}

// All stored pieces of a kind from `from` on, in order of offsets.
Result<std::vector<StoredBatch>> scan_pieces(store::Store& store, char kind, StreamId stream, Offset from,
                                             const crypto::Key& key) {
  std::vector<StoredBatch> found;
  const std::string begin = range_key(kind, stream, from, Offset{0});
  TRY(store.scan(store::Family::kLog, begin, stream_key_end(kind, stream),
                 [&](std::string_view key_in_store, std::string_view sealed) {
                   if (const auto range = range_of_key(key_in_store)) {
                     found.push_back(read_stored(kind, *range, key_in_store, sealed, key));
                   }
                   return true;
                 }));
  return found;
}

// Walks the write-ahead batches back from the head by their tags. What does not open or does not fit is broken; behind
// such a one the chain starts anew at the next that opens.
std::vector<Piece> follow_chain(std::vector<StoredBatch> stored, const StreamIndex& index, Offset listed_end,
                                std::vector<OffsetRange>& broken) {
  std::vector<Piece> good;
  std::optional<Tag> expected = index.last_tag;
  Offset end = index.end;
  for (auto at = stored.rbegin(); at != stored.rend() && end > listed_end; ++at) {
    if (at->piece.end > end) continue;  // left over from a commit that failed; its offsets were given out again
    if (at->piece.end < end) {          // one or more are missing
      broken.push_back({at->piece.end, end});
      end = at->piece.end;
      expected.reset();
    }
    end = at->piece.first;
    if (!at->good || (expected && *expected != at->piece.tag)) {
      broken.push_back({at->piece.first, at->piece.end});
      expected.reset();
      continue;
    }
    expected = at->previous;
    good.push_back(at->piece);
  }
  if (end > listed_end) broken.push_back({listed_end, end});
  std::ranges::reverse(good);
  return good;
}

// Head or manifest is lost: everything that opens at its place is taken, gaps between are broken.
Result<StreamIndex> rebuild(store::Store& store, StreamId stream, const crypto::Key& key,
                            std::vector<OffsetRange>& broken) {
  TRY_ASSIGN(std::vector<StoredBatch> all, scan_pieces(store, kSegmentKind, stream, Offset{0}, key));
  TRY_ASSIGN(std::vector<StoredBatch> batches, scan_pieces(store, kBatchKind, stream, Offset{0}, key));
  all.insert(all.end(), batches.begin(), batches.end());
  std::ranges::stable_sort(all, {}, [](const StoredBatch& stored) { return stored.piece.first; });
  StreamIndex index;
  if (!all.empty()) index.begin = index.end = all.front().piece.first;
  for (const StoredBatch& stored : all) {
    if (stored.piece.end <= index.end) continue;
    if (stored.piece.first > index.end) broken.push_back({index.end, stored.piece.first});
    if (stored.good && stored.piece.first >= index.end) {
      index.pieces.push_back(stored.piece);
    } else {
      broken.push_back({std::max(stored.piece.first, index.end), stored.piece.end});
    }
    index.end = stored.piece.end;
    if (stored.piece.kind == kBatchKind) index.last_tag = stored.piece.tag;
  }
  index.listed = index.pieces.size();
  TRY_ASSIGN(const std::vector<uint32_t> pages, stored_pages(store, stream));
  for (const uint32_t page : pages) index.manifest.forget(page);
  index.manifest.start_over(index.listed);
  return index;
}

Result<> load_quarantine(store::Store& store, StreamId stream, const crypto::Key& key, StreamIndex& index) {
  return store.scan(store::Family::kLog, stream_key(kQuarantineKind, stream), stream_key_end(kQuarantineKind, stream),
                    [&](std::string_view key_in_store, std::string_view sealed) {
                      const auto range = range_of_key(key_in_store);
                      if (range && crypto::open_seal(key, log_place(key_in_store), sealed)) index.quarantine(*range);
                      return true;
                    });
}

}  // namespace

void StreamIndex::list_next() {
  ++listed;
  manifest.append();
}

void StreamIndex::drop_front() {
  pieces.pop_front();
  if (listed == 0) return;
  --listed;
  manifest.drop_front();
}

size_t StreamIndex::find(Offset offset) const {
  const auto at = std::ranges::partition_point(pieces, [&](const Piece& piece) { return piece.end <= offset; });
  return static_cast<size_t>(at - pieces.begin());
}

Offset StreamIndex::listed_end() const { return listed == 0 ? begin : pieces[listed - 1].end; }

void StreamIndex::quarantine(OffsetRange range) {
  std::vector<OffsetRange> merged;
  for (const OffsetRange& other : quarantined) {
    if (other.end < range.first || range.end < other.first) {
      merged.push_back(other);
    } else {
      range = {std::min(range.first, other.first), std::max(range.end, other.end)};
    }
  }
  merged.push_back(range);
  std::ranges::sort(merged, {}, &OffsetRange::first);
  quarantined = std::move(merged);
}

Offset StreamIndex::next_readable(Offset from) const {
  for (const OffsetRange& range : quarantined) {
    if (range.first <= from && from < range.end) from = range.end;
  }
  return from;
}

void put_head(StreamId stream, const StreamIndex& index, Offset listed_end, const crypto::Key& key, io::Random& random,
              store::WriteBatch& batch) {
  std::string plain;
  ByteWriter writer(plain);
  writer.fixed(kHeadVersion);
  writer.fixed(index.begin.value);
  writer.fixed(index.end.value);
  writer.fixed(listed_end.value);
  write_tag(writer, index.last_tag);
  write_tag(writer, index.manifest_tag);
  const std::string record = stream_key(kHeadKind, stream);
  batch.put(store::Family::kLog, record, crypto::seal(key, random, log_place(record), plain));
}

void put_manifest(StreamId stream, StreamIndex& index, const crypto::Key& key, io::Random& random,
                  store::WriteBatch& batch) {
  index.manifest_tag = index.manifest.put(stream, index.pieces, key, random, batch);
}

void put_quarantine(StreamId stream, OffsetRange range, const crypto::Key& key, io::Random& random,
                    store::WriteBatch& batch) {
  const std::string record = range_key(kQuarantineKind, stream, range.first, range.end);
  batch.put(store::Family::kLog, record, crypto::seal(key, random, log_place(record), "q"));
}

Result<LoadedIndex> load_index(store::Store& store, StreamId stream, const crypto::Key& key) {
  LoadedIndex loaded;
  Offset listed_end;
  TRY_ASSIGN(const std::optional<OpenedRecord> head, open_record(store, stream_key(kHeadKind, stream), key));
  const bool head_good = head && head->version == kHeadVersion && read_head(head->plain, loaded.index, listed_end);
  bool manifest_good = head_good;
  if (head_good && loaded.index.manifest_tag != Tag{}) {
    StreamIndex& index = loaded.index;
    TRY_ASSIGN(manifest_good, index.manifest.load(store, stream, index.manifest_tag, key, index.pieces));
    index.listed = index.pieces.size();
  }
  TRY_ASSIGN(std::vector<StoredBatch> batches,
             scan_pieces(store, kBatchKind, stream, head_good ? listed_end : Offset{0}, key));
  const bool beyond = head_good && !batches.empty() && batches.back().piece.first >= loaded.index.end;
  if (head_good && manifest_good && !beyond) {
    const std::vector<Piece> good = follow_chain(std::move(batches), loaded.index, listed_end, loaded.found_broken);
    loaded.index.pieces.insert(loaded.index.pieces.end(), good.begin(), good.end());
  } else {
    const Offset end_before = head_good ? loaded.index.end : Offset{0};
    TRY_ASSIGN(loaded.index, rebuild(store, stream, key, loaded.found_broken));
    const bool empty = loaded.index.pieces.empty() && loaded.found_broken.empty();
    TRY_ASSIGN(const auto manifest, store.get(store::Family::kLog, stream_key(kManifestKind, stream)));
    if (!empty || head || manifest) {
      loaded.reason = !head_good ? "the stream's head record is missing or broken"
                      : beyond   ? "the stream's head record is older than its batches"
                                 : "the stream's manifest is missing or broken";
    }
    if (end_before > loaded.index.end) {  // never give an offset out twice
      loaded.found_broken.push_back({loaded.index.end, end_before});
      loaded.index.end = end_before;
    }
  }
  TRY(load_quarantine(store, stream, key, loaded.index));
  std::erase_if(loaded.found_broken,
                [&](const OffsetRange& range) { return loaded.index.next_readable(range.first) >= range.end; });
  for (const OffsetRange& range : loaded.found_broken) loaded.index.quarantine(range);
  return loaded;
}

}  // namespace tidegate::log::internal
