#include "codec/internal/cbor_reader.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "columnar/decimal.h"

namespace tidegate::codec {

using Node = Document::Node;

namespace {

constexpr uint8_t kIndefiniteInfo = 31;
constexpr size_t kMaxExactBytes = 15;                       // of a bignum that fits a 128-bit number
constexpr double kExactIntegers = 9'007'199'254'740'992.0;  // 2^53: every integer below is a double
// The major types of RFC 8949 section 3.1.
enum Major : uint8_t {
  kUnsigned = 0,
  kNegative = 1,
  kBytes = 2,
  kText = 3,
  kArray = 4,
  kMap = 5,
  kTag = 6,
  kSimple = 7
};

Scalar unsigned_number(uint64_t value) {
  if (value <= static_cast<uint64_t>(INT64_MAX)) return Scalar::of(static_cast<int64_t>(value));
  return Scalar::of(static_cast<double>(value));
}

Scalar negative_number(uint64_t argument) {
  if (argument <= static_cast<uint64_t>(INT64_MAX)) return Scalar::of(-1 - static_cast<int64_t>(argument));
  return Scalar::of(-1.0 - static_cast<double>(argument));
}

// RFC 8949 appendix D.
double half_float(uint16_t half) {
  const int exponent = (half >> 10) & 0x1F;
  const int mantissa = half & 0x3FF;
  double value = 0;
  if (exponent == 0) {
    value = std::ldexp(mantissa, -24);
  } else if (exponent != 31) {
    value = std::ldexp(mantissa + 1024, exponent - 25);
  } else {
    value = mantissa == 0 ? INFINITY : NAN;
  }
  return (half & 0x8000) != 0 ? -value : value;
}

}  // namespace

std::string hex_text(std::string_view bytes) {
  constexpr size_t kShownBytes = 1024;
  std::string out = "hex:";
  for (const char c : bytes.substr(0, kShownBytes)) out += fmt::format("{:02x}", static_cast<uint8_t>(c));
  if (bytes.size() > kShownBytes) out += fmt::format("... ({} bytes)", bytes.size());
  return out;
}

std::unexpected<std::string> CborReader::fail(std::string_view problem) const {
  return std::unexpected(fmt::format("not valid CBOR: {} at byte {}", problem, at_));
}

std::expected<CborReader::Head, std::string> CborReader::head() {
  if (done()) return fail("the payload ends");
  const auto first = static_cast<uint8_t>(bytes_[at_]);
  Head head{static_cast<uint8_t>(first >> 5), static_cast<uint8_t>(first & 0x1F), 0};
  size_t more = 0;
  if (head.info < 24) {
    head.argument = head.info;
  } else if (head.info < 28) {
    more = size_t{1} << (head.info - 24);
  } else if (head.info != kIndefiniteInfo) {
    return fail("a reserved length");
  }
  if (bytes_.size() - at_ - 1 < more) return fail("the payload ends");
  for (size_t byte = 0; byte < more; ++byte)
    head.argument = head.argument << 8 | static_cast<uint8_t>(bytes_[at_ + 1 + byte]);
  const bool indefinite = head.info == kIndefiniteInfo;
  if (indefinite && (head.major == kUnsigned || head.major == kNegative || head.major == kTag)) {
    return fail("an indefinite length where there is none");
  }
  at_ += 1 + more;
  return head;
}

bool CborReader::take_break() {
  if (done() || static_cast<uint8_t>(bytes_[at_]) != 0xFF) return false;
  ++at_;
  return true;
}

std::expected<std::optional<uint64_t>, std::string> CborReader::enter_array() {
  if (done() || static_cast<uint8_t>(bytes_[at_]) >> 5 != kArray) return std::nullopt;
  const auto array = head();
  if (!array) return std::unexpected(array.error());
  return array->info == kIndefiniteInfo ? kIndefinite : array->argument;
}

CborReader::Outcome CborReader::read(Document& document, Node parent) { return item(document, parent, {}, 1); }

CborReader::Outcome CborReader::put(Document& document, Node parent, std::string_view key, const Scalar& value) {
  if (document.add(parent, key, value) == Document::kNone) return fail("more values than a message may have");
  return {};
}

// Recursion is bounded by kMaxCborDepth.
CborReader::Outcome CborReader::item(Document& document, Node parent, std::string_view key, int depth) {
  if (depth > kMaxCborDepth) return fail("nested too deeply");
  const auto head = this->head();
  if (!head) return std::unexpected(head.error());
  switch (head->major) {
    case kUnsigned: return put(document, parent, key, unsigned_number(head->argument));
    case kNegative: return put(document, parent, key, negative_number(head->argument));
    case kBytes:
    case kText: {
      const auto text = string(document, *head);
      if (!text) return std::unexpected(text.error());
      const bool bytes = head->major == kBytes;
      return put(document, parent, key, bytes ? Scalar::bytes(*text) : Scalar::of(*text));
    }
    case kArray:
    case kMap: {
      const bool array_next = head->major == kArray;
      const Node node = document.add(parent, key, array_next ? Document::Shape::kArray : Document::Shape::kObject);
      if (node == Document::kNone) return fail("more values than a message may have");
      return array_next ? array(document, node, *head, depth) : map(document, node, *head, depth);
    }
    case kTag: return tagged(document, parent, key, head->argument, depth);
    default: break;
  }
  const auto value = simple(*head);
  if (!value) return std::unexpected(value.error());
  return put(document, parent, key, *value);
}

CborReader::Outcome CborReader::array(Document& document, Node node, const Head& head, int depth) {
  const bool indefinite = head.info == kIndefiniteInfo;
  for (uint64_t left = head.argument; indefinite || left > 0; --left) {
    if (indefinite && take_break()) return {};
    if (auto outcome = item(document, node, {}, depth + 1); !outcome) return outcome;
  }
  return {};
}

CborReader::Outcome CborReader::map(Document& document, Node node, const Head& head, int depth) {
  const bool indefinite = head.info == kIndefiniteInfo;
  for (uint64_t left = head.argument; indefinite || left > 0; --left) {
    if (indefinite && take_break()) return {};
    const auto name = key(document);
    if (!name) return std::unexpected(name.error());
    if (auto outcome = item(document, node, *name, depth + 1); !outcome) return outcome;
  }
  return {};
}

std::expected<std::string_view, std::string> CborReader::key(Document& document) {
  const auto head = this->head();
  if (!head) return std::unexpected(head.error());
  if (head->major == kText) return string(document, *head);
  if (head->major == kUnsigned) return document.keep(fmt::to_string(head->argument));
  if (head->major == kNegative && head->argument <= static_cast<uint64_t>(INT64_MAX)) {
    return document.keep(fmt::to_string(-1 - static_cast<int64_t>(head->argument)));
  }
  return fail("a key that is neither text nor integer");
}

std::expected<std::string_view, std::string> CborReader::string(Document& document, const Head& head) {
  if (head.info != kIndefiniteInfo) {
    if (bytes_.size() - at_ < head.argument) return fail("a string goes past the end");
    const std::string_view text = bytes_.substr(at_, head.argument);
    at_ += head.argument;
    return text;
  }
  std::string all;
  while (!take_break()) {
    const auto chunk = this->head();
    if (!chunk) return std::unexpected(chunk.error());
    if (chunk->major != head.major || chunk->info == kIndefiniteInfo)
      return fail("a chunk of another type in a string");
    const auto text = string(document, *chunk);
    if (!text) return text;
    all += *text;
  }
  return document.keep(std::move(all));
}

std::expected<Scalar, std::string> CborReader::simple(const Head& head) {
  switch (head.info) {
    case 20: return Scalar::boolean(false);
    case 21: return Scalar::boolean(true);
    case 22:
    case 23: return Scalar{};
    case 25: return Scalar::of(half_float(static_cast<uint16_t>(head.argument)));
    case 26: return Scalar::of(static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(head.argument))));
    case 27: return Scalar::of(std::bit_cast<double>(head.argument));
    case kIndefiniteInfo: return fail("a break where no item ends");
    default: return Scalar::other("a simple value without a meaning");
  }
}

