// Cells on their own: the error of percentiles, what happens at the limits, and bytes.
#include "engine/internal/cells.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/internal/accumulators.h"
#include "engine/internal/quantile_sketch.h"
#include "io/random.h"

namespace tidegate::engine {

using columnar::TypeKind;

namespace {

const AggregateField kSketchField{FieldKind::kSketch};
const double kInfinity = std::numeric_limits<double>::infinity();

double exact_quantile(std::vector<double> values, double fraction) {
  std::ranges::sort(values);
  return values[static_cast<size_t>(fraction * static_cast<double>(values.size() - 1))];
}

QuantileSketch sketch_of(const std::vector<double>& values) {
  QuantileSketch sketch;
  for (const double value : values) sketch.add(value);
  return sketch;
}

std::string bytes_of(const QuantileSketch& sketch) {
  std::string bytes;
  ByteWriter out(bytes);
  sketch.write(kSketchField, out);
  return bytes;
}

std::vector<std::vector<double>> distributions() {
  io::SeededRandom random(11);
  std::vector<std::vector<double>> all(4);
  for (int i = 0; i < 20'000; ++i) {
    const double unit = random.unit();
    all[0].push_back(unit);
    all[1].push_back(std::exp(20 * unit - 10));
    all[2].push_back(1000 * (unit - 0.4));       // both signs
    all[3].push_back(std::floor(5 * unit) - 2);  // few values, zero among them
  }
  return all;
}

}  // namespace

TEST_CASE("percentiles are within one percent of the exact ones") {
  for (const std::vector<double>& values : distributions()) {
    const QuantileSketch sketch = sketch_of(values);
    CHECK(sketch.count() == values.size());
    for (const double fraction : {0.0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0}) {
      const double exact = exact_quantile(values, fraction);
      CAPTURE(fraction);
      CAPTURE(exact);
      CHECK(std::abs(sketch.quantile(fraction) - exact) <= 0.01 * std::abs(exact) * (1 + 1e-9));
    }
  }
}

TEST_CASE("sketches of parts add up to the sketch of the whole, whatever the parts and their order") {
  for (std::vector<double> values : distributions()) {
    const std::string whole = bytes_of(sketch_of(values));
    QuantileSketch sum;
    for (size_t at = 0; at < values.size(); at += 999) {
      const size_t end = std::min(at + 999, values.size());
      sum.merge(kSketchField,
                sketch_of({values.begin() + static_cast<ptrdiff_t>(at), values.begin() + static_cast<ptrdiff_t>(end)}));
    }
    CHECK(bytes_of(sum) == whole);
    std::ranges::reverse(values);
    CHECK(bytes_of(sketch_of(values)) == whole);
    QuantileSketch read;
    ByteReader in(whole);
    CHECK(read.read(kSketchField, in));
    CHECK(in.finished());
    CHECK(bytes_of(read) == whole);
  }
}

TEST_CASE("past its limit a sketch doubles its error and still does not depend on the order") {
  std::vector<double> values;
  for (int exponent = -300; exponent <= 300; ++exponent) {
    for (int step = 0; step < 16; ++step) values.push_back(std::pow(10, exponent) * (1 + step * 0.5));
  }
  const QuantileSketch forward = sketch_of(values);
  CHECK(forward.memory_bytes() <= 2 * QuantileSketch::kMaxBuckets * 16);
  const double exact = exact_quantile(values, 0.5);
  CHECK(std::abs(forward.quantile(0.5) - exact) <= 0.05 * exact);
  std::ranges::reverse(values);
  CHECK(bytes_of(sketch_of(values)) == bytes_of(forward));
  QuantileSketch halves = sketch_of({values.begin(), values.begin() + 4000});
  halves.merge(kSketchField, sketch_of({values.begin() + 4000, values.end()}));
  CHECK(bytes_of(halves) == bytes_of(forward));
}

TEST_CASE("a sketch takes infinities as the greatest number and passes over NaN") {
  const QuantileSketch sketch = sketch_of({kInfinity, -kInfinity, std::numeric_limits<double>::quiet_NaN(), 5e-324});
  CHECK(sketch.count() == 3);
  CHECK(std::isfinite(sketch.quantile(1)));
  CHECK(sketch.quantile(1) > 1e307);
  CHECK(sketch.quantile(0) < -1e307);
}

namespace {

struct OneColumn {
  explicit OneColumn(sql::Aggregate aggregate, TypeKind type = TypeKind::kBigint)
      : input{{{"v", type, true}}},
        layout({aggregate}, input),
        result(std::make_shared<columnar::Schema>(columnar::Schema{{{"r", aggregate.type, true}}})) {}

