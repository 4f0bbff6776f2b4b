#include "expression.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <optional>

#include "nested.h"

namespace tidegate::queries {

namespace {

using Compare = bool (*)(int);

// < 0, 0, > 0; nothing if one is NULL.
std::optional<int> order_of(const Value& a, const Value& b) {
  if (is_null(a) || is_null(b)) return std::nullopt;
  const auto order = [](const auto& left, const auto& right) { return left < right ? -1 : right < left ? 1 : 0; };
  if (a.index() == b.index()) {
    return std::visit(
        [&](const auto& left) -> int {
          using T = std::decay_t<decltype(left)>;
          if constexpr (std::is_same_v<T, std::monostate>) {
            return 0;
          } else {
            return order(left, std::get<T>(b));
          }
        },
        a);
  }
  const auto real = [](const Value& value) {
    const auto* whole = std::get_if<int64_t>(&value);
    return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value);
  };
  return order(real(a), real(b));
}

Value negated(const Value& truth) { return is_null(truth) ? Value() : Value(!std::get<bool>(truth)); }

bool is(const Value& value, bool truth) { return !is_null(value) && std::get<bool>(value) == truth; }

Value all_of(const Value& a, const Value& b) {
  if (is(a, false) || is(b, false)) return false;
  return is_null(a) || is_null(b) ? Value() : Value(true);
}

Value any_of(const Value& a, const Value& b) { return negated(all_of(negated(a), negated(b))); }

Value equal(const Value& a, const Value& b) {
  const auto order = order_of(a, b);
  return order ? Value(*order == 0) : Value();
}

bool matches(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    for (size_t skip = 0; skip <= text.size(); ++skip) {
      if (matches(text.substr(skip), pattern.substr(1))) return true;
    }
    return false;
  }
  return !text.empty() && (pattern[0] == '_' || pattern[0] == text[0]) && matches(text.substr(1), pattern.substr(1));
}

std::string changed_case(std::string text, int (*change)(int)) {
  for (char& c : text) c = static_cast<char>(change(static_cast<unsigned char>(c)));
  return text;
}

// NULL of NULL.
template <class T, class Change>
Expression changed(std::string sql, Expression of, Change change) {
  return {std::move(sql), [of = std::move(of), change](const Row& row) {
            const Value value = of.value(row);
            return is_null(value) ? Value() : Value(change(std::get<T>(value)));
          }};
}

template <class T>
Value combined(const Value& a, const Value& b, char symbol) {
  if (is_null(a) || is_null(b)) return {};
  const T left = std::get<T>(a);
  const T right = std::get<T>(b);
  return symbol == '+' ? left + right : symbol == '-' ? left - right : left * right;
}

}  // namespace

Expression column(size_t index) {
  return {kReadings[index].name, [index](const Row& row) { return row[index]; }};
}

Type ExpressionMaker::some_type() {
  static const std::vector<Type> kTypes = {Type::kBoolean, Type::kBigint, Type::kDouble, Type::kString};
  return random_.one_of(kTypes);
}

Expression ExpressionMaker::literal(Type type) {
  switch (type) {
    case Type::kBoolean: {
      const bool truth = random_.one_in(2);
      return {truth ? "TRUE" : "FALSE", [truth](const Row&) { return truth; }};
    }
    case Type::kDouble: {
      const double real = static_cast<double>(random_.between(1, 40)) * 0.25;
      return {fmt::format("{}E0", real), [real](const Row&) { return real; }};
    }
    case Type::kString: {
      static const std::vector<std::string> kTexts = {"", "a", "b", "ab", "Ba", "abc", "x"};
      const std::string text = random_.one_of(kTexts);
      return {fmt::format("'{}'", text), [text](const Row&) { return text; }};
    }
    default: {
      const int64_t number = random_.between(1, 9);
      return {fmt::format("{}", number), [number](const Row&) { return number; }};
    }
  }
}

Expression ExpressionMaker::leaf(Type type) {
  if (nested_ && type != Type::kTime && random_.one_in(2)) return part_of(random_, type);
  if (random_.one_in(4)) return literal(type);
  switch (type) {
    case Type::kBoolean: return column(kB);
    case Type::kDouble: return column(kV);
    case Type::kString: return column(random_.one_in(3) ? kDevice : kS);
    default: return column(kN);
  }
}

