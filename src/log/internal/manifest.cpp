#include "log/internal/manifest.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "log/internal/keys.h"

namespace tidegate::log::internal {

namespace {

constexpr uint8_t kWholeVersion = 1;  // the root of old: all pieces in one record
constexpr uint8_t kRootVersion = 2;
constexpr uint8_t kPageVersion = 1;

std::string page_key(StreamId stream, uint32_t number) {
  std::string key = stream_key(kManifestKind, stream);
  append_big_endian(key, number);
  return key;
}

void write_pieces(ByteWriter& writer, const std::deque<Piece>& pieces, size_t first, size_t count) {
  writer.varint(count);
  for (size_t at = first; at < first + count; ++at) {
    const Piece& piece = pieces[at];
    writer.fixed(piece.kind);
    writer.fixed(piece.first.value);
    writer.fixed(piece.end.value);
    writer.fixed(piece.ingest_first.value);
    writer.fixed(piece.ingest_last.value);
    writer.varint(piece.bytes);
    write_tag(writer, piece.tag);
  }
}

bool read_pieces(std::string_view plain, std::deque<Piece>& pieces) {
  ByteReader in(plain);
  const uint64_t count = in.varint();
  for (uint64_t at = 0; at < count && in.ok(); ++at) {
    Piece piece{};
    piece.kind = in.fixed<char>();
    piece.first = Offset{in.fixed<int64_t>()};
    piece.end = Offset{in.fixed<int64_t>()};
    piece.ingest_first = IngestTime{in.fixed<int64_t>()};
    piece.ingest_last = IngestTime{in.fixed<int64_t>()};
    piece.bytes = in.varint();
    piece.tag = read_tag(in);
    pieces.push_back(piece);
  }
  return in.finished();
}

// Seals `plain` at the place `record` into `batch`.
Tag put_record(const std::string& record, const std::string& plain, const crypto::Key& key, io::Random& random,
               store::WriteBatch& batch) {
  const std::string sealed = crypto::seal(key, random, log_place(record), plain);
  batch.put(store::Family::kLog, record, sealed);
  return tag_of(sealed);
}

}  // namespace

void write_tag(ByteWriter& writer, const Tag& tag) { writer.raw(std::string_view(tag.data(), tag.size())); }

Tag read_tag(ByteReader& in) {
  Tag tag{};
  const std::string_view raw = in.raw(kTagBytes);
  if (raw.size() == kTagBytes) std::memcpy(tag.data(), raw.data(), kTagBytes);
  return tag;
}

Tag tag_of(std::string_view sealed) {
  Tag tag{};
  if (sealed.size() >= kTagBytes) std::memcpy(tag.data(), sealed.data() + sealed.size() - kTagBytes, kTagBytes);
  return tag;
}

Result<std::optional<OpenedRecord>> open_record(store::Store& store, const std::string& record,
                                                const crypto::Key& key) {
  TRY_ASSIGN(const std::optional<std::string> sealed, store.get(store::Family::kLog, record));
  if (!sealed) return std::optional<OpenedRecord>();
  const Result<std::string> plain = crypto::open_seal(key, log_place(record), *sealed);
  if (!plain || plain->empty()) return std::optional<OpenedRecord>();
  return std::optional(OpenedRecord{static_cast<uint8_t>(plain->front()), plain->substr(1), tag_of(*sealed)});
}

Result<std::vector<uint32_t>> stored_pages(store::Store& store, StreamId stream) {
  std::vector<uint32_t> numbers;
  const std::string root = stream_key(kManifestKind, stream);
  TRY(store.scan(store::Family::kLog, root, stream_key_end(kManifestKind, stream),
                 [&](std::string_view key, std::string_view) {
                   if (key.size() != root.size() + sizeof(uint32_t)) return true;
                   uint32_t number = 0;
                   for (const char byte : key.substr(root.size())) number = (number << 8) | static_cast<uint8_t>(byte);
                   numbers.push_back(number);
                   return true;
                 }));
  return numbers;
}

void ManifestPages::append() {
  if (pages_.empty() || pages_.back().pieces >= kManifestPagePieces) pages_.push_back({next_number_++, 0, {}, true});
  ++pages_.back().pieces;
  pages_.back().changed = true;
}

void ManifestPages::drop_front() {
  if (pages_.empty()) return;
  Page& oldest = pages_.front();
  oldest.changed = true;
  if (--oldest.pieces > 0) return;
  forgotten_.push_back(oldest.number);
  pages_.pop_front();
}

void ManifestPages::start_over(size_t listed) {
  for (const Page& page : pages_) forgotten_.push_back(page.number);
  pages_.clear();
  for (size_t at = 0; at < listed; ++at) append();
}

void ManifestPages::forget(uint32_t number) {
  forgotten_.push_back(number);
  next_number_ = std::max(next_number_, number + 1);
}

Tag ManifestPages::put(StreamId stream, const std::deque<Piece>& pieces, const crypto::Key& key, io::Random& random,
                       store::WriteBatch& batch) {
  for (const uint32_t number : forgotten_) batch.erase(store::Family::kLog, page_key(stream, number));
  forgotten_.clear();
  std::string root;
  ByteWriter writer(root);
  writer.fixed(kRootVersion);
  writer.varint(pages_.size());
  size_t first = 0;
  for (Page& page : pages_) {
    if (page.changed) {
      std::string plain;
      ByteWriter content(plain);
      content.fixed(kPageVersion);
      write_pieces(content, pieces, first, page.pieces);
      page.tag = put_record(page_key(stream, page.number), plain, key, random, batch);
      page.changed = false;
    }
    writer.fixed(page.number);
    writer.fixed(page.pieces);
    write_tag(writer, page.tag);
    first += page.pieces;
  }
  return put_record(stream_key(kManifestKind, stream), root, key, random, batch);
}

bool ManifestPages::read_root(std::string_view plain) {
  ByteReader in(plain);
  const uint64_t count = in.varint();
  for (uint64_t at = 0; at < count && in.ok(); ++at) {
    Page page;
    page.number = in.fixed<uint32_t>();
    page.pieces = in.fixed<uint32_t>();
    page.tag = read_tag(in);
    page.changed = false;
    if (!pages_.empty() && page.number <= pages_.back().number) return false;
    pages_.push_back(page);
  }
  if (!pages_.empty()) next_number_ = pages_.back().number + 1;
  return in.finished();
}

Result<bool> ManifestPages::load(store::Store& store, StreamId stream, const Tag& tag, const crypto::Key& key,
                                 std::deque<Piece>& pieces) {
  TRY_ASSIGN(const std::optional<OpenedRecord> root, open_record(store, stream_key(kManifestKind, stream), key));
  if (!root || root->tag != tag) return false;
  if (root->version == kWholeVersion) {
    if (!read_pieces(root->plain, pieces)) return false;
    start_over(pieces.size());
    return true;
  }
  if (root->version != kRootVersion || !read_root(root->plain)) return false;
  for (const Page& page : pages_) {
    TRY_ASSIGN(const std::optional<OpenedRecord> stored, open_record(store, page_key(stream, page.number), key));
    const size_t before = pieces.size();
    if (!stored || stored->version != kPageVersion || stored->tag != page.tag || !read_pieces(stored->plain, pieces) ||
        pieces.size() != before + page.pieces) {
      return false;
    }
  }
  return true;
}

}  // namespace tidegate::log::internal
