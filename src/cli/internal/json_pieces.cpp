#include "cli/internal/json_pieces.h"

#include <boost/json.hpp>

namespace tidegate::cli {
namespace {

std::unexpected<Error> broken() {
  return fail(ErrorCode::ProtocolViolation, "the server's answer is not JSON", "is it a Tidegate server?");
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }
  bool accept(char letter) {
    skip_blanks();
    if (!rest_.starts_with(letter)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] bool at_end() {
    skip_blanks();
    return rest_.empty();
  }
  // The text of the value that begins here; empty if there is none.
  std::string_view value() {
    skip_blanks();
    const std::string_view begin = rest_;
    size_t depth = 0;
    do {
      if (rest_.empty()) return {};
      const char letter = rest_.front();
      if (letter == '"') {
        if (!skip_text()) return {};
      } else if (letter == '[' || letter == '{') {
        ++depth;
        rest_.remove_prefix(1);
      } else if (letter == ']' || letter == '}') {
        if (depth == 0) return {};
        --depth;
        rest_.remove_prefix(1);
      } else if (depth > 0) {
        rest_.remove_prefix(1);
      } else {
        rest_.remove_prefix(std::min(rest_.find_first_of(",]} \t\r\n"), rest_.size()));
        break;
      }
    } while (depth > 0);
    return begin.substr(0, begin.size() - rest_.size());
  }

 private:
  bool skip_text() {
    for (size_t at = 1; at < rest_.size(); ++at) {
      if (rest_[at] == '\\') {
        ++at;
      } else if (rest_[at] == '"') {
        rest_.remove_prefix(at + 1);
        return true;
      }
    }
    return false;
  }

  std::string_view rest_;
};

Result<std::string> name_of(std::string_view text) {
  boost::json::error_code error;
  const boost::json::value name = boost::json::parse({text.data(), text.size()}, error);
  if (error || !name.is_string()) return broken();
  return std::string(name.get_string());
}

}  // namespace

Result<std::vector<std::string_view>> json_items(std::string_view text) {
  Scanner scanner(text);
  std::vector<std::string_view> items;
  if (!scanner.accept('[')) return broken();
  if (scanner.accept(']')) return items;
  do {
    items.push_back(scanner.value());
    if (items.back().empty()) return broken();
  } while (scanner.accept(','));
  if (!scanner.accept(']') || !scanner.at_end()) return broken();
  return items;
}

Result<std::vector<JsonMember>> json_members(std::string_view text) {
  Scanner scanner(text);
  std::vector<JsonMember> members;
  if (!scanner.accept('{')) return broken();
  if (scanner.accept('}')) return members;
  do {
    TRY_ASSIGN(std::string name, name_of(scanner.value()));
    if (!scanner.accept(':')) return broken();
    members.push_back({std::move(name), scanner.value()});
    if (members.back().value.empty()) return broken();
  } while (scanner.accept(','));
  if (!scanner.accept('}') || !scanner.at_end()) return broken();
  return members;
}

}  // namespace tidegate::cli
