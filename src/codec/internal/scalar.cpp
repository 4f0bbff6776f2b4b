#include "codec/internal/scalar.h"

#include <fmt/format.h>

#include "codec/timestamp_text.h"
#include "codec/utf8.h"

namespace tidegate::codec {

std::string describe(const Scalar& value) {
  constexpr size_t kShownBytes = 40;  // enough to recognise it
  switch (value.kind) {
    case Scalar::Kind::kNull: return "null";
    case Scalar::Kind::kBoolean: return value.flag ? "true" : "false";
    case Scalar::Kind::kInteger: return fmt::to_string(value.integer);
    case Scalar::Kind::kReal: return fmt::format("{}", value.real);
    case Scalar::Kind::kText:
    case Scalar::Kind::kWord: {
      const bool cut = value.text.size() > kShownBytes;
      return fmt::format("\"{}{}\"", valid_utf8(value.text, kShownBytes), cut ? "..." : "");
    }
    case Scalar::Kind::kBytes: {
      std::string text = "h'";
      for (const char c : value.text.substr(0, kShownBytes)) text += fmt::format("{:02x}", static_cast<uint8_t>(c));
      return text + (value.text.size() > kShownBytes ? "...'" : "'");
    }
    case Scalar::Kind::kInstant: {
      std::string text;
      append_timestamp(value.integer, columnar::TypeKind::kTimestampLtz, text);
      return text;
    }
    case Scalar::Kind::kOther: break;
  }
  return std::string(value.text);
}

}  // namespace tidegate::codec
