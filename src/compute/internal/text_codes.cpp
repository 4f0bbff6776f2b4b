// Texts and bytes as codes and back: numbers of characters, hexadecimal and binary digits, Base64, charsets, URLs.
#include <array>

#include "base/base64.h"
#include "compute/internal/charset.h"
#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"
#include "compute/internal/url.h"
#include "compute/internal/utf8.h"

namespace tidegate::compute {

namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const auto lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void ascii(Frame& frame) {
  each_valid<int32_t>(frame, [&](size_t row) {
    const std::string_view text = frame.args[0].text(row);
    return text.empty() ? int32_t{0} : int32_t{static_cast<unsigned char>(text[0])};
  });
}

// Codes above 127 are those of Latin-1, two bytes in UTF-8.
void character(Frame& frame) {
  each_text(frame, [&](size_t row) {
    const int64_t number = frame.integer(0, row);
    if (number < 0) return frame.put("");
    const auto code = static_cast<unsigned>(number & 0xFF);
    const char two[] = {static_cast<char>(0xC0U | code >> 6U), static_cast<char>(0x80U | (code & 0x3FU))};
    const char one = static_cast<char>(code);
    frame.put(code < 0x80 ? std::string_view(&one, 1) : std::string_view(two, 2));
  });
}

// Digits of a number without leading zeros, `kBits` bits each.
template <unsigned kBits>
void digits(Frame& frame) {
  std::array<char, 64> text{};
  each_text(frame, [&](size_t row) {
    auto value = static_cast<uint64_t>(frame.integer(0, row));
    size_t at = text.size();
    do {
      text[--at] = kHexDigits[value & ((1U << kBits) - 1)];
      value >>= kBits;
    } while (value != 0);
    frame.put(std::string_view(text.data() + at, text.size() - at));
  });
}

void hex_of_text(Frame& frame) {
  std::string out;
  each_text(frame, [&](size_t row) {
    out.clear();
    for (const char c : frame.args[0].text(row)) {
      out += kHexDigits[static_cast<unsigned char>(c) >> 4U];
      out += kHexDigits[static_cast<unsigned char>(c) & 0xFU];
    }
    frame.put(out);
  });
}

// Of an odd number of digits the first one is left out and a zero byte put in its place, as Flink does.
bool bytes_of_hex(std::string_view text, std::string& out) {
  if (text.size() % 2 == 1) {
    if (digit_value(text[0]) < 0) return false;
    out += '\0';
    text.remove_prefix(1);
  }
  for (size_t at = 0; at < text.size(); at += 2) {
    const int high = digit_value(text[at]);
    const int low = digit_value(text[at + 1]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high * 16 + low);
  }
  return true;
}

void unhex(Frame& frame) {
  std::string out;
  each_text(frame, [&](size_t row) {
    out.clear();
    bytes_of_hex(frame.args[0].text(row), out) ? frame.put(out) : frame.put_none();
  });
}

// `convert(row, out)` appends the result; false where there is none, which is an error of that row.
template <class Convert>
void convert_text(Frame& frame, Convert convert) {
  std::string out;
  each_text(frame, [&](size_t row) {
    out.clear();
    if (convert(row, out)) return frame.put(out);
    frame.fail(row);
    frame.put_null();
  });
}

void encode(Frame& frame) {
  convert_text(frame, [&](size_t row, std::string& out) {
    return encode_text(frame.args[0].text(row), frame.args[1].text(row), out);
  });
}

void decode(Frame& frame) {
  convert_text(frame, [&](size_t row, std::string& out) {
    return decode_text(frame.args[0].text(row), frame.args[1].text(row), out);
  });
}

void to_base64(Frame& frame) {
  std::string out;
  each_text(frame, [&](size_t row) {
    out.clear();
    encode_base64(frame.args[0].text(row), out);
    frame.put(out);
  });
}

void from_base64(Frame& frame) {
  convert_text(
      frame, [&](size_t row, std::string& out) { return decode_base64(frame.args[0].text(row), out) && is_utf8(out); });
}

void url_encode(Frame& frame) {
  std::string out;
  each_text(frame, [&](size_t row) {
    out.clear();
    encode_url(frame.args[0].text(row), out);
    frame.put(out);
  });
}

void url_decode(Frame& frame) {
  std::string out;
  each_text(frame, [&](size_t row) {
    out.clear();
    decode_url(frame.args[0].text(row), out) && is_utf8(out) ? frame.put(out) : frame.put_none();
  });
}

void parse_url(Frame& frame) {
  each_text(frame, [&](size_t row) {
    const auto url = split_url(frame.args[0].text(row));
    std::optional<std::string_view> part;
    if (url) part = url_part(*url, frame.args[1].text(row));
    if (part && frame.args.size() > 2) {
      part = frame.args[1].text(row) == "QUERY" ? url_query_value(*part, frame.args[2].text(row)) : std::nullopt;
    }
    part ? frame.put(*part) : frame.put_none();
  });
}

}  // namespace

Function text_code_function(const sql::Call& call) {
  switch (call.function) {
    case FunctionId::kAscii: return {ascii};
    case FunctionId::kChr: return {character};
    case FunctionId::kBin: return {digits<1>};
    case FunctionId::kHex: return {columnar::is_text(call.arguments[0].type) ? Kernel(hex_of_text) : digits<4>};
    case FunctionId::kUnhex: return {unhex};
    case FunctionId::kEncode: return {encode};
    case FunctionId::kDecode: return {decode};
    case FunctionId::kToBase64: return {to_base64};
    case FunctionId::kFromBase64: return {from_base64};
    case FunctionId::kUrlEncode: return {url_encode};
    case FunctionId::kUrlDecode: return {url_decode};
    default: return {parse_url};
  }
}

}  // namespace tidegate::compute