Expression ExpressionMaker::of_type(Type type, int depth) {
  if (type == Type::kTime) return column(kTs);
  if (depth == 0) return leaf(type);
  if (random_.one_in(6)) return choice(type, depth - 1);
  if (random_.one_in(6)) return coalesce(type, depth - 1);
  switch (type) {
    case Type::kBoolean: return boolean(depth - 1);
    case Type::kDouble: return real(depth - 1);
    case Type::kString: return text(depth - 1);
    default: return bigint(depth - 1);
  }
}

Expression ExpressionMaker::choice(Type type, int depth) {
  const Expression when = condition(depth);
  const Expression then = of_type(type, depth);
  if (random_.one_in(2)) {
    return {fmt::format("CASE WHEN {} THEN {} END", when.sql, then.sql),
            [=](const Row& row) { return is(when.value(row), true) ? then.value(row) : Value(); }};
  }
  const Expression otherwise = of_type(type, depth);
  return {fmt::format("CASE WHEN {} THEN {} ELSE {} END", when.sql, then.sql, otherwise.sql),
          [=](const Row& row) { return is(when.value(row), true) ? then.value(row) : otherwise.value(row); }};
}

Expression ExpressionMaker::coalesce(Type type, int depth) {
  const Expression first = of_type(type, depth);
  const Expression second = leaf(type);
  return {fmt::format("COALESCE({}, {})", first.sql, second.sql), [=](const Row& row) {
            const Value value = first.value(row);
            return is_null(value) ? second.value(row) : value;
          }};
}

Expression ExpressionMaker::arithmetic(Type type, int depth) {
  const char symbol = random_.one_of(std::vector<char>{'+', '-', '*'});
  const Expression left = of_type(type, depth);
  const Expression right = symbol == '*' ? literal(type) : of_type(type, depth);  // so that nothing overflows
  return {fmt::format("({} {} {})", left.sql, symbol, right.sql), [=](const Row& row) {
            const Value a = left.value(row);
            const Value b = right.value(row);
            return type == Type::kDouble ? combined<double>(a, b, symbol) : combined<int64_t>(a, b, symbol);
          }};
}

Expression ExpressionMaker::bigint(int depth) {
  switch (random_.between(1, 4)) {
    case 1: {
      const Expression of = text(depth);
      return changed<std::string>(fmt::format("CHAR_LENGTH({})", of.sql), of,
                                  [](const std::string& text) { return static_cast<int64_t>(text.size()); });
    }
    case 2: {
      const Expression of = of_type(Type::kBigint, depth);
      return changed<int64_t>(fmt::format("ABS({})", of.sql), of, [](int64_t number) { return std::abs(number); });
    }
    default: return arithmetic(Type::kBigint, depth);
  }
}

Expression ExpressionMaker::real(int depth) {
  switch (random_.between(1, 4)) {
    case 1: {
      const Expression of = of_type(Type::kBigint, depth);
      return changed<int64_t>(fmt::format("CAST({} AS DOUBLE)", of.sql), of,
                              [](int64_t number) { return static_cast<double>(number); });
    }
    case 2: {
      const Expression of = of_type(Type::kDouble, depth);
      return changed<double>(fmt::format("ABS({})", of.sql), of, [](double number) { return std::fabs(number); });
    }
    default: return arithmetic(Type::kDouble, depth);
  }
}

Expression ExpressionMaker::text(int depth) {
  if (depth <= 0) return leaf(Type::kString);
  const Expression of = of_type(Type::kString, depth - 1);
  switch (random_.between(1, 5)) {
    case 1:
      return changed<std::string>(fmt::format("UPPER({})", of.sql), of,
                                  [](const std::string& text) { return changed_case(text, std::toupper); });
    case 2:
      return changed<std::string>(fmt::format("LOWER({})", of.sql), of,
                                  [](const std::string& text) { return changed_case(text, std::tolower); });
    case 3: {
      const auto first = static_cast<size_t>(random_.between(1, 3));
      const auto count = static_cast<size_t>(random_.between(0, 3));
      return changed<std::string>(fmt::format("SUBSTRING({}, {}, {})", of.sql, first, count), of,
                                  [first, count](const std::string& text) {
                                    return first > text.size() ? std::string() : text.substr(first - 1, count);
                                  });
    }
    case 4: {
      const Expression number = column(kN);
      return changed<int64_t>("CAST(n AS STRING)", number, [](int64_t value) { return fmt::format("{}", value); });
    }
    default: {
      const Expression right = leaf(Type::kString);
      return {fmt::format("({} || {})", of.sql, right.sql), [=](const Row& row) {
                const Value a = of.value(row);
                const Value b = right.value(row);
                if (is_null(a) || is_null(b)) return Value();
                return Value(std::get<std::string>(a) + std::get<std::string>(b));
              }};
    }
  }
}

