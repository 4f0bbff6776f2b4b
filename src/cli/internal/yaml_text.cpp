#include "cli/internal/yaml_text.h"

#include <algorithm>
#include <boost/json.hpp>
#include <string_view>

#include "base/letter_case.h"
#include "cli/internal/output.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

// Letters first, so that it is no number, date or sign; and none of the words that YAML 1.1 or 1.2 reads as something.
bool is_plain(std::string_view text) {
  static constexpr std::string_view kWords[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || !letter(text.front())) return false;
  const bool simple = std::ranges::all_of(text, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
  });
  return simple && std::ranges::find(kWords, to_lower(text)) == std::end(kWords);
}

// A text of lines that a block shows as they are (YAML 1.2.2, section 8.1).
bool fits_block(std::string_view text) {
  return text.find('\n') != std::string_view::npos && text.front() != ' ' && text.front() != '\n' &&
         std::ranges::none_of(text, [](char c) {
           return (static_cast<uint8_t>(c) < 0x20 && c != '\n') || static_cast<uint8_t>(c) >= 0x7f;
         });
}

std::string quoted(std::string_view text) { return json::serialize(json::string_view(text.data(), text.size())); }

void append_scalar(const json::value& value, size_t indent, std::string& out) {
  if (!value.is_string()) {
    out += value.is_object() ? "{}" : value.is_array() ? "[]" : json_text(value);
    return;
  }
  const std::string_view text(value.get_string().data(), value.get_string().size());
  if (fits_block(text)) {
    // "-" keeps no line break at the end, "+" all of them.
    out += text.ends_with('\n') ? "|+" : "|-";
    size_t start = 0;
    const std::string_view lines = text.ends_with('\n') ? text.substr(0, text.size() - 1) : text;
    while (start <= lines.size()) {
      const size_t end = std::min(lines.find('\n', start), lines.size());
      out += '\n';
      if (end > start) out.append(indent, ' ').append(lines.substr(start, end - start));
      start = end + 1;
    }
    return;
  }
  out += is_plain(text) ? std::string(text) : quoted(text);
}

bool is_block(const json::value& value) {
  return (value.is_object() && !value.get_object().empty()) || (value.is_array() && !value.get_array().empty());
}

// The parser of the server's answers limits the depth (32).
void append_block(const json::value& value, size_t indent, std::string& out) {
  constexpr size_t kStep = 2;
  bool first = true;
  const auto begin_line = [&] {
    if (!std::exchange(first, false)) out.append(indent, ' ');
  };
  if (value.is_array()) {
    for (const json::value& item : value.get_array()) {
      begin_line();
      out += "- ";
      if (is_block(item)) {
        append_block(item, indent + kStep, out);
        continue;
      }
      append_scalar(item, indent + kStep, out);
      out += '\n';
    }
    return;
  }
  for (const auto& [name, member] : value.get_object()) {
    begin_line();
    out += is_plain(name) ? std::string(name) : quoted(name);
    out += ':';
    if (is_block(member)) {
      out += '\n';
      out.append(indent + kStep, ' ');
      append_block(member, indent + kStep, out);
      continue;
    }
    out += ' ';
    append_scalar(member, indent + kStep, out);
    out += '\n';
  }
}

}  // namespace

std::string yaml_text(const json::value& value) {
  std::string out;
  if (is_block(value)) {
    append_block(value, 0, out);
  } else {
    append_scalar(value, 2, out);
    out += '\n';
  }
  return out;
}

}  // namespace tidegate::cli
