// One worker's copy of a window aggregate.
//
// Rows are added to slices (window_math.h). Every group keeps its open slices in a list sorted by start, the newest
// and the last other one at hand. A batch goes through in two passes: find each row's slot, then add column by
// column. A window is emitted when it closes: by the device's own watermark at the end of the batch (earlier when a
// row behind it would change the result), or, for shared watermarks, when the coordinator says so.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "engine/internal/accumulators.h"
#include "engine/internal/device_table.h"
#include "engine/internal/spilled_windows.h"
#include "engine/internal/stateful_operator.h"
#include "engine/internal/window_merger.h"
#include "engine/internal/window_plan.h"

namespace tidegate::engine {

// One thread at a time. `plan` and `devices` must outlive it.
class WindowOperator {
 public:
  WindowOperator(const WindowPlan& plan, DeviceTable& devices);

  // `times`: what DeviceTable::observe() gave for these rows. `shared_watermark` is what rows are judged by unless
  // the plan has own_watermarks. Rows that came too late are appended to late().
  void process(const columnar::Batch& input, const RowTimes& times, int64_t shared_watermark);

  // Own watermarks only: closes the windows of devices not heard of for close_after.
  void close_silent(int64_t clock_us);
  // Nothing falls due by close_silent() before this clock reading; kNever: nothing at all.
  [[nodiscard]] int64_t close_bound_us() const { return close_bound_us_; }

  // Shared watermarks only: emits what `watermark` closes; into `merger` if there is one, else into the results.
  void fire_shared(int64_t watermark, WindowMerger* merger);
  // The same for what was spilled: the key groups of which something is due; then, once list_groups() was told of them,
  // one after the other, with what is in memory of them.
  [[nodiscard]] DirtyKeyGroups spilled_due(int64_t watermark) const;
  void list_groups(const DirtyKeyGroups& which);
  void fire_key_group(uint16_t key_group, int64_t watermark, WindowMerger* merger);
  // Own watermarks: what is due of what was spilled. The first failure to read it since the last call.
  [[nodiscard]] Result<> fire_spilled();
  // All rows without a key and none came: opens the window all the same, for a result of no rows.
  void close_empty();
  // What the workers' copies put into `merger`, into this one's results.
  void add_merged(WindowMerger& merger) { overflows_ += merger.drain(results_, devices_.names()); }
  // Sessions whose parts may be with several workers: takes over those of another worker's copy, which has none left.
  void adopt_sessions(WindowOperator& other);
  [[nodiscard]] bool shared_window_due(int64_t watermark) const { return WindowMath::closed(least_end_, watermark); }
  [[nodiscard]] bool has_open_windows() const { return open_groups_ > 0 || spilled_.any(); }
  [[nodiscard]] Pace pace(size_t results) const;

  [[nodiscard]] columnar::BatchBuilder& results() { return results_; }
  [[nodiscard]] std::vector<columnar::Batch>& late() { return late_; }
  // Windows emitted so far.
  [[nodiscard]] uint64_t fired() const { return fired_; }
  [[nodiscard]] uint64_t late_rows() const { return late_total_; }
  [[nodiscard]] uint64_t overflows() const { return overflows_; }
  [[nodiscard]] size_t memory_bytes() const;

  // Key groups whose groups changed since the caller last reset it (those whose devices did are in the DeviceTable).
  [[nodiscard]] DirtyKeyGroups& dirty() { return dirty_; }
  [[nodiscard]] const DirtyKeyGroups& dirty() const { return dirty_; }
  // Calls `entry(key group, bytes)` for every group and device in a dirty key group; docs/formats/state.md.
  void write_state(const DirtyKeyGroups& which, const std::function<void(uint16_t, std::string_view)>& entry) const;
  // Reads one entry back; only before the first process(). False: the bytes are no entry of this operator.
  [[nodiscard]] bool read_state(ByteReader& in);
  // KeyedState has these; window_spill.cpp.
  void loaded(int64_t shared_watermark);
  [[nodiscard]] size_t spillable_bytes() const;
  void spill(SpilledState& stored);
  void rejoined(const DirtyKeyGroups& which);

 private:
  struct Group {
    int64_t newest_start = kNever;
    int64_t second_start = kNever;
    int64_t next_end = kNever;  // of the next window to emit
    uint32_t newest_slot = 0;   // 0: no open slice
    uint32_t second_slot = 0;
    uint32_t oldest_slot = 0;
    uint32_t device = kNone;      // own watermarks or KeyMode::kDevice
    uint32_t next_group = kNone;  // of the same device
    uint16_t key_group = 0;
    bool linked = false;  // is in its device's list
  };
  struct Slice {
    int64_t start = 0;
    uint32_t newer = 0;
    uint32_t older = 0;
  };
  // What a group of many slices per window keeps so that the next window costs a few merges; window_sliding.cpp.
  struct Sliding {
    int64_t split = -kNever;     // slices before hold in suffixes_ all from themselves to here
    int64_t absorbed = -kNever;  // slices from `split` to here are added up in `back`
    uint32_t last = 0;           // the newest of those; 0: what is kept is not valid
    uint32_t back = 0;           // slot
    uint32_t next_slot = 0;      // of the run that the group takes its slots from; 0: none left
  };
  // Where the results of windows that close go.
  struct Sink {
    WindowMerger* merger = nullptr;  // null: the operator's own
    bool nowhere = false;            // they are out already
  };
  // A group as its entry begins.
  struct GroupHead {
    std::optional<std::string_view> device;
    std::string_view key;
    int64_t next_end = 0;
  };
  // The batch under way.
  struct Pass {
    const columnar::Batch& input;
    const RowTimes& times;
    size_t added = 0;  // rows [0, added) have been accumulated
  };

