#include "sql/internal/lexer.h"

#include <fmt/format.h>

#include "sql/sql.h"

namespace tidegate::sql {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v'; }
bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_word_start(c) || is_digit(c) || c == '$'; }
bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

class Lexer {
 public:
  Lexer(std::string_view source, TextPosition start) : source_(source), position_(start) {}

  Result<std::vector<Token>> run() {
    std::vector<Token> tokens;
    while (true) {
      TRY(skip_blanks());
      const size_t begin = at_;
      const TextPosition position = position_;
      if (at_ == source_.size()) {
        tokens.push_back({TokenKind::kEnd, {}, begin, position});
        return tokens;
      }
      TRY_ASSIGN(const TokenKind kind, token());
      tokens.push_back({kind, source_.substr(begin, at_ - begin), begin, position});
    }
  }

 private:
  [[nodiscard]] char peek(size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }

  void advance() {
    const char c = source_[at_++];
    if (c == '\n') {
      ++position_.line;
      position_.column = 1;
    } else if (!is_continuation(c)) {
      ++position_.column;
    }
  }

  Result<> skip_blanks() {
    while (at_ < source_.size()) {
      if (is_space(peek())) {
        advance();
      } else if (peek() == '-' && peek(1) == '-') {
        while (at_ < source_.size() && peek() != '\n') advance();
      } else if (peek() == '/' && peek(1) == '*') {
        TRY(skip_block_comment());
      } else {
        return {};
      }
    }
    return {};
  }

  Result<> skip_block_comment() {
    const TextPosition start = position_;
    advance();
    advance();
    while (at_ < source_.size()) {
      if (peek() == '*' && peek(1) == '/') {
        advance();
        advance();
        return {};
      }
      advance();
    }
    return fail_at(ErrorCode::SqlSyntax, start, "the comment has no end", "Close it with */");
  }

  Result<TokenKind> token() {
    const char c = peek();
    if (is_word_start(c)) {
      while (is_word(peek())) advance();
      return TokenKind::kWord;
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (c == '\'') return quoted('\'', TokenKind::kString, "the string has no closing quote");
    if (c == '`') return quoted('`', TokenKind::kQuotedWord, "the name has no closing backtick");
    return symbol();
  }

  Result<TokenKind> number() {
    const TextPosition start = position_;
    TokenKind kind = TokenKind::kInteger;
    while (is_digit(peek())) advance();
    if (peek() == '.') {
      kind = TokenKind::kDecimal;
      advance();
      while (is_digit(peek())) advance();
    }
    const bool signed_exponent = (peek(1) == '+' || peek(1) == '-') && is_digit(peek(2));
    if ((peek() == 'e' || peek() == 'E') && (is_digit(peek(1)) || signed_exponent)) {
      kind = TokenKind::kDecimal;
      advance();
      advance();
      while (is_digit(peek())) advance();
    }
    if (is_word(peek())) {
      return fail_at(ErrorCode::SqlSyntax, start, "a name cannot start with a digit",
                     "Put the name in `backticks`, or a space after the number");
    }
    return kind;
  }

  Result<TokenKind> quoted(char quote, TokenKind kind, const char* unterminated) {
    const TextPosition start = position_;
    advance();
    while (at_ < source_.size()) {
      const bool closes = peek() == quote;
      if (closes && peek(1) != quote) {
        advance();
        return kind;
      }
      if (closes) advance();
      advance();
    }
    return fail_at(ErrorCode::SqlSyntax, start, unterminated,
                   quote == '\'' ? "Write a quote inside a string twice: ''" : "");
  }

  Result<TokenKind> symbol() {
    constexpr std::string_view kTwo[] = {"<>", "!=", "<=", ">=", "||", "=>"};
    for (const std::string_view two : kTwo) {
      if (source_.substr(at_, 2) != two) continue;
      advance();
      advance();
      return TokenKind::kSymbol;
    }
    const char c = peek();
    constexpr std::string_view kOne = "()[],;.*+-/%=<>";
    if (c != '\0' && kOne.find(c) != std::string_view::npos) {
      advance();
      return TokenKind::kSymbol;
    }
    if (c == '"') {
      return fail_at(ErrorCode::SqlSyntax, position_, "double quotes have no meaning here",
                     "Use 'single quotes' for text and `backticks` for names");
    }
    const bool printable = c > ' ' && c < '\x7f';
    return fail_at(ErrorCode::SqlSyntax, position_,
                   printable ? fmt::format("unexpected character '{}'", c)
                             : fmt::format("unexpected byte 0x{:02x}", static_cast<unsigned char>(c)),
                   "Names with other characters than letters, digits and _ go in `backticks`");
  }

  std::string_view source_;
  size_t at_ = 0;
  TextPosition position_;
};

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view source, TextPosition start) {
  if (source.size() > kMaxTextBytes) {
    return fail_at(ErrorCode::SqlTooComplex, start, fmt::format("the text is longer than {} bytes", kMaxTextBytes),
                   "Split it into several files");
  }
  return Lexer(source, start).run();
}

std::string unquote(std::string_view quoted) {
  std::string out;
  if (quoted.size() < 2) return out;
  const char quote = quoted[0];
  const std::string_view inside = quoted.substr(1, quoted.size() - 2);
  for (size_t at = 0; at < inside.size(); ++at) {
    out += inside[at];
    if (inside[at] == quote) ++at;
  }
  return out;
}

}  // namespace tidegate::sql
