#include <doctest/doctest.h>

#include "compute/internal/testing.h"

namespace tidegate::compute::testing {

namespace {
const Literal kNull;
Literal str(const char* value) { return std::string(value); }
}  // namespace

TEST_CASE("parts of texts count characters") {
  using enum FunctionId;
  check_cases({
      {kLeft, kText, {text("Zürich"), integer(2)}, str("Zü")},
      {kLeft, kText, {text("Zürich"), integer(100)}, str("Zürich")},
      {kLeft, kText, {text("Zürich"), integer(0)}, str("")},
      {kLeft, kText, {text("Zürich"), integer(-1)}, str("")},
      {kRight, kText, {text("Zürich"), integer(5)}, str("ürich")},
      {kRight, kText, {text("Zürich"), integer(7)}, str("Zürich")},
      {kRight, kText, {text("Zürich"), integer(-2)}, str("")},
      {kRight, kText, {null(kText), integer(2)}, kNull},
      {kReverse, kText, {text("aü😀")}, str("😀üa")},
      {kReverse, kText, {text("")}, str("")},
      {kInitCap, kText, {text("hALL 2b-ost übEr")}, str("Hall 2b-Ost über")},
      {kRepeat, kText, {text("ab"), integer(2)}, str("abab")},
      {kRepeat, kText, {text("ab"), integer(-2)}, str("")},
      {kRepeat, kText, {text(""), integer(2'000'000'000)}, str("")},
      {kRepeat, kText, {text("ab"), integer(2'000'000'000)}, kNull, true},
      {kSplitIndex, kText, {text("a,b,,c"), text(","), integer(2)}, str("")},
      {kSplitIndex, kText, {text("a,b,,c"), text(","), integer(3)}, str("c")},
      {kSplitIndex, kText, {text("a,b,,c"), text(","), integer(4)}, kNull},
      {kSplitIndex, kText, {text("a,b"), text(","), integer(-1)}, kNull},
      {kSplitIndex, kText, {text(""), text(","), integer(0)}, kNull},
      {kSplitIndex, kText, {text("a->b->c"), text("->"), integer(1)}, str("b")},
      {kSplitIndex, kText, {text("a b\tc"), text(""), integer(2)}, str("c")},
      {kSplitIndex, kText, {text("a b"), text(""), integer(2)}, kNull},
  });
}

TEST_CASE("texts are padded and put together") {
  using enum FunctionId;
  check_cases({
      {kLpad, kText, {text("7"), integer(3), text("0")}, str("007")},
      {kLpad, kText, {text("7"), integer(6), text("äb")}, str("äbäbä7")},
      {kLpad, kText, {text("abc"), integer(2), text("0")}, str("ab")},
      {kLpad, kText, {text("abc"), integer(0), text("0")}, str("")},
      {kLpad, kText, {text("abc"), integer(-1), text("0")}, kNull},
      {kLpad, kText, {text("abc"), integer(2), text("")}, kNull},
      {kLpad, kText, {text("abc"), integer(2'000'000'000), text("xy")}, kNull, true},
      {kRpad, kText, {text("é"), integer(4), text("xy")}, str("éxyx")},
      {kRpad, kText, {text("é"), integer(1), text("xy")}, str("é")},
      {kTranslate, kText, {text("aübüc"), text("üb"), text("uß")}, str("außuc")},
      {kTranslate, kText, {text("1.234,5"), text(",."), text(".")}, str("1234.5")},
      {kTranslate, kText, {text("abc"), text(""), text("x")}, str("abc")},
      {kTranslate, kText, {text("aa"), text("aa"), text("xy")}, str("xx")},
      {kOverlay, kText, {text("xxxxxtest"), text("xxxx"), integer(6)}, str("xxxxxxxxx")},
      {kOverlay, kText, {text("xxxxxtest"), text("xxxx"), integer(6), integer(2)}, str("xxxxxxxxxst")},
      {kOverlay, kText, {text("äöü"), text("X"), integer(2)}, str("äXü")},
      {kOverlay, kText, {text("abc"), text("X"), integer(0)}, str("abc")},
      {kOverlay, kText, {text("abc"), text("X"), integer(4)}, str("abc")},
      {kOverlay, kText, {text("abc"), text("X"), integer(2), integer(0)}, str("aXbc")},
      {kOverlay, kText, {text("abc"), text("X"), integer(2), integer(99)}, str("aX")},
  });
}

TEST_CASE("CONCAT_WS leaves out what is NULL, ELT looks at what it chose only") {
  using enum FunctionId;
  const auto evaluated = [](FunctionId id, std::vector<Expression> arguments) {
    const Batch batch{nullptr, {}, {}, 1};
    return value_at(*compile(call(id, kText, std::move(arguments)))->evaluate(batch), 0);
  };
  const auto list = [](auto... typed) {
    std::vector<Expression> arguments;
    (arguments.push_back(literal(typed)), ...);
    return arguments;
  };
  CHECK(evaluated(kConcatWs, list(text("~"), text("AA"), null(kText), text("BB"), text(""), text("CC"))) ==
        str("AA~BB~~CC"));
  CHECK(evaluated(kConcatWs, list(text("~"), null(kText))) == str(""));
  CHECK(evaluated(kConcatWs, list(null(kText), text("a"))) == kNull);
  CHECK(evaluated(kElt, list(integer(2), null(kText), text("b"))) == str("b"));
  CHECK(evaluated(kElt, list(integer(1), null(kText), text("b"))) == kNull);
  CHECK(evaluated(kElt, list(integer(3), text("a"), text("b"))) == kNull);
  CHECK(evaluated(kElt, list(integer(0), text("a"))) == kNull);
  CHECK(evaluated(kElt, list(null(kInt), text("a"))) == kNull);
}

TEST_CASE("trimming and searching") {
  using enum FunctionId;
  check_cases({
      {kBtrim, kText, {text("  a b  ")}, str("a b")},
      {kBtrim, kText, {text("xüaüx"), text("üx")}, str("a")},
      {kBtrim, kText, {text("xüx"), text("xü")}, str("")},
      {kBtrim, kText, {text("  a "), text("")}, str("  a ")},
      {kLtrim, kText, {text(" a ")}, str("a ")},
      {kRtrim, kText, {text(" a ")}, str(" a")},
      {kRtrim, kText, {text("21.500"), text("0")}, str("21.5")},
      {kLtrim, kText, {text("a"), null(kText)}, kNull},
      {kInstr, kInt, {text("Zürich"), text("ri")}, int64_t{3}},
      {kInstr, kInt, {text("Zürich"), text("x")}, int64_t{0}},
      {kLocate, kInt, {text("a"), text("üaüa")}, int64_t{2}},
      {kLocate, kInt, {text("a"), text("üaüa"), integer(3)}, int64_t{4}},
      {kLocate, kInt, {text("a"), text("üaüa"), integer(5)}, int64_t{0}},
      {kLocate, kInt, {text(""), text("abc"), integer(4)}, int64_t{4}},
      {kLocate, kInt, {text(""), text("abc"), integer(5)}, int64_t{0}},
      {kLocate, kInt, {text("a"), text("abc"), integer(0)}, int64_t{0}},
      {kStartsWith, kBool, {text("pump"), text("")}, true},
      {kStartsWith, kBool, {text("pump"), text("pumps")}, false},
      {kEndsWith, kBool, {text("pump"), text("mp")}, true},
      {kEndsWith, kBool, {null(kText), text("mp")}, kNull},
      {kIsAlpha, kBool, {text("aZ")}, true},
      {kIsAlpha, kBool, {text("")}, false},
      {kIsDigit, kBool, {text("0129")}, true},
      {kIsDigit, kBool, {text("1.0")}, false},
      {kIsDecimal, kBool, {text("-1.5e3")}, true},
      {kIsDecimal, kBool, {text("1,5")}, false},
  });
}

TEST_CASE("texts as codes and back") {
  using enum FunctionId;
  check_cases({
      {kAscii, kInt, {text("")}, int64_t{0}},
      {kAscii, kInt, {text("é")}, int64_t{0xC3}},
      {kChr, kText, {bigint(97)}, str("a")},
      {kChr, kText, {bigint(353)}, str("a")},
      {kChr, kText, {bigint(233)}, str("é")},
      {kChr, kText, {bigint(-1)}, str("")},
      {kBin, kText, {bigint(0)}, str("0")},
      {kBin, kText, {bigint(-1)}, Literal(std::string(64, '1'))},
      {kHex, kText, {bigint(255)}, str("FF")},
      {kHex, kText, {bigint(-1)}, str("FFFFFFFFFFFFFFFF")},
      {kHex, kText, {text("hello,world")}, str("68656C6C6F2C776F726C64")},
      {kToBase64, kText, {text("")}, str("")},
      {kToBase64, kText, {text("f")}, str("Zg==")},
      {kToBase64, kText, {text("fo")}, str("Zm8=")},
      {kToBase64, kText, {text("foobar")}, str("Zm9vYmFy")},
      {kFromBase64, kText, {text("Zg==")}, str("f")},
      {kFromBase64, kText, {text("Zm8=")}, str("fo")},
      {kFromBase64, kText, {text("Zm9vYmFy")}, str("foobar")},
      {kFromBase64, kText, {text("Zm9vYmF")}, kNull, true},
      {kFromBase64, kText, {text("Z===")}, kNull, true},
      {kFromBase64, kText, {text("Zm9!")}, kNull, true},
      {kFromBase64, kText, {text("/w==")}, kNull, true},  // the byte FF is no UTF-8
      {kUrlEncode, kText, {text("a b&ü*")}, str("a+b%26%C3%BC*")},
      {kUrlDecode, kText, {text("a+b%26%C3%bc*")}, str("a b&ü*")},
      {kUrlDecode, kText, {text("%4")}, kNull},
      {kUrlDecode, kText, {text("%zz")}, kNull},
      {kUrlDecode, kText, {text("%FF")}, kNull},
  });
}

TEST_CASE("URLs in pieces") {
  using enum FunctionId;
  const Typed url = text("http://u:p@host.example:81/a/b.php?k1=v1&k2=&k3#frag");
  check_cases({
      {kParseUrl, kText, {url, text("PROTOCOL")}, str("http")},
      {kParseUrl, kText, {url, text("AUTHORITY")}, str("u:p@host.example:81")},
      {kParseUrl, kText, {url, text("USERINFO")}, str("u:p")},
      {kParseUrl, kText, {url, text("HOST")}, str("host.example")},
      {kParseUrl, kText, {url, text("PATH")}, str("/a/b.php")},
      {kParseUrl, kText, {url, text("FILE")}, str("/a/b.php?k1=v1&k2=&k3")},
      {kParseUrl, kText, {url, text("QUERY")}, str("k1=v1&k2=&k3")},
      {kParseUrl, kText, {url, text("REF")}, str("frag")},
      {kParseUrl, kText, {url, text("PORT")}, kNull},
      {kParseUrl, kText, {url, text("QUERY"), text("k1")}, str("v1")},
      {kParseUrl, kText, {url, text("QUERY"), text("k2")}, str("")},
      {kParseUrl, kText, {url, text("QUERY"), text("k3")}, kNull},
      {kParseUrl, kText, {url, text("HOST"), text("k1")}, kNull},
      {kParseUrl, kText, {text("coap://[::1]:5683/x"), text("HOST")}, str("[::1]")},
      {kParseUrl, kText, {text("http://host"), text("PATH")}, str("")},
      {kParseUrl, kText, {text("http://host"), text("QUERY")}, kNull},
      {kParseUrl, kText, {text("no url"), text("HOST")}, kNull},
  });
}

}  // namespace tidegate::compute::testing
