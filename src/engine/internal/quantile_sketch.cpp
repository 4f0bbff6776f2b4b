#include "engine/internal/quantile_sketch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace tidegate::engine {

namespace {

// The index of the greatest finite double at kRelativeError: log(1.8e308) / log(g).
constexpr int32_t kMaxIndex = 1 << 16;
constexpr uint8_t kMaxLevel = 16;

double log_of_g() {
  static const double kLog = std::log1p(2 * QuantileSketch::kRelativeError / (1 - QuantileSketch::kRelativeError));
  return kLog;
}

int32_t half_up(int32_t index) { return (index + 1) >> 1; }

}  // namespace

void QuantileSketch::add(const AggregateField& field, const CellRows& rows, size_t row) {
  add(number_at(*rows.input.columns[field.argument], row));
}

void QuantileSketch::add(double value) {
  if (std::isnan(value)) return;
  if (value == 0) {
    ++zeros_;
    return;
  }
  const double size = std::min(std::abs(value), std::numeric_limits<double>::max());
  auto index = static_cast<int32_t>(std::ceil(std::log(size) / log_of_g()));
  for (uint8_t level = 0; level < level_; ++level) index = half_up(index);
  add_to(value > 0 ? positive_ : negative_, index, 1);
  keep_limit();
}

void QuantileSketch::add_to(Buckets& buckets, int32_t index, uint64_t count) {
  const auto found = std::ranges::lower_bound(buckets, index, {}, &Bucket::index);
  if (found != buckets.end() && found->index == index) {
    found->count += count;
  } else {
    buckets.insert(found, {index, count});
  }
}

void QuantileSketch::merge(const AggregateField&, const QuantileSketch& other) {
  while (level_ < other.level_) join_neighbours();
  const auto add_all = [&](Buckets& into, const Buckets& from) {
    for (const Bucket& bucket : from) {
      int32_t index = bucket.index;
      for (uint8_t level = other.level_; level < level_; ++level) index = half_up(index);
      add_to(into, index, bucket.count);
    }
  };
  add_all(positive_, other.positive_);
  add_all(negative_, other.negative_);
  zeros_ += other.zeros_;
  keep_limit();
}

void QuantileSketch::keep_limit() {
  while (positive_.size() + negative_.size() > kMaxBuckets) join_neighbours();
}

void QuantileSketch::join_neighbours() {
  join_neighbours(positive_);
  join_neighbours(negative_);
  ++level_;
}

void QuantileSketch::join_neighbours(Buckets& buckets) {
  size_t kept = 0;
  for (const Bucket& bucket : buckets) {
    const int32_t index = half_up(bucket.index);
    if (kept > 0 && buckets[kept - 1].index == index) {
      buckets[kept - 1].count += bucket.count;
    } else {
      buckets[kept++] = {index, bucket.count};
    }
  }
  buckets.resize(kept);
}

uint64_t QuantileSketch::count() const {
  const auto add_count = [](uint64_t sum, const Bucket& bucket) { return sum + bucket.count; };
  const uint64_t positive = std::accumulate(positive_.begin(), positive_.end(), zeros_, add_count);
  return std::accumulate(negative_.begin(), negative_.end(), positive, add_count);
}

// Within kRelativeError of both ends of the bucket.
double QuantileSketch::middle(int32_t index) const {
  const double log_g = std::ldexp(log_of_g(), level_);
  return std::min(std::exp(index * log_g) * 2 / (1 + std::exp(log_g)), std::numeric_limits<double>::max());
}

double QuantileSketch::quantile(double fraction) const {
  const double rank = std::floor(fraction * static_cast<double>(count() - 1));
  double below = 0;
  for (auto bucket = negative_.rbegin(); bucket != negative_.rend(); ++bucket) {
    below += static_cast<double>(bucket->count);
    if (below > rank) return -middle(bucket->index);
  }
  below += static_cast<double>(zeros_);
  if (below > rank) return 0;
  for (const Bucket& bucket : positive_) {
    below += static_cast<double>(bucket.count);
    if (below > rank) return middle(bucket.index);
  }
  return positive_.empty() ? 0 : middle(positive_.back().index);
}

bool QuantileSketch::emit(const AggregateField&, const AggregateResult& result, const WindowBounds&,
                          columnar::ColumnBuilder& out) const {
  if (count() == 0) {
    out.append_null();  // nothing but NaN
  } else {
    out.append<double>(quantile(result.parameter));
  }
  return true;
}

void QuantileSketch::write(const AggregateField&, ByteWriter& out) const {
  out.fixed(level_);
  out.varint(zeros_);
  write_buckets(out, negative_);
  write_buckets(out, positive_);
}

void QuantileSketch::write_buckets(ByteWriter& out, const Buckets& buckets) {
  out.varint(buckets.size());
  int64_t before = 0;
  for (const Bucket& bucket : buckets) {
    out.zigzag(bucket.index - before);
    out.varint(bucket.count);
    before = bucket.index;
  }
}

bool QuantileSketch::read(const AggregateField&, ByteReader& in) {
  level_ = in.fixed<uint8_t>();
  zeros_ = in.varint();
  return level_ <= kMaxLevel && read_buckets(in, negative_) && read_buckets(in, positive_);
}

bool QuantileSketch::read_buckets(ByteReader& in, Buckets& buckets) {
  const uint64_t count = in.varint();
  if (count > kMaxBuckets) return false;
  int64_t index = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const int64_t step = in.zigzag();
    const uint64_t values = in.varint();
    if (!in.ok() || step < -kMaxIndex || step > 2 * kMaxIndex || (i > 0 && step <= 0)) return false;
    index += step;
    if (index < -kMaxIndex || index > kMaxIndex) return false;
    buckets.push_back({static_cast<int32_t>(index), values});
  }
  return true;
}

size_t QuantileSketch::memory_bytes() const { return (positive_.capacity() + negative_.capacity()) * sizeof(Bucket); }

}  // namespace tidegate::engine
