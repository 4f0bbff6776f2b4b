#include "nested.h"

#include <fmt/format.h>

#include <algorithm>

namespace tidegate::queries {

namespace {

using Parts = std::vector<Value>;
using Change = std::function<Value(const Parts&)>;

// Shared: see Value.
Value array_of(Parts parts) { return std::make_shared<const Nested>(Nested{std::move(parts), {}}); }

Value row_of(std::vector<std::string> names, Parts parts) {
  return std::make_shared<const Nested>(Nested{std::move(parts), std::move(names)});
}

const Parts& parts_of(const Value& value) { return std::get<NestedPtr>(value)->parts; }

Value maybe(Random& random, Value value) { return random.one_in(5) ? Value() : std::move(value); }

Value some_number(Random& random) { return maybe(random, random.between(-4, 4)); }
Value some_real(Random& random) { return maybe(random, static_cast<double>(random.between(1, 80)) * 0.25); }
Value some_text(Random& random) {
  static const std::vector<std::string> kTexts = {"", "a", "ab", "b", "Ba"};
  return maybe(random, random.one_of(kTexts));
}

Value some_array(Random& random, Value (*element)(Random&)) {
  Parts parts;
  for (int64_t left = random.between(0, 4); left > 0; --left) parts.push_back(element(random));
  return maybe(random, array_of(std::move(parts)));
}

Value some_pair(Random& random) {
  Value number = some_number(random);
  Value real = some_real(random);
  return maybe(random, row_of({"k", "v"}, {std::move(number), std::move(real)}));
}

Value some_deep(Random& random) {
  Value number = some_number(random);
  Value words = some_array(random, some_text);
  return maybe(random, row_of({"k", "words"}, {std::move(number), std::move(words)}));
}

// NULL of NULL.
Expression changed(std::string sql, const Expression& of, const Change& change) {
  return {std::move(sql), [of, change](const Row& row) {
            const Value value = of.value(row);
            return is_null(value) ? Value() : change(parts_of(value));
          }};
}

Value element(const Parts& parts, int64_t position) {
  const bool there = position >= 1 && position <= static_cast<int64_t>(parts.size());
  return there ? parts[static_cast<size_t>(position - 1)] : Value();
}

Expression field(const Expression& row, const std::string& name, size_t at) {
  return changed(fmt::format("{}.{}", row.sql, name), row, [at](const Parts& parts) { return parts[at]; });
}

Expression element_of(const Expression& array, int64_t position) {
  return changed(fmt::format("{}[{}]", array.sql, position), array,
                 [position](const Parts& parts) { return element(parts, position); });
}

Expression deep() { return field(column(kRow), "deep", 2); }
Expression words() { return field(deep(), "words", 1); }
Expression pair_of(Random& random) { return element_of(column(kPairs), random.between(1, 4)); }

Expression size_of(const Expression& array) {
  return changed(fmt::format("CAST(CARDINALITY({}) AS BIGINT)", array.sql), array,
                 [](const Parts& parts) { return static_cast<int64_t>(parts.size()); });
}

Expression extreme(bool greatest) {
  return changed(greatest ? "ARRAY_MAX(a)" : "ARRAY_MIN(a)", column(kArray), [greatest](const Parts& parts) {
    Value found;
    for (const Value& part : parts) {
      if (is_null(part)) continue;
      if (is_null(found) || (greatest ? found < part : part < found)) found = part;
    }
    return found;
  });
}

// The element that a column of the row names.
Expression element_at_n() {
  return {"a[CAST(n AS INT)]", [](const Row& row) {
            if (is_null(row[kArray]) || is_null(row[kN])) return Value();
            return element(parts_of(row[kArray]), std::get<int64_t>(row[kN]));
          }};
}

Expression position_in(int64_t wanted) {
  return changed(fmt::format("CAST(ARRAY_POSITION(a, {}) AS BIGINT)", wanted), column(kArray),
                 [wanted](const Parts& parts) {
                   const auto found = std::ranges::find(parts, Value(wanted));
                   return found == parts.end() ? int64_t{0} : found - parts.begin() + 1;
                 });
}

Expression joined(bool tells_nulls) {
  return changed(fmt::format("ARRAY_JOIN({}, '+'{})", words().sql, tells_nulls ? ", '?'" : ""), words(),
                 [tells_nulls](const Parts& parts) {
                   std::string text;
                   bool first = true;
                   for (const Value& part : parts) {
                     if (is_null(part) && !tells_nulls) continue;
                     text += (first ? "" : "+") + (is_null(part) ? "?" : std::get<std::string>(part));
                     first = false;
                   }
                   return Value(text);
                 });
}

Expression number_of(Random& random) {
  switch (random.between(1, 10)) {
    case 1: return element_at_n();
    case 2: return size_of(column(kArray));
    case 3: return size_of(words());
    case 4: return field(deep(), "k", 0);
    case 5:
    case 6: return field(pair_of(random), "k", 0);
    case 7: return extreme(random.one_in(2));
    case 8: return position_in(random.between(-4, 4));
    case 9:
      return changed("a[CARDINALITY(a)]", column(kArray),
                     [](const Parts& parts) { return element(parts, static_cast<int64_t>(parts.size())); });
    default: return element_of(column(kArray), random.between(1, 5));
  }
}

Expression is_null_of(const Expression& of, bool wanted) {
  return {fmt::format("({} IS {}NULL)", of.sql, wanted ? "" : "NOT "),
          [=](const Row& row) { return is_null(of.value(row)) == wanted; }};
}

Expression truth_of(Random& random) {
  if (random.one_in(3)) {
    const int64_t wanted = random.between(-4, 4);
    return changed(fmt::format("ARRAY_CONTAINS(a, {})", wanted), column(kArray),
                   [wanted](const Parts& parts) { return std::ranges::find(parts, Value(wanted)) != parts.end(); });
  }
  const std::vector<Expression> all = {column(kArray), column(kRow), deep(), words(), pair_of(random)};
  return is_null_of(random.one_of(all), random.one_in(2));
}

// Positions count from 1, negative ones from the end.
Parts slice_of(const Parts& parts, int64_t first, int64_t last) {
  const auto size = static_cast<int64_t>(parts.size());
  const auto place = [size](int64_t position) { return position < 0 ? size + position + 1 : position; };
  Parts out;
  for (int64_t at = std::max<int64_t>(place(first), 1); at <= std::min(place(last), size); ++at) {
    out.push_back(element(parts, at));
  }
  return out;
}

Parts distinct_of(const Parts& parts) {
  Parts out;
  for (const Value& part : parts) {
    if (std::ranges::find(out, part) == out.end()) out.push_back(part);
  }
  return out;
}

Expression numbers(Random& random, int depth);

Expression changed_numbers(Random& random, int depth) {
  const Expression of = numbers(random, depth);
  switch (random.between(1, 3)) {
    case 1:
      return changed(fmt::format("ARRAY_REVERSE({})", of.sql), of,
                     [](const Parts& parts) { return array_of({parts.rbegin(), parts.rend()}); });
    case 2:
      return changed(fmt::format("ARRAY_DISTINCT({})", of.sql), of,
                     [](const Parts& parts) { return array_of(distinct_of(parts)); });
    default: {
      static const std::vector<int64_t> kPlaces = {-2, -1, 1, 2, 3, 4};
      const int64_t first = random.one_of(kPlaces);
      const int64_t last = random.one_of(kPlaces);
      return changed(fmt::format("ARRAY_SLICE({}, {}, {})", of.sql, first, last), of,
                     [=](const Parts& parts) { return array_of(slice_of(parts, first, last)); });
    }
  }
}

Expression made_numbers(Random& random) {
  std::vector<Expression> parts = {column(kN)};
  std::string list = "n";
  for (int64_t left = random.between(0, 2); left > 0; --left) {
    parts.push_back(number_of(random));
    list += ", " + parts.back().sql;
  }
  return {fmt::format("ARRAY[{}]", list), [parts](const Row& row) {
            Parts made;
            for (const Expression& part : parts) made.push_back(part.value(row));
            return array_of(std::move(made));
          }};
}

// One of two of a type, by a condition or if the first is NULL.
Expression chosen(Random& random, const Expression& first, const Expression& second) {
  if (random.one_in(2)) {
    return {fmt::format("COALESCE({}, {})", first.sql, second.sql), [=](const Row& row) {
              const Value value = first.value(row);
              return is_null(value) ? second.value(row) : value;
            }};
  }
  const Expression when = ExpressionMaker(random, true).condition(2);
  return {fmt::format("CASE WHEN {} THEN {} ELSE {} END", when.sql, first.sql, second.sql),
          [=](const Row& row) { return is_true(when.value(row)) ? first.value(row) : second.value(row); }};
}

Expression numbers(Random& random, int depth) {
  if (depth == 0 || random.one_in(3)) return column(kArray);
  switch (random.between(1, 4)) {
    case 1: return made_numbers(random);
    case 2: return chosen(random, numbers(random, depth - 1), numbers(random, depth - 1));
    default: return changed_numbers(random, depth - 1);
  }
}

const char* const kMadeRow = "ROW<k BIGINT, t STRING, words ARRAY<STRING>>";

Expression made_row(Random& random) {
  const Expression number = number_of(random);
  return {fmt::format("CAST(ROW({}, s, {}) AS {})", number.sql, words().sql, kMadeRow), [=](const Row& row) {
            return row_of({"k", "t", "words"}, {number.value(row), row[kS], words().value(row)});
          }};
}

}  // namespace

std::vector<Value> some_nested(Random& random) {
  Value array = some_array(random, some_number);
  Value real = some_real(random);
  Value text = some_text(random);
  Value inner = some_deep(random);
  Value row = maybe(random, row_of({"x", "t", "deep"}, {std::move(real), std::move(text), std::move(inner)}));
  Value pairs = some_array(random, some_pair);
  return {std::move(array), std::move(row), std::move(pairs)};
}

Expression part_of(Random& random, Type type) {
  switch (type) {
    case Type::kBoolean: return truth_of(random);
    case Type::kDouble: return random.one_in(2) ? field(column(kRow), "x", 0) : field(pair_of(random), "v", 1);
    case Type::kString:
      if (random.one_in(3)) return field(column(kRow), "t", 1);
      return random.one_in(2) ? joined(random.one_in(2)) : element_of(words(), random.between(1, 4));
    default: return number_of(random);
  }
}

NestedExpression some_list(Random& random, int depth) {
  switch (random.between(1, 4)) {
    case 1: return {column(kPairs), kReadings[kPairs].declared};
    case 2: return {words(), "ARRAY<STRING>"};
    default: return {numbers(random, depth), "ARRAY<BIGINT>"};
  }
}

NestedExpression some_whole(Random& random, int depth) {
  static const std::string kDeep = "ROW<k BIGINT, words ARRAY<STRING>>";
  switch (random.between(1, 8)) {
    case 1: return {column(kRow), kReadings[kRow].declared};
    case 2: return {column(kPairs), kReadings[kPairs].declared};
    case 3: return {deep(), kDeep};
    case 4: return {words(), "ARRAY<STRING>"};
    case 5: return {chosen(random, pair_of(random), pair_of(random)), "ROW<k BIGINT, v DOUBLE>"};
    case 6: return {made_row(random), kMadeRow};
    default: return {numbers(random, depth), "ARRAY<BIGINT>"};
  }
}

}  // namespace tidegate::queries
