#include "codec/unit_code.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/letter_case.h"
#include "codec/internal/unit_atoms.h"

namespace tidegate::codec {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "kW" or "m"; nothing if it is no atom, with or without a prefix.
std::optional<std::string> simple_unit_name(std::string_view code) {
  for (const UnitAtom& atom : unit_atoms()) {
    if (atom.code == code) return std::string(atom.name);
  }
  for (const UnitAtom& atom : unit_atoms()) {
    if (!atom.metric || !code.ends_with(atom.code)) continue;
    const std::string_view rest = code.substr(0, code.size() - atom.code.size());
    for (const UnitPrefix& prefix : unit_prefixes()) {
      if (prefix.code == rest) return fmt::format("{}{}", prefix.name, atom.name);
    }
  }
  return std::nullopt;
}

bool has_word(std::string_view name, std::string_view word) {
  while (!name.empty()) {
    const size_t end = std::min(name.find(' '), name.size());
    if (equal_ignoring_case(name.substr(0, end), word)) return true;
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return false;
}

// Atoms that differ by upper and lower case only, with and without prefixes.
std::vector<std::string> same_but_case(std::string_view word) {
  std::vector<std::string> codes;
  for (const UnitAtom& atom : unit_atoms()) {
    if (equal_ignoring_case(atom.code, word)) codes.emplace_back(atom.code);
    if (!atom.metric) continue;
    for (const UnitPrefix& prefix : unit_prefixes()) {
      std::string code = fmt::format("{}{}", prefix.code, atom.code);
      if (equal_ignoring_case(code, word)) codes.push_back(std::move(code));
    }
  }
  return codes;
}

std::vector<std::string> called(std::string_view word) {
  std::vector<std::string> codes;
  const std::string_view singular = word.ends_with('s') ? word.substr(0, word.size() - 1) : word;
  for (const UnitAtom& atom : unit_atoms()) {
    if (has_word(atom.name, word) || has_word(atom.name, singular)) codes.emplace_back(atom.code);
  }
  return codes;
}

std::vector<std::string> near(std::string_view word) {
  for (const UnitMistake& mistake : unit_mistakes()) {
    if (mistake.written == word) return {std::string(mistake.code)};
  }
  for (const UnitMistake& mistake : unit_mistakes()) {
    if (equal_ignoring_case(mistake.written, word)) return {std::string(mistake.code)};
  }
  std::vector<std::string> codes = same_but_case(word);
  if (codes.empty()) codes = called(word);
  return codes;
}

// What follows the UCUM grammar is its name; recursive by parentheses only.
class UnitParser {
 public:
  explicit UnitParser(std::string_view text) : text_(text) {}

  std::expected<std::string, BadUnit> parse() {
    std::string name;
    if (!main_term(name)) return std::unexpected(std::move(bad_));
    if (at_ < text_.size()) {
      refuse(fmt::format("'{}' cannot follow here", text_.substr(at_)), std::string(kHowTo));
      return std::unexpected(std::move(bad_));
    }
    return name;
  }

 private:
  static constexpr std::string_view kHowTo =
      "Units are multiplied with '.', divided with '/', and exponents are plain digits: 'kW.h', 'm3/h', 'm/s2'";

  bool refuse(std::string message, std::string hint) {
    bad_ = {std::move(message), std::move(hint)};
    return false;
  }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool main_term(std::string& name) {
    if (peek() == '/') {
      ++at_;
      name += "per ";
    }
    if (!component(name)) return false;
    while (peek() == '.' || peek() == '/') {
      name += text_[at_++] == '.' ? " " : " per ";
      if (!component(name)) return false;
    }
    return true;
  }

  bool component(std::string& name) {
    if (peek() == '(') return group(name);
    if (peek() == '{') return annotation(name);
    if (is_digit(peek()) && !text_.substr(at_).starts_with("10*") && !text_.substr(at_).starts_with("10^")) {
      const size_t first = at_;
      while (is_digit(peek())) ++at_;
      name += text_.substr(first, at_ - first);
      return after_factor();
    }
    if (!simple_unit(name) || !exponent(name)) return false;
    if (peek() != '{') return true;
    name += ' ';
    return annotation(name);
  }

  // "10L": a factor is multiplied as everything else.
  bool after_factor() {
    const char next = peek();
    if (next == '\0' || next == '.' || next == '/' || next == ')') return true;
    return refuse(fmt::format("'{}' cannot follow a number", text_.substr(at_)), std::string(kHowTo));
  }

  bool group(std::string& name) {
    ++at_;
    name += '(';
    if (!main_term(name)) return false;
    if (peek() != ')') return refuse("a parenthesis is not closed", std::string(kHowTo));
    ++at_;
    name += ')';
    return true;
  }

  bool annotation(std::string& name) {
    const size_t end = text_.find('}', at_);
    if (end == std::string_view::npos)
      return refuse("a brace is not closed", "Annotations are written as in '{rev}/min'");
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
    const auto printable = [](char c) { return c >= ' ' && c <= '~' && c != '{'; };
    if (inside.empty() || !std::ranges::all_of(inside, printable)) {
      return refuse("an annotation takes printable ASCII", "Annotations are written as in '{rev}/min'");
    }
    name += fmt::format("{{{}}}", inside);
    at_ = end + 1;
    return true;
  }

  // The letters, brackets included, up to an operator or a digit.
  [[nodiscard]] std::string_view word() const {
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("10*") || rest.starts_with("10^")) return rest.substr(0, 3);
    size_t end = 0;
    while (end < rest.size()) {
      if (rest[end] == '[') {
        const size_t close = rest.find(']', end);
        if (close == std::string_view::npos) return rest;
        end = close + 1;
        continue;
      }
      if (is_digit(rest[end]) || std::string_view("./(){}+-").find(rest[end]) != std::string_view::npos) break;
      ++end;
    }
    return rest.substr(0, end);
  }

  bool simple_unit(std::string& name) {
    const std::string_view code = word();
    if (code.empty()) {
      return refuse(at_ < text_.size() ? fmt::format("a unit is expected at '{}'", text_.substr(at_))
                                       : "a unit is expected at the end",
                    std::string(kHowTo));
    }
    const auto found = simple_unit_name(code);
    if (!found) return unknown(code);
    name += *found;
    at_ += code.size();
    return true;
  }

  bool unknown(std::string_view code) {
    for (const std::string_view raised : {"^", "\u00b2", "\u00b3"}) {
      if (code.find(raised) != std::string_view::npos) {
        return refuse(fmt::format("'{}' is no unit of UCUM", code), std::string(kHowTo));
      }
    }
    std::vector<std::string> meant = near(text_);
    if (meant.empty()) meant = near(code);
    constexpr size_t kMaxShown = 3;
    std::string hint;
    for (size_t at = 0; at < std::min(meant.size(), kMaxShown); ++at) {
      const auto name = UnitParser(meant[at]).parse();
      hint += fmt::format("{}'{}' ({})", hint.empty() ? "Did you mean " : " or ", meant[at], name.value_or(""));
    }
    if (!hint.empty()) {
      hint += '?';
      if (meant.front() == "Cel") hint += " 'C' is coulomb";
    } else {
      hint =
          "Units are written as UCUM has them (https://ucum.org): 'Cel', '%', 'kW.h', 'm3/h', 'bar'; what is counted "
          "stands in braces: '{rev}/min'";
    }
    return refuse(fmt::format("'{}' is no unit of UCUM", code), std::move(hint));
  }

  bool exponent(std::string& name) {
    const bool sign = peek() == '+' || peek() == '-';
    const size_t first = at_;
    size_t end = at_ + (sign ? 1 : 0);
    while (end < text_.size() && is_digit(text_[end])) ++end;
    if (end == first + (sign ? 1 : 0)) {
      return !sign || refuse(fmt::format("'{}' is no exponent", text_.substr(first)), std::string(kHowTo));
    }
    name += fmt::format("^{}", text_.substr(first, end - first));
    at_ = end;
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  BadUnit bad_;
};

}  // namespace

std::expected<std::string, BadUnit> unit_name(std::string_view code) {
  if (code.empty() || code.size() > kMaxUnitBytes) {
    return std::unexpected(
        BadUnit{fmt::format("a unit has 1 to {} characters", kMaxUnitBytes), "'1' is the unit of what has none"});
  }
  return UnitParser(code).parse();
}

}  // namespace tidegate::codec
