// The manifest in pages: what is written when, and that the form of old is still read.
#include "log/internal/keys.h"
#include "log/internal/log_fixture.h"
#include "log/internal/stream_index.h"

namespace tidegate::log {
namespace {

using internal::kManifestPagePieces;
using internal::Piece;
using internal::StreamIndex;

Piece piece_at(int64_t number) {
  Piece piece{internal::kSegmentKind,
              Offset{number * 10},
              Offset{number * 10 + 10},
              IngestTime{number},
              IngestTime{number + 1},
              static_cast<uint64_t>(number * 3),
              {}};
  piece.tag.fill(static_cast<char>(number));
  return piece;
}

struct Bench {
  explicit Bench(const char* name) : fixture(name), key(fixture.keys->data_key("stream/99").value()) {}

  void list(int64_t first, int64_t end) {
    for (int64_t number = first; number < end; ++number) {
      index.pieces.push_back(piece_at(number));
      index.list_next();
    }
    index.end = index.pieces.back().end;
  }
  void drop(int64_t count) {
    for (int64_t left = count; left > 0; --left) index.drop_front();
    index.begin = index.pieces.empty() ? index.end : index.pieces.front().first;
  }
  // Returns how many bytes were written.
  size_t save() {
    store::WriteBatch batch;
    internal::put_manifest(kStream, index, key, fixture.system_random, batch);
    internal::put_head(kStream, index, index.listed_end(), key, fixture.system_random, batch);
    const size_t bytes = batch.bytes();
    CHECK(fixture.store->write(std::move(batch), store::Durability::kSynced));
    return bytes;
  }
  void check_loads_the_same() {
    const auto loaded = internal::load_index(*fixture.store, kStream, key).value();
    CHECK(loaded.reason.empty());
    CHECK(loaded.index.listed == index.listed);
    REQUIRE(loaded.index.pieces.size() == index.pieces.size());
    for (size_t at = 0; at < index.pieces.size(); ++at) {
      CHECK(loaded.index.pieces[at].first == index.pieces[at].first);
      CHECK(loaded.index.pieces[at].bytes == index.pieces[at].bytes);
      CHECK(loaded.index.pieces[at].tag == index.pieces[at].tag);
    }
  }
  std::vector<std::string> keys() {
    std::vector<std::string> found;
    CHECK(fixture.store->scan(store::Family::kLog, internal::stream_key(internal::kManifestKind, kStream),
                              internal::stream_key_end(internal::kManifestKind, kStream), [&](auto stored, auto) {
                                found.emplace_back(stored);
                                return true;
                              }));
    return found;
  }

  static constexpr StreamId kStream{99};
  LogFixture fixture;
  const crypto::Key key;
  StreamIndex index;
};

TEST_CASE("a manifest of many pages is read back, and only what changed is written") {
  Bench bench("manifest");
  bench.list(0, 1000);
  const size_t all = bench.save();
  bench.check_loads_the_same();
  CHECK(bench.keys().size() == 1 + (1000 + kManifestPagePieces - 1) / kManifestPagePieces);
  bench.list(1000, 1001);
  CHECK(bench.save() < all / 3);
  bench.check_loads_the_same();
  bench.drop(300);  // a page and a part of the next
  CHECK(bench.save() < all / 2);
  bench.check_loads_the_same();
  CHECK(bench.keys().size() == 1 + 3);
  bench.drop(701);
  CHECK(bench.save() < 500);
  bench.check_loads_the_same();
  CHECK(bench.keys().size() == 1);
  bench.list(2000, 2005);
  bench.save();
  bench.check_loads_the_same();
}

TEST_CASE("what was loaded goes on as if it had never stopped") {
  Bench bench("manifest_goes_on");
  bench.list(0, 600);
  bench.save();
  auto loaded = internal::load_index(*bench.fixture.store, Bench::kStream, bench.key).value();
  bench.index = std::move(loaded.index);
  bench.list(600, 900);
  bench.drop(10);
  bench.save();
  bench.check_loads_the_same();
}

TEST_CASE("a manifest that was not saved leaves the stored one as it is") {
  Bench bench("manifest_copy");
  bench.list(0, 300);
  bench.save();
  StreamIndex next = bench.index;
  next.pieces.push_back(piece_at(300));
  next.list_next();
  store::WriteBatch failed;
  internal::put_manifest(Bench::kStream, next, bench.key, bench.fixture.system_random, failed);
  bench.check_loads_the_same();
  bench.list(300, 310);
  bench.save();
  bench.check_loads_the_same();
}

TEST_CASE("a manifest in one record, as it was before there were pages, is read and then written in pages") {
  Bench bench("manifest_old");
  bench.list(0, 700);
  std::string plain;
  ByteWriter writer(plain);
  writer.fixed(uint8_t{1});
  writer.varint(bench.index.pieces.size());
  for (const Piece& piece : bench.index.pieces) {
    writer.fixed(piece.kind);
    writer.fixed(piece.first.value);
    writer.fixed(piece.end.value);
    writer.fixed(piece.ingest_first.value);
    writer.fixed(piece.ingest_last.value);
    writer.varint(piece.bytes);
    internal::write_tag(writer, piece.tag);
  }
  const std::string record = internal::stream_key(internal::kManifestKind, Bench::kStream);
  const std::string sealed = crypto::seal(bench.key, bench.fixture.system_random, internal::log_place(record), plain);
  bench.index.manifest_tag = internal::tag_of(sealed);
  store::WriteBatch batch;
  batch.put(store::Family::kLog, record, sealed);
  internal::put_head(Bench::kStream, bench.index, bench.index.listed_end(), bench.key, bench.fixture.system_random,
                     batch);
  CHECK(bench.fixture.store->write(std::move(batch), store::Durability::kSynced));
  bench.check_loads_the_same();
  CHECK(bench.keys().size() == 1);
  auto loaded = internal::load_index(*bench.fixture.store, Bench::kStream, bench.key).value();
  bench.index = std::move(loaded.index);
  bench.list(700, 701);
  bench.save();
  bench.check_loads_the_same();
  CHECK(bench.keys().size() == 1 + 3);
}

TEST_CASE("a page that was changed, swapped, put back in time or lost is found") {
  for (const std::string how : {"flip", "swap", "older", "erase"}) {
    CAPTURE(how);
    Bench bench("manifest_damage");
    bench.list(0, 500);
    bench.save();
    const auto value_of = [&](const std::string& record) {
      return bench.fixture.store->get(store::Family::kLog, record).value().value();
    };
    const std::vector<std::string> keys = bench.keys();
    REQUIRE(keys.size() == 3);
    std::string value = value_of(keys[2]);
    bench.list(500, 505);
    bench.save();
    if (how == "flip") {
      value = value_of(keys[2]);
      value[30] = static_cast<char>(value[30] ^ 1);
    }
    if (how == "swap") value = value_of(keys[1]);
    store::WriteBatch batch;
    if (how == "erase") {
      batch.erase(store::Family::kLog, keys[2]);
    } else {
      batch.put(store::Family::kLog, keys[2], value);
    }
    CHECK(bench.fixture.store->write(std::move(batch), store::Durability::kSynced));
    auto loaded = internal::load_index(*bench.fixture.store, Bench::kStream, bench.key).value();
    CHECK(loaded.reason == "the stream's manifest is missing or broken");
    // Rebuilt from the pieces themselves (there are none here), it takes the place of all old pages.
    bench.index = std::move(loaded.index);
    bench.save();
    bench.check_loads_the_same();
    CHECK(bench.keys().size() == 1);
  }
}

}  // namespace
}  // namespace tidegate::log
