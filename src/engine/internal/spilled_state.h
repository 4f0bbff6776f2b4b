// State that an operator has let go of, as snapshots have stored it.
#pragma once

#include <functional>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace tidegate::engine {

// One operator's with one worker. One thread at a time.
class SpilledState {
 public:
  // False: the bytes are no entry.
  using Entry = std::function<bool(size_t run, ByteReader& in)>;

  SpilledState() = default;
  virtual ~SpilledState() = default;
  SpilledState(const SpilledState&) = delete;
  SpilledState& operator=(const SpilledState&) = delete;

  // Hands over what there is of a key group, run by run, the oldest first. A run is what was let go of at one time;
  // entries of one key in several runs add up. StateIncompatible if it cannot be read.
  [[nodiscard]] virtual Result<> read(uint16_t key_group, const Entry& entry) const = 0;
  // Of the runs of a key group as read() had them, those not `needed` any more are forgotten.
  virtual void keep(uint16_t key_group, const std::vector<bool>& needed) = 0;
};

}  // namespace tidegate::engine
