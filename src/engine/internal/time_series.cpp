#include "engine/internal/time_series.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include "base/hash.h"
#include "columnar/value_bytes.h"
#include "engine/internal/window_math.h"

namespace tidegate::engine {

namespace {

uint32_t meter_hash(const columnar::Column& column, size_t row) {
  if (!column.valid(row)) return 0;
  if (columnar::is_text(column.type)) return murmur2(column.string_at(row)) | 1;
  if (columnar::is_wide(column.type)) {
    std::string bytes;
    columnar::append_value_bytes(column, row, bytes);
    return murmur2(bytes) | 1;
  }
  const int64_t bits = bits_at(column, row);
  return murmur2(std::string_view(reinterpret_cast<const char*>(&bits), sizeof bits)) | 1;
}

// A step function: every reading holds until the next one, the last one until the end of the window. Of readings of
// one time the last one counts.
template <class Readings>
double time_weighted_average(const Readings& readings, int64_t end) {
  double area = 0;
  for (size_t at = 0; at < readings.size(); ++at) {
    const int64_t until = at + 1 < readings.size() ? readings[at + 1].time : end;
    if (until == readings[at].time) continue;
    area += readings[at].value * static_cast<double>(until - readings[at].time);
  }
  return area / static_cast<double>(end - readings.front().time);
}

// What a counter has counted from one reading to the next. A counter that fell has either rolled over at `modulus` (if
// that means it ran less than half a round) or started again at 0.
double increase(double from, double to, double modulus) {
  if (to >= from) return to - from;
  const double round = to - from + modulus;
  if (modulus > 0 && from <= modulus && round >= 0 && round <= modulus / 2) return round;
  return std::max(to, 0.0);
}

template <class Readings>
double counter_delta(const Readings& readings, double modulus) {
  double sum = 0;
  for (size_t at = 1; at < readings.size(); ++at) {
    const bool exchanged = readings[at].meter != readings[at - 1].meter;
    if (!exchanged) sum += increase(readings[at - 1].value, readings[at].value, modulus);
  }
  return sum;
}

}  // namespace

bool TimeSeries::before(const Reading& left, const Reading& right) {
  return std::tie(left.time, left.key_group) < std::tie(right.time, right.key_group);
}

void TimeSeries::add(const AggregateField& field, const CellRows& rows, size_t row) {
  const double value = number_at(*rows.input.columns[field.argument], row);
  if (std::isnan(value)) return;  // no reading at all
  const uint32_t meter = field.meter ? meter_hash(*rows.input.columns[*field.meter], row) : 0;
  push({rows.order.times[row], value, rows.order.key_groups[row], meter});
}

void TimeSeries::push(const Reading& reading) {
  if (overflowed_) return;
  if (readings_.size() == kMaxReadings) return overflow();
  sorted_ = sorted_ && (readings_.empty() || !before(reading, readings_.back()));
  readings_.push_back(reading);
}

void TimeSeries::overflow() {
  *this = TimeSeries();
  overflowed_ = true;
}

void TimeSeries::merge(const AggregateField&, const TimeSeries& other) {
  if (other.overflowed_) return overflow();
  for (const Reading& reading : other.readings_) push(reading);
}

bool TimeSeries::emit(const AggregateField&, const AggregateResult& result, const WindowBounds& window,
                      columnar::ColumnBuilder& out) const {
  if (overflowed_ || readings_.empty()) {
    out.append_null();
    return !overflowed_;
  }
  std::vector<Reading> copy;
  if (!sorted_) {
    copy = readings_;
    std::ranges::stable_sort(copy, before);
  }
  const std::vector<Reading>& ordered = sorted_ ? readings_ : copy;
  const bool average = result.function == sql::AggregateFunction::kTimeWeightedAvg;
  out.append<double>(average ? time_weighted_average(ordered, window.end) : counter_delta(ordered, result.parameter));
  return true;
}

void TimeSeries::write(const AggregateField&, ByteWriter& out) const {
  out.fixed<uint8_t>(overflowed_);
  out.varint(readings_.size());
  int64_t before = 0;
  for (const Reading& reading : readings_) {
    out.zigzag(reading.time - before);
    out.fixed(std::bit_cast<int64_t>(reading.value));
    out.varint(reading.key_group);
    out.varint(reading.meter);
    before = reading.time;
  }
}

bool TimeSeries::read(const AggregateField&, ByteReader& in) {
  const uint8_t overflowed = in.fixed<uint8_t>();
  const uint64_t count = in.varint();
  if (overflowed > 1 || count > in.remaining() || count > kMaxReadings) return false;
  uint64_t time = 0;
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    time += static_cast<uint64_t>(in.zigzag());
    Reading reading{};
    reading.time = static_cast<int64_t>(time);
    if (!usable_time(reading.time)) return false;
    reading.value = std::bit_cast<double>(in.fixed<int64_t>());
    reading.key_group = static_cast<uint16_t>(in.varint());
    reading.meter = static_cast<uint32_t>(in.varint());
    push(reading);
  }
  if (overflowed == 1) overflow();
  return in.ok();
}

}  // namespace tidegate::engine
