#include "engine/internal/window_merger.h"

#include "base/bytes.h"
#include "base/check.h"

namespace tidegate::engine {

uint64_t append_window(const WindowPlan& plan, const WindowBounds& window, const Accumulators& accumulators,
                       uint32_t slot, columnar::BatchBuilder& out) {
  const size_t at = plan.keys.columns().size();
  out.column(at).append<int64_t>(window.start);
  out.column(at + 1).append<int64_t>(window.end);
  out.column(at + 2).append<int64_t>(window.end - kMicrosPerMilli);
  const uint64_t overflows = accumulators.emit(slot, window, out, at + 3);
  out.end_row();
  return overflows;
}

void WindowMerger::add(std::string_view key, int64_t end, const Accumulators& from, uint32_t slot) {
  scratch_.assign(key);
  ByteWriter(scratch_).fixed(end);
  bool added = false;
  const uint32_t group = table_.find_or_add(scratch_, added);
  if (added) {
    if (group >= slots_.size()) slots_.resize(group + size_t{1});
    slots_[group] = accumulators_.take();
    groups_.push_back(group);
  }
  accumulators_.merge(slots_[group], from, slot);
}

uint64_t WindowMerger::drain(columnar::BatchBuilder& out, columnar::StringPool& devices) {
  uint64_t overflows = 0;
  for (const uint32_t group : groups_) {
    const std::string_view bytes = table_.key(group);
    const std::string_view key = bytes.substr(0, bytes.size() - sizeof(int64_t));
    const auto end = ByteReader(bytes.substr(key.size())).fixed<int64_t>();
    append_key(key, out, devices);
    overflows += append_window(plan_, {math_.start_of(end), end, end}, accumulators_, slots_[group], out);
    accumulators_.release(slots_[group]);
    table_.erase(group);
  }
  groups_.clear();
  return overflows;
}

void WindowMerger::append_key(std::string_view key, columnar::BatchBuilder& out, columnar::StringPool& devices) const {
  if (plan_.mode == KeyMode::kGeneral) {
    CHECK(plan_.keys.decode(key, out));
    return;
  }
  ByteReader in(key);
  const auto code = in.fixed<uint8_t>() == 0 ? std::nullopt : devices.find(in.text());
  if (code) {
    out.column(0).append<uint32_t>(code->value);
  } else {
    out.column(0).append_null();
  }
}

}  // namespace tidegate::engine
