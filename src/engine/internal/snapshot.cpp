#include "engine/internal/snapshot.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "engine/internal/snapshot_page.h"

namespace tidegate::engine {

size_t Snapshots::dirty_bytes() const {
  size_t bytes = 0;
  for (const Worker& worker : execution_.workers()) {
    for (const KeyedState* state : worker.states())
      bytes += state->memory_bytes() / kKeyGroups * state->dirty().count();
  }
  return bytes;
}

void Snapshots::write(const EpochRecord& epoch, log::EpochCommit& commit) {
  Manifest manifest{
      epoch, execution_.watermarks().scanned_at_us, static_cast<uint32_t>(execution_.workers().size()), {}};
  for (size_t op = 0; op < operators_.size(); ++op) {
    for (const uint32_t number : std::exchange(operators_[op].moved, {})) {
      StoredPlace& place = operators_[op].places.at(number);
      place.forgotten.insert(place.forgotten.end(), place.held.begin(), place.held.end());
      place.held.clear();
    }
    for (size_t worker = 0; worker < execution_.workers().size(); ++worker) {
      write_part({op, static_cast<uint16_t>(worker)}, epoch.id, commit);
    }
    for (auto& [number, place] : operators_[op].places) {
      delete_runs(op, Place::of_number(number), place.forgotten, commit);
    }
    manifest.operators.push_back(pages_of(op));
  }
  std::unordered_set<std::string_view> put;
  for (const log::StatePut& page : commit.puts) put.insert(page.key);
  std::erase_if(commit.deletes, [&](const std::string& key) { return put.contains(key); });
  commit.puts.push_back({std::string(kManifestKey), encode(manifest)});
}

void Snapshots::write_part(const Part& part, EpochId epoch, log::EpochCommit& commit) {
  KeyedState& state = state_of(part);
  const DirtyKeyGroups dirty = state.dirty();
  if (dirty.none()) return;
  Pages pages(kKeyGroups);
  state.write_state(dirty, [&](uint16_t key_group, std::string_view entry) {
    std::vector<std::string>& of_group = pages[key_group];
    if (of_group.empty() || of_group.back().size() + entry.size() > kPageBytes) {
      start_page(of_group.emplace_back(), {key_group, part.worker}, epoch);
    }
    of_group.back().append(entry);
  });
  for (uint16_t key_group = 0; key_group < kKeyGroups; ++key_group) {
    if (!dirty[key_group]) continue;
    replace_held(part.op, {key_group, part.worker}, epoch, std::move(pages[key_group]), commit);
  }
  state.mark_clean();
}

void Snapshots::replace_held(size_t op, Place place, EpochId epoch, std::vector<std::string> pages,
                             log::EpochCommit& commit) {
  StoredPlace& stored = operators_[op].places[place.number()];
  PageRun run{static_cast<uint32_t>(pages.size()), epoch, free_bank(stored)};
  delete_runs(op, place, stored.held, commit);
  for (uint32_t page = 0; page < run.pages; ++page) {
    run.bytes += pages[page].size();
    commit.puts.push_back(
        {page_key(execution_.graph().state_ids()[op], place, run.bank, page), std::move(pages[page])});
  }
  if (run.pages > 0) stored.held.push_back(run);
}

void Snapshots::delete_runs(size_t op, Place place, std::vector<PageRun>& runs, log::EpochCommit& commit) const {
  for (const PageRun& run : std::exchange(runs, {})) {
    for (uint32_t page = 0; page < run.pages; ++page) {
      commit.deletes.push_back(page_key(execution_.graph().state_ids()[op], place, run.bank, page));
    }
  }
}

// None that the last manifest names.
uint8_t Snapshots::free_bank(const StoredPlace& place) {
  std::array<bool, kBanks> taken{};
  for (const std::vector<PageRun>* runs : {&place.spilled, &place.held, &place.forgotten}) {
    for (const PageRun& run : *runs) taken[run.bank] = true;
  }
  const auto* const bank = std::ranges::find(taken, false);
  CHECK(bank != taken.end());
  return static_cast<uint8_t>(bank - taken.begin());
}

OperatorPages Snapshots::pages_of(size_t op) const {
  OperatorPages pages{std::string(execution_.graph().state_ids()[op]), {}};
  for (const auto& [number, place] : operators_[op].places) {
    if (place.spilled.empty() && place.held.empty()) continue;
    std::vector<PageRun>& runs = pages.places[number];
    runs = place.spilled;
    runs.insert(runs.end(), place.held.begin(), place.held.end());
  }
  return pages;
}

bool Snapshots::fits(const Manifest& manifest) const {
  return std::ranges::equal(manifest.operators, execution_.graph().state_ids(), {},
                            [](const OperatorPages& pages) { return std::string_view(pages.operator_id); });
}

}  // namespace tidegate::engine
