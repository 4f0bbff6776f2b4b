// The face of the operators that keep state: windows and their like.
//
//   rows of a batch --> process() ---.
//   own watermarks moved --> fire_due() --> results(), late()
//   epoch's end: close_silent() / fire_shared() --'
//
// Rows go in with the watermark they are judged by; what falls due comes out before the next batch or epoch. What an
// operator does may depend on its rows, their order within a device, the watermarks and clock readings it is given, and
// on nothing else: not on where batches end, nor on the order of devices, nor on which worker has them.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "columnar/batch.h"
#include "engine/internal/device_table.h"
#include "engine/internal/spilled_state.h"

namespace tidegate::engine {

// State that a snapshot stores by key group. One thread at a time.
class KeyedState {
 public:
  using Entry = std::function<void(uint16_t key_group, std::string_view bytes)>;

  KeyedState() = default;
  virtual ~KeyedState() = default;
  KeyedState(const KeyedState&) = delete;
  KeyedState& operator=(const KeyedState&) = delete;

  // Key groups that changed since mark_clean().
  [[nodiscard]] virtual DirtyKeyGroups dirty() const = 0;
  virtual void mark_clean() = 0;
  virtual void mark_dirty(uint16_t key_group) = 0;
  virtual void write_state(const DirtyKeyGroups& which, const Entry& entry) const = 0;
  // Reads one entry back; only before any row. False: the bytes are no entry of this operator.
  [[nodiscard]] virtual bool read_state(ByteReader& in) = 0;
  // After the last read_state(), with the shared watermark as of then.
  virtual void loaded(int64_t shared_watermark) = 0;
  [[nodiscard]] virtual size_t memory_bytes() const = 0;

  // What spill() would free. 0: this state cannot be let go of.
  [[nodiscard]] virtual size_t spillable_bytes() const { return 0; }
  // Lets go of state, of which nothing is dirty, and looks into `stored` when some of it is due; that outlives this.
  virtual void spill(SpilledState& /*stored*/) {}
  // Everything of these key groups that was let go of has been read back, right after spill().
  virtual void rejoined(const DirtyKeyGroups& /*which*/) {}
};

// What an operator goes by within an epoch.
struct StageTime {
  int64_t clock_us = 0;
  int64_t shared_watermark = -kNever;  // as of the epoch's start
};

// Of windows that overlap, so that a few rows may give very many results: how far a watermark may go at once.
struct Pace {
  int64_t due = kNever;      // the watermark that closes the next one
  int64_t step_us = kNever;  // from there on
};

class StatefulOperator : public KeyedState {
 public:
  virtual void process(const columnar::Batch& input, const RowTimes& times, const StageTime& now) = 0;
  // Own watermarks: fires what its devices' moved watermarks have made due.
  virtual void fire_due(const StageTime& now) = 0;
  // Own watermarks: closes what devices not heard of for close_after have open.
  virtual void close_silent(int64_t clock_us) = 0;
  // Fires what has fallen due of state that was let go of. The first failure to read such state since the last call.
  [[nodiscard]] virtual Result<> fire_spilled() { return {}; }
  // Nothing falls due by close_silent() or fire_silent() before this clock reading; kNever: nothing at all.
  [[nodiscard]] virtual int64_t close_bound_us() const = 0;
  // Shared watermark: fires what it closes, of all workers' copies (this one is the first), into this one's results.
  virtual void fire_shared(int64_t watermark, std::span<StatefulOperator* const> copies) = 0;
  // Shared watermark, after fire_shared(), of the first worker's copy: what the clock alone makes due.
  virtual void fire_silent(int64_t /*clock_us*/) {}
  // For about so many results at once.
  [[nodiscard]] virtual Pace pace(size_t /*results*/) const { return {}; }
  // Whether time alone may still bring results.
  [[nodiscard]] virtual bool has_open() const = 0;

  [[nodiscard]] virtual columnar::BatchBuilder& results() = 0;
  [[nodiscard]] virtual std::vector<columnar::Batch>& late() = 0;
  // Results and late rows so far, since it was made.
  [[nodiscard]] virtual uint64_t fired() const = 0;
  [[nodiscard]] virtual uint64_t late_rows() const = 0;
  // Results that could not be computed, or not within their limits, and are NULL.
  [[nodiscard]] virtual uint64_t errors() const { return 0; }
};

}  // namespace tidegate::engine
