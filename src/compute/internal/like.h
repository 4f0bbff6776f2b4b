// A compiled LIKE pattern: % any run of characters, _ one character (code point).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::compute {

class LikePattern {
 public:
  // `escape` is one character that makes a following % or _ (or itself) literal; empty for none. Nothing if the
  // escape is not one character or nothing follows it.
  [[nodiscard]] static std::optional<LikePattern> compile(std::string_view pattern, std::string_view escape);

  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  enum class Shape : uint8_t { kExact, kPrefix, kSuffix, kContains, kPrefixAndSuffix, kGeneral };
  // Between two runs of %: literal text and single-character wildcards.
  struct Piece {
    std::string text;
    std::vector<bool> any;  // by byte of `text`: here stands a _
    [[nodiscard]] bool plain() const;
  };

  void choose_shape();
  [[nodiscard]] bool matches_general(std::string_view text) const;
  // The byte after the piece when it matches at `at`; npos if it does not.
  [[nodiscard]] static size_t match_piece(const Piece& piece, std::string_view text, size_t at);

  std::vector<Piece> pieces_;  // n pieces stand around n - 1 runs of %
  Shape shape_ = Shape::kGeneral;
};

}  // namespace tidegate::compute
