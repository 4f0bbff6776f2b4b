#include "sql/regular_expression.h"

#include <re2/re2.h>

namespace tidegate::sql {

std::shared_ptr<const re2::RE2> compile_regex(std::string_view pattern, std::string& problem) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxRegexBytes);
  auto compiled = std::make_shared<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (compiled->ok()) return compiled;
  problem = compiled->error();
  return nullptr;
}

std::string similar_to_regex(std::string_view pattern) {
  std::string out = "(?s)^(?:";
  for (const char c : pattern) {
    if (c == '%') {
      out += ".*";
    } else if (c == '_') {
      out += '.';
    } else if (c == '.' || c == '$' || c == '\\') {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out + ")$";
}

}  // namespace tidegate::sql
