// Snapshots: reading pages, at a start and of what was spilled.
#include <fmt/format.h>

#include <algorithm>

#include "engine/internal/snapshot.h"
#include "engine/internal/snapshot_page.h"

namespace tidegate::engine {

Result<> Snapshots::load(const Manifest& manifest, WorkerPool& pool, size_t memory_bytes) {
  const size_t workers = execution_.workers().size();
  same_workers_ = manifest.workers == workers;
  const size_t share = memory_bytes / (workers * std::max<size_t>(operators_.size(), 1));
  for (size_t op = 0; op < operators_.size(); ++op) {
    for (const auto& [number, runs] : manifest.operators.at(op).places) operators_[op].places[number].held = runs;
    std::vector<Result<>> loaded(workers);
    std::vector<std::vector<uint32_t>> moved(workers);
    pool.run([&](int thread) {
      for (auto at = static_cast<size_t>(thread); at < workers; at += static_cast<size_t>(pool.size())) {
        loaded[at] = load_part({op, static_cast<uint16_t>(at)}, share, moved[at]);
      }
    });
    for (size_t at = 0; at < workers; ++at) {
      TRY(std::move(loaded[at]));
      operators_[op].moved.insert(operators_[op].moved.end(), moved[at].begin(), moved[at].end());
    }
  }
  full_ = any_full();
  return {};
}

Result<> Snapshots::load_part(const Part& owner, size_t memory_bytes, std::vector<uint32_t>& moved) {
  KeyedState& target = state_of(owner);
  const int64_t watermark = execution_.watermark_of_state(owner.op);
  size_t pages = 0;  // since the last look at the memory
  for (const auto& [number, stored] : operators_[owner.op].places) {
    const Place place = Place::of_number(number);
    if (owner_of(place) != owner.worker) continue;
    if (place.worker != owner.worker) {
      target.mark_dirty(place.key_group);
      moved.push_back(number);
    }
    for (const PageRun& run : stored.held) {
      TRY(read_run(owner.op, place, run, [&target](ByteReader& in) { return target.read_state(in); }));
      pages += run.pages;
    }
    // State of cells takes long to measure, and a page becomes a few times its size at most.
    if (memory_bytes == 0 || pages * kPageBytes < memory_bytes / 8 || !moved.empty()) continue;
    pages = 0;
    if (target.spillable_bytes() <= memory_bytes) continue;
    target.loaded(watermark);
    let_go(owner, number);  // and read back when it is due
  }
  target.loaded(watermark);
  return {};
}

// Where there are as many workers as before, everything stays; else it goes by the key group.
uint16_t Snapshots::owner_of(Place place) const {
  return same_workers_ ? place.worker : static_cast<uint16_t>(place.key_group % execution_.workers().size());
}

bool Snapshots::moved() const {
  return std::ranges::any_of(operators_, [](const Stored& stored) { return !stored.moved.empty(); });
}

Result<> Snapshots::read_run(size_t op, Place place, const PageRun& run,
                             const std::function<bool(ByteReader&)>& entry) const {
  for (uint32_t page = 0; page < run.pages; ++page) {
    const std::string key = page_key(execution_.graph().state_ids()[op], place, run.bank, page);
    TRY_ASSIGN(const std::optional<std::string> bytes, log_.get_state(pipeline_, key));
    if (!bytes) return fail(ErrorCode::StateIncompatible, fmt::format("the snapshot's page {} is missing", key));
    ByteReader in(*bytes);
    bool fine = open_page(in, place, run.epoch);
    while (fine && in.remaining() > 0) fine = entry(in);
    if (fine) continue;
    return fail(ErrorCode::StateIncompatible,
                fmt::format("a state page of key group {} cannot be read", place.key_group),
                "it was written by another version, or another page is in its place");
  }
  return {};
}

}  // namespace tidegate::engine