  columnar::Schema input;
  AggregateLayout layout;
  columnar::SchemaPtr result;
};

// The values [first, first + count), one a row, into the slot; event times are the values.
void add_range(const OneColumn& column, Accumulators& accumulators, uint32_t slot, int64_t first, size_t count) {
  columnar::BatchBuilder rows(std::make_shared<columnar::Schema>(column.input));
  for (size_t i = 0; i < count; ++i) {
    const int64_t value = first + static_cast<int64_t>(i);
    if (column.input.fields[0].type == TypeKind::kString) {
      rows.column(0).append_string(std::string(1000, 'x') + std::to_string(value));
    } else {
      rows.column(0).append(value);
    }
    rows.end_row();
  }
  const columnar::Batch batch = rows.finish();
  std::vector<int64_t> times(count);
  for (size_t i = 0; i < count; ++i) times[i] = first + static_cast<int64_t>(i);
  const std::vector<uint16_t> groups(count, 0);
  const std::vector<uint32_t> slots(count, slot);
  accumulators.update(batch, slots, {times.data(), groups.data()}, 0, count);
}

void check_limit(const OneColumn& column, size_t fitting) {
  Accumulators accumulators(column.layout);
  const uint32_t slot = accumulators.take();
  add_range(column, accumulators, slot, 0, fitting);
  columnar::BatchBuilder out(column.result);
  CHECK(accumulators.emit(slot, {}, out, 0) == 0);
  // Two halves that fit, together too large: as if they had been one.
  const uint32_t more = accumulators.take();
  add_range(column, accumulators, more, 2'000'000'000, 200);
  accumulators.merge(more, accumulators, slot);
  CHECK(accumulators.emit(more, {}, out, 0) == 1);
  std::string bytes;
  ByteWriter writer(bytes);
  accumulators.write(more, writer);
  CHECK(bytes.size() < 16);
  const uint32_t again = accumulators.take();
  ByteReader reader(bytes);
  REQUIRE(accumulators.read(again, reader));
  CHECK(accumulators.emit(again, {}, out, 0) == 1);
  const size_t full = accumulators.memory_bytes();
  accumulators.release(slot);
  CHECK(accumulators.memory_bytes() < full);
  accumulators.reset(more);
  add_range(column, accumulators, more, 0, 10);
  CHECK(accumulators.emit(more, {}, out, 0) == 0);
}

}  // namespace

TEST_CASE("what needs more memory than its limit is NULL and counted, however its parts came together") {
  using enum sql::AggregateFunction;
  check_limit(OneColumn({.function = kCount, .distinct = true}), 1'000'000);
  check_limit(OneColumn({.function = kCount, .distinct = true}, TypeKind::kString), 66'700);
  check_limit(OneColumn({.function = kCounterDelta, .type = TypeKind::kDouble}), 1'000'000);
  // All within one bit map, or one bit too far.
  check_limit(OneColumn({.function = kCoverage, .type = TypeKind::kDouble, .interval_us = 1000}), 1'000'000);
}

TEST_CASE("the spread of large close numbers does not lose its digits") {
  const OneColumn column({.function = sql::AggregateFunction::kVarPop, .type = TypeKind::kDouble});
  Accumulators accumulators(column.layout);
  const uint32_t whole = accumulators.take();
  const uint32_t left = accumulators.take();
  add_range(column, accumulators, whole, 1'000'000'000'000, 1000);
  add_range(column, accumulators, left, 1'000'000'000'000, 300);
  const uint32_t right = accumulators.take();
  add_range(column, accumulators, right, 1'000'000'000'300, 700);
  accumulators.merge(left, accumulators, right);
  columnar::BatchBuilder out(column.result);
  (void)accumulators.emit(whole, {}, out, 0);
  out.end_row();
  (void)accumulators.emit(left, {}, out, 0);
  out.end_row();
  const columnar::Batch rows = out.finish();
  const auto values = rows.columns[0]->values<double>();
  CHECK(values[0] == doctest::Approx(83333.25).epsilon(1e-9));
  CHECK(values[1] == doctest::Approx(83333.25).epsilon(1e-9));
}

}  // namespace tidegate::engine
