// WindowOperator: sessions. A session is a slot like a slice, but it starts with its first row, ends a gap after its
// last one, and grows together with others. Every row is a session of its own, [time, time + gap), to begin with;
// sessions that touch are one. Of a group they are disjoint and in order, so that their ends are in order, too.
//
// Group::next_end is at most the end of the group's first session: sessions that grow leave it behind, and it is put
// right when the watermark has come to it.
#include <algorithm>

#include "base/hash.h"
#include "engine/internal/window_operator.h"

namespace tidegate::engine {

uint32_t WindowOperator::session_slot(Pass& pass, size_t row, uint32_t group_id, int64_t time, int64_t watermark) {
  const int64_t end = time + math_.session_gap();
  // Whether other sessions would have kept it open does not matter: that depends on the order of rows.
  if (!usable_time(time) || WindowMath::closed(end, watermark)) {
    release_group(group_id);
    return reject(row);
  }
  if (WindowMath::closed(groups_[group_id].next_end, watermark)) {
    add_rows(pass, row);
    fire_group(group_id, watermark, {});
  }
  const Group& group = groups_[group_id];
  const uint32_t newest = group.newest_slot;
  if (newest != 0 && time >= group.newest_start && time <= session_ends_[newest]) {
    session_ends_[newest] = std::max(session_ends_[newest], end);
    return newest;
  }
  if (touches_two(group_id, time, end)) add_rows(pass, row);  // slots are about to go that rows have been given
  return place_session(group_id, time, end);
}

// The newest session that starts at or before `end`; the one after it in `newer`.
uint32_t WindowOperator::session_before(uint32_t group_id, int64_t end, uint32_t& newer) const {
  newer = 0;
  uint32_t at = groups_[group_id].newest_slot;
  while (at != 0 && slices_[at].start > end) {
    newer = at;
    at = slices_[at].older;
  }
  return at;
}

bool WindowOperator::touches_two(uint32_t group_id, int64_t start, int64_t end) const {
  uint32_t newer = 0;
  const uint32_t at = session_before(group_id, end, newer);
  if (at == 0 || session_ends_[at] < start) return false;
  const uint32_t older = slices_[at].older;
  return older != 0 && session_ends_[older] >= start;
}

// The slot of the session that [start, end) is part of, grown by it and together with all that it touches.
uint32_t WindowOperator::place_session(uint32_t group_id, int64_t start, int64_t end) {
  uint32_t newer = 0;
  uint32_t at = session_before(group_id, end, newer);
  if (at == 0 || session_ends_[at] < start) {
    const uint32_t slot = insert_slice(group_id, start, newer, at);
    if (slot >= session_ends_.size()) session_ends_.resize(slices_.size());
    session_ends_[slot] = end;
    schedule(group_id, end);
    return slot;
  }
  session_ends_[at] = std::max(session_ends_[at], end);
  slices_[at].start = std::min(slices_[at].start, start);
  for (uint32_t older = slices_[at].older; older != 0 && session_ends_[older] >= slices_[at].start;
       older = slices_[at].older) {
    slices_[at].start = std::min(slices_[at].start, slices_[older].start);
    accumulators_.merge(at, accumulators_, older);
    slices_[at].older = slices_[older].older;
    if (slices_[older].older != 0) slices_[slices_[older].older].newer = at;
    if (groups_[group_id].oldest_slot == older) groups_[group_id].oldest_slot = at;
    forget_second(groups_[group_id], older);
    accumulators_.release(older);
  }
  if (groups_[group_id].newest_slot == at) groups_[group_id].newest_start = slices_[at].start;
  return at;
}

void WindowOperator::fire_sessions(uint32_t group_id, int64_t watermark) {
  while (true) {
    const uint32_t slot = groups_[group_id].oldest_slot;
    groups_[group_id].next_end = slot == 0 ? kNever : session_ends_[slot];
    dirty_[groups_[group_id].key_group] = true;
    if (slot == 0 || !WindowMath::closed(session_ends_[slot], watermark)) return;
    const int64_t end = session_ends_[slot];
    ++fired_;
    append_key(group_id);
    const WindowBounds bounds{slices_[slot].start, end, end - math_.session_gap() + kMicrosPerMilli};
    overflows_ += append_window(plan_, bounds, accumulators_, slot, results_);
    drop_slices(group_id, slices_[slot].start + 1);
  }
}

void WindowOperator::adopt_sessions(WindowOperator& other) {
  for (size_t index = 0; index < other.groups_.size(); ++index) {
    const auto from = static_cast<uint32_t>(index);
    if (other.groups_[from].oldest_slot == 0) continue;
    const std::string_view key = other.keys_.key(from);
    const uint32_t to = shared_group(key);
    for (uint32_t at = other.groups_[from].oldest_slot; at != 0; at = other.slices_[at].newer) {
      const uint32_t slot = place_session(to, other.slices_[at].start, other.session_ends_[at]);
      accumulators_.merge(slot, other.accumulators_, at);
    }
    dirty_[groups_[to].key_group] = true;
    other.dirty_[other.groups_[from].key_group] = true;
    other.drop_slices(from, kNever);
    other.groups_[from].next_end = kNever;
    other.release_group(from);
  }
  other.least_end_ = kNever;
}

uint32_t WindowOperator::shared_group(std::string_view key) {
  bool added = false;
  const uint32_t id = keys_.find_or_add(key, added);
  if (id >= groups_.size()) groups_.resize(id + size_t{1});
  if (added) {
    groups_[id] = Group{};
    groups_[id].key_group = key_group_of(key).value;
  }
  return id;
}

bool WindowOperator::read_sessions(ByteReader& in, uint32_t group_id) {
  const uint64_t count = in.varint();
  if (count == 0 || count > in.remaining()) return false;
  const uint32_t part = accumulators_.take();
  bool fine = true;
  int64_t last_end = -kNever;
  for (uint64_t i = 0; fine && i < count; ++i) {
    const int64_t start = in.zigzag();
    const int64_t end = in.zigzag();
    fine = accumulators_.read(part, in) && usable_time(start) && start > last_end && end < kFarTime * 2 &&
           end - start >= math_.session_gap();
    if (!fine) break;
    last_end = end;
    accumulators_.merge(place_session(group_id, start, end), accumulators_, part);
    accumulators_.reset(part);
  }
  accumulators_.release(part);
  return fine;
}

}  // namespace tidegate::engine
