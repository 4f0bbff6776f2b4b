#include "engine/internal/detector_table.h"

namespace tidegate::engine {

std::pair<DetectorTable::Place, bool> DetectorTable::find(uint32_t pot, std::string_view key) {
  if (pot >= pots_.size()) return {};
  const Place place = pots_[pot].partitions.find(key);
  return {place, place != pots_[pot].partitions.end()};
}

DetectorTable::Place DetectorTable::add(uint32_t pot, std::string_view key, const Partition& partition) {
  if (const auto [old, is_there] = find(pot, key); is_there) forget(pot, old);
  if (pot >= pots_.size()) pots_.resize(pot + size_t{1});
  const Place place = pots_[pot].partitions.emplace(key, partition).first;
  ++size_;
  bytes_ += kOverhead + place->first.capacity() + partition.detector.memory_bytes();
  move_deadline(pot, place, kNever);
  return place;
}

void DetectorTable::move_deadline(uint32_t pot, Place place, int64_t before_us) {
  const int64_t deadline_us = place->second.detector.deadline_us();
  if (deadline_us == before_us) return;
  auto& deadlines = pots_[pot].deadlines;
  if (before_us < kNever) deadlines_ -= deadlines.erase({before_us, place});
  if (deadline_us < kNever && deadlines.emplace(deadline_us, place).second) ++deadlines_;
}

void DetectorTable::forget(uint32_t pot, Place place) {
  const Detector& detector = place->second.detector;
  if (detector.deadline_us() < kNever) deadlines_ -= pots_[pot].deadlines.erase({detector.deadline_us(), place});
  bytes_ -= kOverhead + place->first.capacity() + detector.memory_bytes();
  pots_[pot].partitions.erase(place);
  --size_;
}

void DetectorTable::clear() {
  pots_.clear();
  size_ = deadlines_ = bytes_ = 0;
}

}  // namespace tidegate::engine
