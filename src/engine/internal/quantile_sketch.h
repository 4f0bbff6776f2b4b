// A DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees",
// VLDB 2019): counts of values in buckets (g^(i-1), g^i], whose middle is within kRelativeError of every value in it.
//
// With more buckets than the limit, neighbours are joined pairwise and the error doubles, as in UDDSketch (Epicoco et
// al., 2020): the outcome depends on the values alone, not on their order or on how parts were merged.
#pragma once

#include <vector>

#include "engine/internal/cells.h"

namespace tidegate::engine {

class QuantileSketch {
 public:
  static constexpr double kRelativeError = 0.01;
  // 64 KB. Values that spread over less than 35 orders of magnitude need fewer.
  static constexpr size_t kMaxBuckets = 4096;

  void add(const AggregateField& field, const CellRows& rows, size_t row);
  void merge(const AggregateField&, const QuantileSketch& other);
  bool emit(const AggregateField&, const AggregateResult& result, const WindowBounds&,
            columnar::ColumnBuilder& out) const;
  void write(const AggregateField&, ByteWriter& out) const;
  bool read(const AggregateField&, ByteReader& in);
  [[nodiscard]] size_t memory_bytes() const;

  void add(double value);
  // The value at rank floor(fraction * (count - 1)), within the relative error; count() > 0.
  [[nodiscard]] double quantile(double fraction) const;
  [[nodiscard]] uint64_t count() const;

 private:
  struct Bucket {
    int32_t index;
    uint64_t count;
  };
  using Buckets = std::vector<Bucket>;  // by index

  static void add_to(Buckets& buckets, int32_t index, uint64_t count);
  static void join_neighbours(Buckets& buckets);
  static bool read_buckets(ByteReader& in, Buckets& buckets);
  static void write_buckets(ByteWriter& out, const Buckets& buckets);
  void join_neighbours();
  void keep_limit();
  [[nodiscard]] double middle(int32_t index) const;

  Buckets positive_;
  Buckets negative_;  // of the opposite values
  uint64_t zeros_ = 0;
  uint8_t level_ = 0;  // how often neighbours were joined
};

}  // namespace tidegate::engine
