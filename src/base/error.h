// What can fail returns Result<T>; an Error is written for the person who has to act on it.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tidegate {

// The numbered list in error_codes.inc.
enum class ErrorCode : uint16_t {
#define TIDEGATE_ERROR(number, name, http_status, meaning) name = number,
#include "base/error_codes.inc"
#undef TIDEGATE_ERROR
};

[[nodiscard]] std::string_view error_name(ErrorCode code);
[[nodiscard]] std::string_view error_meaning(ErrorCode code);
[[nodiscard]] int error_http_status(ErrorCode code);

// A place in a text that a person wrote (SQL, configuration); both count from 1.
struct TextPosition {
  int line = 1;
  int column = 1;
  bool operator==(const TextPosition&) const = default;
};

// What happened and where (`message`), what to do about it (`hint`, may be empty).
struct Error {
  ErrorCode code = ErrorCode::Bug;
  std::string message;
  std::string hint;
  std::optional<TextPosition> position;

  // "TG2003 unknown column 'tmp' (line 3, column 8). Did you mean 'temp'?" on one line.
  [[nodiscard]] std::string to_string() const;
  // The same with the line of `source` that the position names and a caret below it, over several lines.
  [[nodiscard]] std::string to_string_with_source(std::string_view source) const;
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string hint = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(hint), std::nullopt});
}

[[nodiscard]] inline std::unexpected<Error> fail_at(ErrorCode code, TextPosition position, std::string message,
                                                    std::string hint = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(hint), position});
}

[[nodiscard]] inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

}  // namespace tidegate

#define TIDEGATE_CONCAT_INNER(a, b) a##b
#define TIDEGATE_CONCAT(a, b) TIDEGATE_CONCAT_INNER(a, b)

// TRY(expr): returns expr's error from the enclosing function, if it has one.
#define TRY(expr)                                            \
  do {                                                       \
    if (auto try_result = (expr); !try_result) [[unlikely]]  \
      return std::unexpected(std::move(try_result.error())); \
  } while (false)

// TRY_ASSIGN(auto x, expr): the same, and x is expr's value.
#define TRY_ASSIGN(target, expr) TRY_ASSIGN_INNER(TIDEGATE_CONCAT(try_assign_, __LINE__), target, expr)
#define TRY_ASSIGN_INNER(name, target, expr)         \
  auto name = (expr);                                \
  if (!name) [[unlikely]]                            \
    return std::unexpected(std::move(name.error())); \
  target = std::move(*name)
