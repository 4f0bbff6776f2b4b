#include "sql/json_path.h"

#include <charconv>

namespace tidegate::sql {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
// Anything but what separates steps or starts a form that is not supported; so names in any language need no quotes.
bool is_name(char c) {
  constexpr std::string_view kOthers = ".[]'\"()*?@$,:;+/%<>=!&|\\";
  return static_cast<unsigned char>(c) > ' ' && kOthers.find(c) == std::string_view::npos;
}

class PathReader {
 public:
  explicit PathReader(std::string_view text) : text_(text) {}

  std::optional<JsonPath> run() {
    JsonPath path;
    skip_blanks();
    path.strict = take_word("strict");
    if (!path.strict) take_word("lax");
    skip_blanks();
    if (!take('$')) return std::nullopt;
    for (skip_blanks(); !text_.empty(); skip_blanks()) {
      auto step = read_step();
      if (!step || path.steps.size() == kMaxJsonPathSteps) return std::nullopt;
      path.steps.push_back(std::move(*step));
    }
    return path;
  }

 private:
  std::optional<JsonPath::Step> read_step() {
    if (take('.')) {
      if (!text_.empty() && text_[0] == '"') return read_quoted();
      return read_name();
    }
    if (!take('[')) return std::nullopt;
    skip_blanks();
    if (text_.empty()) return std::nullopt;
    const bool quoted = text_[0] == '\'' || text_[0] == '"';
    auto step = quoted ? read_quoted() : read_index();
    skip_blanks();
    if (!take(']')) return std::nullopt;
    return step;
  }

  std::optional<JsonPath::Step> read_name() {
    size_t size = 0;
    while (size < text_.size() && is_name(text_[size])) ++size;
    if (size == 0) return std::nullopt;
    return JsonPath::Step(std::string(consume(size)));
  }

  std::optional<JsonPath::Step> read_quoted() {
    const char quote = text_[0];
    const size_t end = text_.find(quote, 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view quoted = consume(end + 1);
    return JsonPath::Step(std::string(quoted.substr(1, end - 1)));
  }

  std::optional<JsonPath::Step> read_index() {
    uint32_t index = 0;
    const auto [end, problem] = std::from_chars(text_.data(), text_.data() + text_.size(), index);
    if (problem != std::errc()) return std::nullopt;
    consume(static_cast<size_t>(end - text_.data()));
    return JsonPath::Step(size_t{index});
  }

  std::string_view consume(size_t size) {
    const std::string_view taken = text_.substr(0, size);
    text_.remove_prefix(size);
    return taken;
  }
  bool take(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take_word(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    if (text_.size() > word.size() && !is_blank(text_[word.size()]) && text_[word.size()] != '$') return false;
    consume(word.size());
    return true;
  }
  void skip_blanks() {
    while (!text_.empty() && is_blank(text_[0])) text_.remove_prefix(1);
  }

  std::string_view text_;
};

}  // namespace

std::optional<JsonPath> parse_json_path(std::string_view text) { return PathReader(text).run(); }

}  // namespace tidegate::sql
