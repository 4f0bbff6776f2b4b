// Text to tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tidegate::sql {

enum class TokenKind : uint8_t { kWord, kQuotedWord, kString, kInteger, kDecimal, kSymbol, kEnd };

// `text` points into the source; quoted words and strings keep their quotes (see unquote()).
struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;
  size_t offset = 0;  // byte in the source
  TextPosition position;
};

// All tokens, the last one kEnd. Columns count characters (code points). SqlSyntax for what is no token and for
// unterminated quotes and comments; SqlTooComplex above kMaxTextBytes. `source` must outlive the tokens.
[[nodiscard]] Result<std::vector<Token>> tokenize(std::string_view source, TextPosition start);

// What the quotes of a kQuotedWord or kString enclose, with doubled quotes made single.
[[nodiscard]] std::string unquote(std::string_view quoted);

}  // namespace tidegate::sql
