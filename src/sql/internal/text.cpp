#include "sql/internal/text.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace tidegate::sql {

namespace {

constexpr size_t kMaxSuggestionLength = 64;  // longer names are not typing mistakes of one another

// Sorted, for binary search.
constexpr std::string_view kReserved[] = {
    "ALL",      "AND",  "AS",   "BETWEEN", "BY",     "CASE",      "CAST",   "CREATE",  "CROSS",
    "DISTINCT", "DROP", "ELSE", "END",     "ESCAPE", "EXCEPT",    "EXISTS", "EXTRACT", "FALSE",
    "FOR",      "FROM", "FULL", "GROUP",   "HAVING", "IN",        "INNER",  "INSERT",  "INTERSECT",
    "INTERVAL", "INTO", "IS",   "JOIN",    "LEFT",   "LIKE",      "LIMIT",  "NATURAL", "NOT",
    "NULL",     "ON",   "OR",   "ORDER",   "OVER",   "PARTITION", "RIGHT",  "SELECT",  "TABLE",
    "THEN",     "TO",   "TRUE", "UNION",   "VALUES", "WHEN",      "WHERE",  "WITH"};

// Insertions, deletions, substitutions and swaps of neighbours (Damerau's optimal string alignment).
size_t edit_distance(std::string_view a, std::string_view b) {
  const auto same = [&](size_t i, size_t j) { return to_lower(a[i - 1]) == to_lower(b[j - 1]); };
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> above(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before.swap(above);
    above.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same(i, j) ? 0 : 1)});
      if (i > 1 && j > 1 && same(i, j - 1) && same(i - 1, j)) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

bool is_reserved(std::string_view word) {
  static_assert(std::ranges::is_sorted(kReserved));
  return std::ranges::binary_search(kReserved, std::string_view(to_upper(word)));
}

std::string quote_identifier(std::string_view name) {
  const auto plain = [](char c) {
    return (to_lower(c) >= 'a' && to_lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  const bool starts_well = !name.empty() && (name[0] < '0' || name[0] > '9');
  if (starts_well && std::ranges::all_of(name, plain) && !is_reserved(name)) return std::string(name);
  std::string out = "`";
  for (const char c : name) {
    if (c == '`') out += '`';
    out += c;
  }
  return out + "`";
}

std::string quote_string(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  if (word.size() > kMaxSuggestionLength) return {};
  const std::string* best = nullptr;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kMaxSuggestionLength) continue;
    const size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = &candidate;
      best_distance = distance;
    }
  }
  return best == nullptr ? std::string() : "Did you mean '" + *best + "'?";
}

std::string hashed_name(const columnar::Type& type) {
  std::string name = fmt::format("{}", static_cast<int>(type.kind));
  const bool simple = !type.is_nested() && type.kind != columnar::TypeKind::kDecimal;
  return simple ? name : name + columnar::type_name(type);
}

uint64_t stable_hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3U;
  return hash;
}

}  // namespace tidegate::sql
