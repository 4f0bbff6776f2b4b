// CborReader: data items of CBOR (RFC 8949) one after the other, as Documents.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "codec/internal/document.h"

namespace tidegate::codec {

inline constexpr int kMaxCborDepth = 64;

// Keys of maps are texts, or integers in decimal ("-2"); byte strings are bytes (base64url without padding where text
// is wanted, RFC 8949 section 6.1); tag 0 is a text, tag 1 an instant, bignums, decimal fractions and bigfloats are
// numbers, other tags are passed over; undefined is null. One thread; reads in place.
class CborReader {
 public:
  explicit CborReader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool done() const { return at_ == bytes_.size(); }
  [[nodiscard]] size_t position() const { return at_; }
  // Steps into the array that comes next, if one does, so that its elements can be read one by one: their number, or
  // kIndefinite until take_break().
  static constexpr uint64_t kIndefinite = UINT64_MAX;
  [[nodiscard]] std::expected<std::optional<uint64_t>, std::string> enter_array();
  // Takes the end of an array of indefinite length, if it is next.
  [[nodiscard]] bool take_break();

  // Adds the next item below `parent`. What is wrong otherwise, and where; the rest of the bytes cannot be read then.
  [[nodiscard]] std::expected<void, std::string> read(Document& document, Document::Node parent = Document::kNone);

 private:
  struct Head {
    uint8_t major = 0;
    uint8_t info = 0;  // 31: indefinite, or break
    uint64_t argument = 0;
  };
  using Outcome = std::expected<void, std::string>;

  [[nodiscard]] std::unexpected<std::string> fail(std::string_view problem) const;
  [[nodiscard]] std::expected<Head, std::string> head();
  Outcome item(Document& document, Document::Node parent, std::string_view key, int depth);
  Outcome array(Document& document, Document::Node node, const Head& head, int depth);
  Outcome map(Document& document, Document::Node node, const Head& head, int depth);
  Outcome tagged(Document& document, Document::Node parent, std::string_view key, uint64_t tag, int depth);
  Outcome fraction(Document& document, Document::Node parent, std::string_view key, double base);
  [[nodiscard]] std::expected<std::string_view, std::string> string(Document& document, const Head& head);
  [[nodiscard]] std::expected<std::string_view, std::string> key(Document& document);
  [[nodiscard]] std::expected<Scalar, std::string> simple(const Head& head);
  [[nodiscard]] std::expected<double, std::string> plain_number();
  Outcome put(Document& document, Document::Node parent, std::string_view key, const Scalar& value);

  std::string_view bytes_;
  size_t at_ = 0;
};

// Bytes for people: hexadecimal, cut when there are many.
[[nodiscard]] std::string hex_text(std::string_view bytes);

}  // namespace tidegate::codec
