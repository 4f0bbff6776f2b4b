// Snapshots: letting go of what is stored, and putting runs together.
#include <algorithm>
#include <utility>

#include "engine/internal/snapshot.h"

namespace tidegate::engine {

class Snapshots::SpilledPart final : public SpilledState {
 public:
  SpilledPart(Snapshots& owner, const Part& part) : owner_(owner), part_(part) {}

  [[nodiscard]] Result<> read(uint16_t key_group, const Entry& entry) const override {
    const Place place{key_group, part_.worker};
    const std::vector<PageRun>& runs = stored(place).spilled;
    for (size_t run = 0; run < runs.size(); ++run) {
      TRY(owner_.read_run(part_.op, place, runs[run], [&](ByteReader& in) { return entry(run, in); }));
    }
    return {};
  }

  void keep(uint16_t key_group, const std::vector<bool>& needed) override {
    StoredPlace& place = stored({key_group, part_.worker});
    std::vector<PageRun> kept;
    for (size_t run = 0; run < place.spilled.size(); ++run) {
      const bool keeps = run < needed.size() && needed[run];
      (keeps ? kept : place.forgotten).push_back(place.spilled[run]);
    }
    place.spilled = std::move(kept);
  }

 private:
  [[nodiscard]] StoredPlace& stored(Place place) const { return owner_.operators_[part_.op].places[place.number()]; }

  Snapshots& owner_;
  const Part part_;
};

Snapshots::Snapshots(Execution& execution, log::Log& log, PipelineId pipeline)
    : execution_(execution), log_(log), pipeline_(pipeline), operators_(state_count()), parts_(state_count()) {
  for (size_t op = 0; op < parts_.size(); ++op) {
    for (size_t worker = 0; worker < execution_.workers().size(); ++worker) {
      parts_[op].push_back(std::make_unique<SpilledPart>(*this, Part{op, static_cast<uint16_t>(worker)}));
    }
  }
}

Snapshots::~Snapshots() = default;

Result<> Snapshots::spill(size_t memory_bytes) {
  const size_t all = execution_.spillable_bytes();
  const size_t average = all / (operators_.size() * execution_.workers().size());
  for (size_t op = 0; op < operators_.size(); ++op) {
    for (size_t worker = 0; worker < execution_.workers().size(); ++worker) {
      const Part part{op, static_cast<uint16_t>(worker)};
      const size_t bytes = state_of(part).spillable_bytes();
      // What is little stays: a run of it would cost more than it is worth.
      if (bytes == 0 || (bytes < average / 16 && !is_full(part))) continue;
      let_go(part, std::nullopt);
      TRY(merge_runs(part, static_cast<size_t>(static_cast<double>(memory_bytes) / static_cast<double>(all) *
                                               static_cast<double>(bytes))));
    }
  }
  full_ = any_full();
  return {};
}

void Snapshots::let_go(const Part& part, std::optional<uint32_t> last) {
  for (auto& [number, place] : operators_[part.op].places) {
    if (last && number > *last) break;
    const Place at = Place::of_number(number);
    if (at.worker != part.worker) continue;
    // While loading: it goes to another worker.
    if (last && owner_of(at) != part.worker) continue;
    place.spilled.insert(place.spilled.end(), place.held.begin(), place.held.end());
    place.held.clear();
  }
  state_of(part).spill(*parts_[part.op][part.worker]);
}

Result<> Snapshots::merge_runs(const Part& part, size_t memory_bytes) {
  std::vector<std::pair<size_t, uint32_t>> crowded;
  for (const auto& [number, place] : operators_[part.op].places) {
    if (Place::of_number(number).worker != part.worker || place.spilled.size() < kMergeRuns) continue;
    crowded.emplace_back(place.spilled.size(), number);
  }
  std::ranges::sort(crowded, std::greater<>());
  KeyedState& state = state_of(part);
  DirtyKeyGroups merged;
  for (const auto& [runs, number] : crowded) {
    // One more run than this, and there would be no bank for what comes next.
    const bool must = runs >= kBanks - 2;
    if (!must && merged.any() && state.spillable_bytes() >= memory_bytes) break;
    const Place at = Place::of_number(number);
    StoredPlace& place = operators_[part.op].places[number];
    for (const PageRun& run : place.spilled) {
      TRY(read_run(part.op, at, run, [&state](ByteReader& in) { return state.read_state(in); }));
    }
    place.held = std::exchange(place.spilled, {});
    state.mark_dirty(at.key_group);
    merged[at.key_group] = true;
  }
  if (merged.any()) state.rejoined(merged);
  return {};
}

bool Snapshots::is_full(const Part& part) const {
  return std::ranges::any_of(operators_[part.op].places, [&](const auto& place) {
    return Place::of_number(place.first).worker == part.worker && place.second.spilled.size() >= kFullRuns;
  });
}

bool Snapshots::any_full() const {
  for (size_t op = 0; op < operators_.size(); ++op) {
    for (size_t worker = 0; worker < execution_.workers().size(); ++worker) {
      if (is_full({op, static_cast<uint16_t>(worker)})) return true;
    }
  }
  return false;
}

uint64_t Snapshots::spilled_bytes() const {
  uint64_t bytes = 0;
  for (const Stored& stored : operators_) {
    for (const auto& [number, place] : stored.places) {
      for (const PageRun& run : place.spilled) bytes += run.bytes;
    }
  }
  return bytes;
}

}  // namespace tidegate::engine
