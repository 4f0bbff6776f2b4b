#include <doctest/doctest.h>

#include <algorithm>
#include <optional>

#include "columnar/random_rows.h"
#include "compute/internal/testing.h"
#include "io/random.h"

namespace tidegate::compute::testing {

namespace {

using columnar::Column;
using columnar::ColumnBuilder;
using columnar::Type;
using Elements = std::vector<std::optional<int32_t>>;
using MaybeArray = std::optional<Elements>;

const Type kInts = Type::array(kInt);

Expression argument(size_t index, Type type) {
  return {std::move(type), true, sql::ColumnRef{index, "c" + std::to_string(index)}};
}

template <class... Arguments>
Expression function(FunctionId id, Type type, Arguments... arguments) {
  Expression made = make_call(id, kInt, std::move(arguments)...);
  made.type = std::move(type);
  return made;
}

// Small numbers, so that they repeat and are found.
MaybeArray random_array(io::Random& random) {
  if (random.below(6) == 0) return std::nullopt;
  Elements elements(random.below(7));
  for (auto& element : elements) {
    if (random.below(4) != 0) element = static_cast<int32_t>(random.below(4));
  }
  return elements;
}

ColumnPtr column_of(const std::vector<MaybeArray>& arrays) {
  ColumnBuilder builder(kInts);
  for (const MaybeArray& array : arrays) {
    if (!array) {
      builder.append_null();
      continue;
    }
    for (const auto& element : *array) {
      if (element) {
        builder.child(0).append(*element);
      } else {
        builder.child(0).append_null();
      }
    }
    builder.end_nested();
  }
  return builder.finish();
}

MaybeArray array_at(const Column& column, size_t row) {
  if (!column.valid(row)) return std::nullopt;
  Elements elements;
  for (size_t at = column.offsets[row]; at < column.offsets[row + 1]; ++at) {
    const bool valid = column.children[0]->valid(at);
    elements.push_back(valid ? std::optional(column.children[0]->values<int32_t>()[at]) : std::nullopt);
  }
  return elements;
}

std::optional<int64_t> integer_at(const Column& column, size_t row) {
  return column.valid(row) ? std::optional(column.integer_at(row)) : std::nullopt;
}

// What every function makes of one array and one number, written down naively.
struct Reference {
  std::optional<int64_t> cardinality, element, contains, position, most, least;
  MaybeArray reversed, distinct, slice;

  Reference(const MaybeArray& array, std::optional<int32_t> number) {
    if (!array) return;
    const auto length = static_cast<int64_t>(array->size());
    cardinality = length;
    if (number && *number >= 1 && *number <= length) element = (*array)[static_cast<size_t>(*number - 1)];
    const auto found = std::ranges::find(*array, number);
    contains = found != array->end() ? 1 : 0;
    if (number) position = found == array->end() ? 0 : found - array->begin() + 1;
    distinct = Elements{};
    for (const auto& each : *array) {
      if (each && (!most || *each > *most)) most = each;
      if (each && (!least || *each < *least)) least = each;
      if (std::ranges::find(*distinct, each) == distinct->end()) distinct->push_back(each);
    }
    reversed = Elements(array->rbegin(), array->rend());
    if (!number) return;
    slice = Elements{};
    const int64_t first = *number < 0 ? std::max<int64_t>(length + *number + 1, 1) : std::max(*number, 1);
    for (int64_t at = first; at <= length; ++at) slice->push_back((*array)[static_cast<size_t>(at - 1)]);
  }
};

}  // namespace

TEST_CASE("functions of random arrays agree with a naive reference") {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    io::SeededRandom random(seed);
    std::vector<MaybeArray> arrays(random.below(30) + 1);
    std::vector<std::optional<int32_t>> numbers;
    ColumnBuilder wanted(kInt);
    for (MaybeArray& array : arrays) {
      array = random_array(random);
      numbers.push_back(random.below(5) == 0 ? std::nullopt
                                             : std::optional(static_cast<int32_t>(random.below(11)) - 3));
      numbers.back() ? wanted.append(*numbers.back()) : wanted.append_null();
    }
    const Batch batch{nullptr, {column_of(arrays), wanted.finish()}, {}, arrays.size()};
    const auto run = [&](FunctionId id, const Type& type, bool with_number) {
      auto made = with_number ? function(id, type, argument(0, kInts), argument(1, kInt))
                              : function(id, type, argument(0, kInts));
      return compile(made)->evaluate(batch);
    };
    using enum FunctionId;
    const ColumnPtr results[] = {
        run(kCardinality, kInt, false),   run(kElementAt, kInt, true),       run(kArrayContains, kBool, true),
        run(kArrayPosition, kInt, true),  run(kArrayMax, kInt, false),       run(kArrayMin, kInt, false),
        run(kArrayReverse, kInts, false), run(kArrayDistinct, kInts, false), run(kArraySlice, kInts, true)};
    for (size_t row = 0; row < arrays.size(); ++row) {
      CAPTURE(row);
      const Reference expected(arrays[row], numbers[row]);
      CHECK(integer_at(*results[0], row) == expected.cardinality);
      CHECK(integer_at(*results[1], row) == expected.element);
      CHECK(integer_at(*results[2], row) == expected.contains);
      CHECK(integer_at(*results[3], row) == expected.position);
      CHECK(integer_at(*results[4], row) == expected.most);
      CHECK(integer_at(*results[5], row) == expected.least);
      CHECK(array_at(*results[6], row) == expected.reversed);
      CHECK(array_at(*results[7], row) == expected.distinct);
      CHECK(array_at(*results[8], row) == expected.slice);
    }
  }
}