// Tags of RFC 8949 section 3.4.
CborReader::Outcome CborReader::tagged(Document& document, Node parent, std::string_view key, uint64_t tag, int depth) {
  if (tag == 4 || tag == 5) return fraction(document, parent, key, tag == 4 ? 10.0 : 2.0);
  if (tag != 1 && tag != 2 && tag != 3) return item(document, parent, key, depth + 1);
  if (tag == 1) {
    const auto seconds = plain_number();
    if (!seconds) return std::unexpected(seconds.error());
    const double time_us = std::round(*seconds * 1e6);
    const bool fits = std::abs(time_us) < 9e18;
    return put(document, parent, key, fits ? Scalar::instant(static_cast<int64_t>(time_us)) : Scalar::of(*seconds));
  }
  const auto head = this->head();
  if (!head) return std::unexpected(head.error());
  if (head->major != kBytes) return fail("a bignum that is no byte string");
  const auto bytes = string(document, *head);
  if (!bytes) return std::unexpected(bytes.error());
  double value = 0;
  columnar::Int128 exact = 0;
  for (const char c : *bytes) {
    value = value * 256 + static_cast<uint8_t>(c);
    if (bytes->size() <= kMaxExactBytes) exact = exact * 256 + static_cast<uint8_t>(c);
  }
  std::string written;
  if (bytes->size() <= kMaxExactBytes) columnar::append_decimal({tag == 2 ? exact : -1 - exact}, 0, written);
  const std::string_view kept = written.empty() ? std::string_view() : document.keep(std::move(written));
  return put(document, parent, key, Scalar::of(tag == 2 ? value : -1 - value, kept));
}

std::expected<double, std::string> CborReader::plain_number() {
  const auto head = this->head();
  if (!head) return std::unexpected(head.error());
  if (head->major == kUnsigned) return static_cast<double>(head->argument);
  if (head->major == kNegative) return -1.0 - static_cast<double>(head->argument);
  if (head->major != kSimple) return fail("a number expected behind its tag");
  const auto value = simple(*head);
  if (!value) return std::unexpected(value.error());
  if (value->kind != Scalar::Kind::kReal) return fail("a number expected behind its tag");
  return value->real;
}

// [exponent, mantissa]
CborReader::Outcome CborReader::fraction(Document& document, Node parent, std::string_view key, double base) {
  const auto head = this->head();
  if (!head) return std::unexpected(head.error());
  if (head->major != kArray || head->info == kIndefiniteInfo || head->argument != 2) {
    return fail("a fraction that is no array of two");
  }
  const auto exponent = plain_number();
  if (!exponent) return std::unexpected(exponent.error());
  const auto mantissa = plain_number();
  if (!mantissa) return std::unexpected(mantissa.error());
  // Divided rather than multiplied by a power that is rounded itself: 27315 of [-2, 27315] becomes 273.15.
  const double power = std::pow(base, std::abs(*exponent));
  const double value = *exponent < 0 ? *mantissa / power : *mantissa * power;
  const bool exact = base == 10 && std::abs(*mantissa) < kExactIntegers && std::abs(*exponent) < kExactIntegers;
  const std::string_view written =
      exact ? document.keep(fmt::format("{:.0f}e{:.0f}", *mantissa, *exponent)) : std::string_view();
  return put(document, parent, key, Scalar::of(value, written));
}

}  // namespace tidegate::codec