  template <bool kOwn, class GroupOf>
  void assign_slots(Pass& pass, int64_t shared_watermark, GroupOf group_of);
  template <class GroupOf>
  void assign(Pass& pass, int64_t shared_watermark, GroupOf group_of);
  template <bool kOwn, class GroupOf>
  void assign_sessions(Pass& pass, int64_t shared_watermark, GroupOf group_of);
  uint32_t slot_off_path(Pass& pass, size_t row, uint32_t group_id, int64_t time, int64_t watermark);
  uint32_t reject(size_t row);
  uint32_t group_of_key(uint32_t device);
  void add_rows(Pass& pass, size_t last);
  uint32_t general_group(const columnar::Batch& input, size_t row, uint32_t device);
  void prepare_device_groups();

  uint32_t find_or_insert(uint32_t group_id, int64_t start, int64_t watermark);
  uint32_t insert_slice(uint32_t group_id, int64_t start, uint32_t newer, uint32_t older);
  // Sessions; window_session.cpp.
  uint32_t session_slot(Pass& pass, size_t row, uint32_t group_id, int64_t time, int64_t watermark);
  uint32_t session_before(uint32_t group_id, int64_t end, uint32_t& newer) const;
  [[nodiscard]] bool touches_two(uint32_t group_id, int64_t start, int64_t end) const;
  uint32_t place_session(uint32_t group_id, int64_t start, int64_t end);
  void fire_sessions(uint32_t group_id, int64_t watermark);
  uint32_t shared_group(std::string_view key);
  bool read_sessions(ByteReader& in, uint32_t group_id);
  void schedule(uint32_t group_id, int64_t end);
  void link_group(uint32_t group_id);
  void release_group(uint32_t group_id);

  void fire_due_devices();
  void fire_device(uint32_t device, int64_t watermark, const Sink& sink);
  void fire_group(uint32_t group_id, int64_t watermark, const Sink& sink);
  void emit(uint32_t group_id, int64_t end, const Sink& sink);
  uint32_t merged_slices(uint32_t group_id, int64_t end);
  uint32_t slid_slices(uint32_t group_id, int64_t end);
  void turn_over(uint32_t group_id, int64_t end);
  void forget_sums(uint32_t group_id, int64_t start);
  uint32_t take_slot(uint32_t group_id);
  void release_slot(uint32_t group_id, uint32_t slot);
  void release_sums(uint32_t group_id);
  void append_key(uint32_t group_id);
  [[nodiscard]] std::string key_bytes(uint32_t group_id) const;
  void join_slices(uint32_t group_id, int64_t end);
  static void forget_second(Group& group, uint32_t slot);
  void drop_slices(uint32_t group_id, int64_t before);
  [[nodiscard]] int64_t silent_watermark(const Device& device) const;

  void write_group(uint32_t group_id, ByteWriter& out) const;
  bool read_device(ByteReader& in);
  bool read_head(ByteReader& in, GroupHead& head) const;
  uint32_t group_of(const GroupHead& head);
  bool read_group(ByteReader& in, const GroupHead& head);
  // The start of the newest slice that was read; nothing: the bytes are no slices.
  std::optional<int64_t> read_sliced(ByteReader& in, const GroupHead& head);
  std::optional<int64_t> read_slices(ByteReader& in, uint32_t group_id, int64_t next_end);
  std::optional<int64_t> skip_slices(ByteReader& in);
  // Reads an entry, of a group's what comes behind its head by `slices`.
  bool read_spilled(ByteReader& in, const std::function<bool(const GroupHead&)>& slices) const;

  // Spilled windows; window_spill.cpp.
  class Reunion;
  void fire_spilled_of(uint16_t key_group, std::span<const DueDevice> due);
  void fire_spilled_now(uint32_t device, int64_t watermark);
  void copy_group(uint32_t group_id, WindowOperator& into) const;
  void forget_fired(const DirtyKeyGroups& which);
  void forget_slices();
  [[nodiscard]] bool spills() const { return !math_.sessions() && !math_.whole(); }

  const WindowPlan& plan_;
  WindowMath math_;  // its own: it remembers
  DeviceTable& devices_;
  Accumulators accumulators_;
  const uint32_t scratch_;  // slot in which the slices of one window are merged
  KeyTable keys_;
  std::vector<Group> groups_;
  std::vector<Slice> slices_;             // by slot
  std::vector<int64_t> session_ends_;     // by slot; only of sessions
  std::optional<Accumulators> suffixes_;  // by slot; only if windows are many slices long
  std::vector<Sliding> sliding_;          // by group, then
  std::vector<uint8_t> run_slots_;        // in use, by run, then
  std::vector<uint32_t> slots_;
  std::vector<uint16_t> key_groups_;  // of the batch's rows; only for an ordered layout
  std::vector<uint32_t> late_scratch_;
  std::string key_scratch_;
  columnar::BatchBuilder results_;
  std::vector<columnar::Batch> late_;
  DirtyKeyGroups dirty_;
  SpilledWindows spilled_;
  std::vector<std::vector<uint32_t>> listed_;  // groups with slices, by key group; while spilled windows are fired
  int64_t fired_to_ = -kNever;                 // shared watermarks: what this closes is out
  int64_t close_bound_us_ = kNever;
  int64_t least_end_ = kNever;
  size_t open_groups_ = 0;
  uint64_t late_total_ = 0;
  uint64_t overflows_ = 0;
  uint64_t fired_ = 0;
};

}  // namespace tidegate::engine