TEST_CASE("what is made of random values of every type has them as its elements and fields") {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    io::SeededRandom random(seed);
    const Type type = columnar::random_type(random);
    auto schema = std::make_shared<columnar::Schema>();
    schema->fields = {{"a", type, true}, {"b", type, true}};
    const Batch batch = columnar::random_batch(schema, 1 + random.below(20), random);
    const auto array = [&] {
      return function(FunctionId::kArrayOf, Type::array(type), argument(0, type), argument(1, type));
    };
    const auto row = [&] {
      return function(FunctionId::kRowOf, Type::row({{"x", type, true}, {"y", type, true}}), argument(0, type),
                      argument(1, type));
    };
    const ColumnPtr taken[] = {
        compile(function(FunctionId::kElementAt, type, array(), literal(integer(1))))->evaluate(batch),
        compile(function(FunctionId::kElementAt, type, array(), literal(integer(2))))->evaluate(batch),
        compile(function(FunctionId::kField, type, row(), literal(integer(0))))->evaluate(batch),
        compile(function(FunctionId::kField, type, row(), literal(integer(1))))->evaluate(batch),
        compile(function(FunctionId::kCoalesce, type, argument(0, type), argument(1, type)))->evaluate(batch)};
    for (size_t at = 0; at < batch.rows; ++at) {
      CAPTURE(at);
      for (size_t each = 0; each < 4; ++each) {
        CHECK(columnar::same_value(*taken[each], at, *batch.columns[each % 2], at));
      }
      CHECK(columnar::same_value(*taken[4], at, *batch.columns[batch.columns[0]->valid(at) ? 0 : 1], at));
    }
  }
}

TEST_CASE("an element that cannot be converted is NULL and counted, and so is an array that is too large") {
  const Type texts = Type::array(kText);
  ColumnBuilder builder(texts);
  for (const char* text : {"1", "x", "3"}) builder.child(0).append_string(text);
  builder.end_nested();
  builder.append_null();
  const Batch batch{nullptr, {builder.finish()}, {}, 2};
  const auto converted = compile(function(FunctionId::kCast, kInts, argument(0, texts)));
  const ColumnPtr numbers = converted->evaluate(batch);
  CHECK(array_at(*numbers, 0) == MaybeArray(Elements{1, std::nullopt, 3}));
  CHECK_FALSE(numbers->valid(1));
  CHECK(converted->errors() == 1);

  ColumnBuilder long_texts(kText);
  long_texts.append_string(std::string(1U << 20, 'x'));
  long_texts.append_string("short");
  const Batch large{nullptr, {long_texts.finish()}, {}, 2};
  std::vector<Expression> many;
  for (int copy = 0; copy < 300; ++copy) many.push_back(argument(0, kText));
  Expression array = call(FunctionId::kArrayOf, kText, std::move(many));
  array.type = texts;
  const auto repeated = compile(array);
  const ColumnPtr result = repeated->evaluate(large);
  CHECK_FALSE(result->valid(0));
  CHECK(result->length_at(1) == 300);
  CHECK(repeated->errors() == 1);
}

}  // namespace tidegate::compute::testing