Expression ExpressionMaker::boolean(int depth) {
  switch (random_.between(1, 7)) {
    case 1:
    case 2: return comparison(depth);
    case 3: return null_test(depth);
    case 4: return range_test(depth);
    case 5: return membership(depth);
    case 6: return like(depth);
    default: return logic(depth);
  }
}

Expression ExpressionMaker::comparison(int depth) {
  struct Operator {
    const char* symbol;
    Compare holds;
  };
  static const std::vector<Operator> kOperators = {
      {"=", [](int order) { return order == 0; }}, {"<>", [](int order) { return order != 0; }},
      {"<", [](int order) { return order < 0; }},  {"<=", [](int order) { return order <= 0; }},
      {">", [](int order) { return order > 0; }},  {">=", [](int order) { return order >= 0; }}};
  const Operator& chosen = random_.one_of(kOperators);
  const Type type = some_type();
  const bool mixed = type == Type::kBigint && random_.one_in(3);
  const Expression left = of_type(type, depth);
  const Expression right = of_type(mixed ? Type::kDouble : type, depth);
  return {fmt::format("({} {} {})", left.sql, chosen.symbol, right.sql), [=](const Row& row) {
            const auto order = order_of(left.value(row), right.value(row));
            return order ? Value(chosen.holds(*order)) : Value();
          }};
}

Expression ExpressionMaker::logic(int depth) {
  const Expression left = condition(depth);
  if (random_.one_in(3)) {
    return {fmt::format("(NOT {})", left.sql), [=](const Row& row) { return negated(left.value(row)); }};
  }
  const Expression right = condition(depth);
  const bool both = random_.one_in(2);
  return {fmt::format("({} {} {})", left.sql, both ? "AND" : "OR", right.sql), [=](const Row& row) {
            return both ? all_of(left.value(row), right.value(row)) : any_of(left.value(row), right.value(row));
          }};
}

Expression ExpressionMaker::null_test(int depth) {
  const Expression of = of_type(some_type(), depth);
  const bool wanted = random_.one_in(2);
  return {fmt::format("({} IS {}NULL)", of.sql, wanted ? "" : "NOT "),
          [=](const Row& row) { return is_null(of.value(row)) == wanted; }};
}

Expression ExpressionMaker::range_test(int depth) {
  const Type type = random_.one_in(2) ? Type::kBigint : Type::kDouble;
  const Expression of = of_type(type, depth);
  const Expression low = leaf(type);
  const Expression high = literal(type);
  const bool inside = !random_.one_in(3);
  return {fmt::format("({} {}BETWEEN {} AND {})", of.sql, inside ? "" : "NOT ", low.sql, high.sql),
          [=](const Row& row) {
            const auto above = order_of(of.value(row), low.value(row));
            const auto below = order_of(of.value(row), high.value(row));
            const Value holds = all_of(above ? Value(*above >= 0) : Value(), below ? Value(*below <= 0) : Value());
            return inside ? holds : negated(holds);
          }};
}

Expression ExpressionMaker::membership(int depth) {
  const Type type = random_.one_in(2) ? Type::kBigint : Type::kString;
  const Expression of = of_type(type, depth);
  std::vector<Expression> members;
  std::string list;
  for (int64_t left = random_.between(1, 4); left > 0; --left) {
    members.push_back(literal(type));
    list += (list.empty() ? "" : ", ") + members.back().sql;
  }
  const bool inside = !random_.one_in(3);
  return {fmt::format("({} {}IN ({}))", of.sql, inside ? "" : "NOT ", list), [=](const Row& row) {
            Value found = false;
            for (const Expression& member : members) found = any_of(found, equal(of.value(row), member.value(row)));
            return inside ? found : negated(found);
          }};
}

Expression ExpressionMaker::like(int depth) {
  static const std::vector<std::string> kPatterns = {"a%", "%b", "%a%", "_b%", "", "%", "__", "B_", "a_c"};
  const std::string pattern = random_.one_of(kPatterns);
  const Expression of = of_type(Type::kString, depth);
  return changed<std::string>(fmt::format("({} LIKE '{}')", of.sql, pattern), of,
                              [pattern](const std::string& text) { return matches(text, pattern); });
}

}  // namespace tidegate::queries
