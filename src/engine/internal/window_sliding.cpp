// WindowOperator: windows that are many slices long and slide by few of them, at the cost of a few merges each,
// whatever their length. The two-stacks way: Tangwongsan, Hirzel, Schneider, "General incremental sliding-window
// aggregation", VLDB 2015.
//
// The slices of a group's last window lie in two parts. Each slice of the older part has the sum from itself to the
// part's end (a suffix); the newer part is one running sum, `back`. A window is the suffix of its first slice and
// `back`; the next one begins a suffix later and adds a slice to `back`. When the older part is used up, the newer one
// becomes the older: its suffixes are summed up from its end. Nothing is ever subtracted, so that this works for
// extremes, and sums of doubles lose no digits. A row that comes late, for a slice that is part of the sums, makes them
// invalid; they are built anew from the slices with the next window.
//
// A group's slots come in runs of neighbours, so that going through its slices goes through memory in order.
#include "engine/internal/window_operator.h"

namespace tidegate::engine {

namespace {

// 16 slots of the usual row of 32 bytes are 512 bytes: few enough that a group of few rows wastes little.
constexpr uint32_t kRunSlots = 16;

}  // namespace

uint32_t WindowOperator::slid_slices(uint32_t group_id, int64_t end) {
  const Group& group = groups_[group_id];
  Sliding& sums = sliding_[group_id];
  if (sums.last == 0 || slices_[group.oldest_slot].start >= sums.split) {
    turn_over(group_id, end);
    accumulators_.copy(scratch_, *suffixes_, group.oldest_slot);
    return scratch_;
  }
  for (uint32_t at = slices_[sums.last].newer; at != 0 && slices_[at].start < end; at = slices_[at].newer) {
    accumulators_.merge(sums.back, accumulators_, at);
    sums.last = at;
  }
  sums.absorbed = end;
  accumulators_.copy(scratch_, *suffixes_, group.oldest_slot);
  accumulators_.merge(scratch_, accumulators_, sums.back);
  return scratch_;
}

// All slices before `end` become the older part.
void WindowOperator::turn_over(uint32_t group_id, int64_t end) {
  Sliding& sums = sliding_[group_id];
  if (sums.back == 0) sums.back = take_slot(group_id);
  accumulators_.reset(sums.back);
  const Group& group = groups_[group_id];
  uint32_t at = group.newest_slot;
  while (slices_[at].start >= end) at = slices_[at].older;
  sums.last = at;
  sums.split = end;
  sums.absorbed = end;
  suffixes_->reserve(accumulators_.slot_count());
  suffixes_->copy(at, accumulators_, at);
  for (uint32_t next = at; at != group.oldest_slot; next = at) {
    at = slices_[at].older;
    suffixes_->copy(at, accumulators_, at);
    suffixes_->merge(at, *suffixes_, next);
  }
}

// A row is about to be added to the slice that starts at `start`.
void WindowOperator::forget_sums(uint32_t group_id, int64_t start) {
  if (group_id < sliding_.size() && start < sliding_[group_id].absorbed) sliding_[group_id].last = 0;
}

uint32_t WindowOperator::take_slot(uint32_t group_id) {
  if (!plan_.sliding) return accumulators_.take();
  if (group_id >= sliding_.size()) sliding_.resize(groups_.size());
  uint32_t& next = sliding_[group_id].next_slot;
  if (next == 0) next = accumulators_.take_run(kRunSlots);
  const uint32_t slot = next++;
  if (next % kRunSlots == 0) next = 0;
  if (slot / kRunSlots >= run_slots_.size()) run_slots_.resize(slot / kRunSlots + size_t{1});
  ++run_slots_[slot / kRunSlots];
  return slot;
}

void WindowOperator::release_slot(uint32_t group_id, uint32_t slot) {
  if (!plan_.sliding) return accumulators_.release(slot);
  Sliding& sums = sliding_[group_id];
  if (slot == sums.last) sums.last = 0;
  accumulators_.reset(slot);
  const uint32_t run = slot / kRunSlots;
  const bool handing_out = sums.next_slot != 0 && sums.next_slot / kRunSlots == run;
  if (--run_slots_[run] == 0 && !handing_out) accumulators_.release_run(run * kRunSlots);
}

// The group is about to be forgotten; it has no slices.
void WindowOperator::release_sums(uint32_t group_id) {
  if (group_id >= sliding_.size()) return;
  Sliding& sums = sliding_[group_id];
  const uint32_t run = sums.next_slot / kRunSlots;
  if (sums.back != 0) release_slot(group_id, sums.back);
  if (sums.next_slot != 0 && run_slots_[run] == 0) accumulators_.release_run(run * kRunSlots);
  sums = Sliding{};
}

}  // namespace tidegate::engine
