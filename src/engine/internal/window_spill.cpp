// WindowOperator: more windows than memory has room for.
//
// Aggregates add up. So what a snapshot has stored can be forgotten as a whole, and rows that come later begin new
// slices, of the same windows too: a window then lies in parts, in runs of pages and in memory. Nothing is looked up in
// the store as rows come. When something of a key group falls due, its runs are read from one end to the other and put
// together with what is in memory, in an operator of its own, which emits what is due and is thrown away. The runs stay
// as they are; what they have of windows that are out already is told by their ends, and a run of nothing else is
// forgotten. (External aggregation by partitions: Graefe, "Query evaluation techniques for large databases", 1993.)
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "engine/internal/window_operator.h"

namespace tidegate::engine {

namespace {

void note(std::vector<bool>& needed, size_t run, bool needs) {
  if (run >= needed.size()) needed.resize(run + 1);
  if (needs) needed[run] = true;
}

}  // namespace

// All parts of some groups. Its results are those of the operator that it is of.
class WindowOperator::Reunion {
 public:
  explicit Reunion(WindowOperator& of) : of_(of), devices_(of.devices_.names()), windows_(of.plan_, devices_) {
    std::swap(windows_.results_, of_.results_);
  }
  ~Reunion() {
    std::swap(windows_.results_, of_.results_);
    of_.fired_ += windows_.fired_;
    of_.overflows_ += windows_.overflows_;
  }
  Reunion(const Reunion&) = delete;
  Reunion& operator=(const Reunion&) = delete;

  [[nodiscard]] DeviceTable& devices() { return devices_; }
  [[nodiscard]] WindowOperator& windows() { return windows_; }

 private:
  WindowOperator& of_;
  DeviceTable devices_;
  WindowOperator windows_;
};

size_t WindowOperator::spillable_bytes() const {
  if (!spills()) return 0;
  return accumulators_.memory_bytes() + keys_.memory_bytes() + slices_.capacity() * sizeof(Slice) +
         (suffixes_ ? suffixes_->memory_bytes() : size_t{0}) + sliding_.capacity() * sizeof(Sliding) +
         (plan_.mode == KeyMode::kGeneral ? groups_.capacity() * sizeof(Group) : 0);
}

void WindowOperator::spill(SpilledState& stored) {
  spilled_.stored = &stored;
  for (size_t at = 0; at < devices_.size(); ++at) {
    Device& device = devices_.at(static_cast<uint32_t>(at));
    device.first_group = kNone;
    if (!plan_.own_watermarks || device.spilled || device.fire_at == kNever) continue;
    device.spilled = true;
    ++spilled_.devices;
  }
  for (const Group& group : groups_) {
    if (plan_.own_watermarks || group.oldest_slot == 0) continue;
    int64_t& next_end = spilled_.next_ends[group.key_group];
    next_end = std::min(next_end, group.next_end);
  }
  forget_slices();
}

void WindowOperator::forget_slices() {
  accumulators_.clear();
  CHECK(accumulators_.take() == scratch_);
  if (suffixes_) suffixes_.emplace(plan_.layout);
  keys_ = KeyTable();
  groups_ = {};
  slices_ = std::vector<Slice>(2);
  sliding_ = {};
  run_slots_ = {};
  open_groups_ = 0;
  least_end_ = kNever;
}

void WindowOperator::loaded(int64_t shared_watermark) {
  fired_to_ = shared_watermark;
  forget_fired(DirtyKeyGroups().set());
}

void WindowOperator::rejoined(const DirtyKeyGroups& which) {
  for (uint16_t key_group = 0; key_group < kKeyGroups; ++key_group) {
    if (which[key_group]) spilled_.next_ends[key_group] = kNever;
  }
  for (size_t at = 0; at < devices_.size(); ++at) {
    Device& device = devices_.at(static_cast<uint32_t>(at));
    if (!device.spilled || !which[device.key_group]) continue;
    device.spilled = false;
    --spilled_.devices;
  }
  forget_fired(which);
}

// Runs may still hold what was out when they were read.
void WindowOperator::forget_fired(const DirtyKeyGroups& which) {
  if (!spills()) return;
  for (size_t at = 0; plan_.own_watermarks && at < devices_.size(); ++at) {
    const auto index = static_cast<uint32_t>(at);
    const Device& device = devices_.at(index);
    if (device.spilled || !which[device.key_group] || device.fire_at > device.watermark) continue;
    fire_device(index, device.watermark, {.nowhere = true});
  }
  for (size_t at = 0; !plan_.own_watermarks && at < groups_.size(); ++at) {
    const auto id = static_cast<uint32_t>(at);
    if (groups_[id].oldest_slot == 0 || !which[groups_[id].key_group]) continue;
    fire_group(id, fired_to_, {.nowhere = true});
    release_group(id);
  }
}

void WindowOperator::copy_group(uint32_t group_id, WindowOperator& into) const {
  if (groups_[group_id].oldest_slot == 0) return;
  std::string bytes;
  ByteWriter out(bytes);
  write_group(group_id, out);
  ByteReader in(bytes);
  CHECK(into.read_state(in));
}

Result<> WindowOperator::fire_spilled() {
  std::vector<DueDevice> due = std::exchange(spilled_.due, {});
  std::ranges::sort(due, [](const DueDevice& a, const DueDevice& b) {
    return std::tuple(a.key_group, a.device, b.silent) < std::tuple(b.key_group, b.device, a.silent);
  });
  const auto repeated = std::ranges::unique(due, {}, &DueDevice::device);
  due.erase(repeated.begin(), repeated.end());
  for (DueDevice& one : due) one.watermark = devices_.at(one.device).watermark;
  for (auto from = due.begin(); from != due.end();) {
    const auto to = std::find_if(from, due.end(), [&](const DueDevice& d) { return d.key_group != from->key_group; });
    fire_spilled_of(from->key_group, {from, to});
    from = to;
  }
  return std::exchange(spilled_.failure, {});
}

// In the middle of a batch.
void WindowOperator::fire_spilled_now(uint32_t device, int64_t watermark) {
  const DueDevice due{device, devices_.at(device).key_group, false, watermark};
  fire_spilled_of(due.key_group, {&due, 1});
}

void WindowOperator::fire_spilled_of(uint16_t key_group, std::span<const DueDevice> due) {
  Reunion whole(*this);
  std::unordered_map<uint32_t, const DueDevice*> wanted;
  for (const DueDevice& one : due) {
    const Device& device = devices_.at(one.device);
    const uint32_t at = whole.devices().find_or_add_code(device.code);
    whole.devices().at(at).watermark = device.fire_at - 1;  // what this closes is out
    wanted.emplace(one.device, &one);
  }
  std::vector<bool> needed;
  std::unordered_map<uint32_t, bool> still_spilled;
  const auto read = spilled_.stored->read(key_group, [&](size_t run, ByteReader& in) {
    return read_spilled(in, [&](const GroupHead& head) {
      const uint32_t index = devices_.find_or_add(head.device);
      const Device& device = devices_.at(index);
      const auto found = wanted.find(index);
      const bool wants = found != wanted.end();
      const auto newest = wants ? whole.windows().read_sliced(in, head) : skip_slices(in);
      if (!newest) return false;
      const int64_t out = wants ? found->second->watermark : device.fire_at - 1;
      const bool open =
          device.spilled && !(wants && found->second->silent) && !WindowMath::closed(math_.last_end(*newest), out);
      note(needed, run, open);
      if (wants && open) still_spilled[index] = true;
      return true;
    });
  });
  if (!read) {
    if (spilled_.failure) spilled_.failure = read;
    return;
  }
  for (const DueDevice& one : due) {
    Device& device = devices_.at(one.device);
    for (uint32_t id = device.first_group; id != kNone; id = groups_[id].next_group) copy_group(id, whole.windows());
    const uint32_t at = whole.devices().find_or_add_code(device.code);
    Device& joined = whole.devices().at(at);
    whole.windows().fire_device(at, joined.watermark, {.nowhere = true});
    joined.watermark = one.silent ? std::max(one.watermark, whole.windows().silent_watermark(joined)) : one.watermark;
    whole.windows().fire_device(at, joined.watermark, {});
    if (one.silent) device.watermark = joined.watermark;
    fire_device(one.device, joined.watermark, {.nowhere = true});
    device.fire_at = joined.fire_at;
    if (still_spilled.contains(one.device)) continue;
    if (std::exchange(device.spilled, false)) --spilled_.devices;
  }
  spilled_.stored->keep(key_group, needed);
  dirty_[key_group] = true;  // runs that are forgotten had devices too
}

DirtyKeyGroups WindowOperator::spilled_due(int64_t watermark) const {
  DirtyKeyGroups due;
  for (uint16_t key_group = 0; key_group < kKeyGroups; ++key_group) {
    due[key_group] = WindowMath::closed(spilled_.next_ends[key_group], watermark);
  }
  return due;
}

void WindowOperator::list_groups(const DirtyKeyGroups& which) {
  listed_.assign(kKeyGroups, {});
  for (size_t at = 0; at < groups_.size(); ++at) {
    const Group& group = groups_[at];
    if (group.oldest_slot != 0 && which[group.key_group]) listed_[group.key_group].push_back(static_cast<uint32_t>(at));
  }
}

void WindowOperator::fire_key_group(uint16_t key_group, int64_t watermark, WindowMerger* merger) {
  Reunion whole(*this);
  std::vector<bool> needed;
  if (spilled_.next_ends[key_group] != kNever) {
    const auto read = spilled_.stored->read(key_group, [&](size_t run, ByteReader& in) {
      return read_spilled(in, [&](const GroupHead& head) {
        const auto newest = whole.windows().read_sliced(in, head);
        if (newest) note(needed, run, !WindowMath::closed(math_.last_end(*newest), watermark));
        return newest.has_value();
      });
    });
    if (!read) {
      if (spilled_.failure) spilled_.failure = read;
      return;
    }
    spilled_.stored->keep(key_group, needed);
    dirty_[key_group] = true;  // runs that are forgotten had devices too
  }
  for (const uint32_t id : listed_[key_group]) copy_group(id, whole.windows());
  whole.windows().loaded(fired_to_);
  whole.windows().fire_shared(watermark, merger);
  for (const uint32_t id : std::exchange(listed_[key_group], {})) {
    fire_group(id, watermark, {.nowhere = true});
    release_group(id);
  }
  spilled_.next_ends[key_group] = std::ranges::find(needed, true) == needed.end() ? kNever : whole.windows().least_end_;
}

}  // namespace tidegate::engine
