// Arrays of numbers in JSON: read with care, and in place.
#include <doctest/doctest.h>

#include "codec/json_decoder.h"
#include "codec/json_encoder.h"

namespace tidegate::codec {

using columnar::TypeKind;

namespace {

struct Reasons final : MisfitHandler {
  void on_misfit(Misfit misfit) override { text += misfit.reason + '\n'; }
  std::string text;
};

}  // namespace

// A burst is read in place once its layout is known: what that cannot read must come out as it does the careful way.
TEST_CASE("arrays of numbers are the same by the learnt layout") {
  const char* const bursts[] = {R"([1,2.5,-3])",
                                "[]",
                                "[ ]",
                                "[ 1 , 2 ]",
                                R"([0.1,1e3,-0.0,1E-7])",
                                R"([null,1])",
                                "null",
                                "[00]",
                                "[1,]",
                                "[,1]",
                                "[1 2]",
                                "[-]",
                                "[1",
                                "[[1]]",
                                R"(["1"])",
                                "[12345678901234567890123]",
                                "[1e999]",
                                "[2147483648]",
                                "[9007199254740993,0.30000000000000004]",
                                "5",
                                "{}",
                                "[1}",
                                "[1.]",
                                "[.5]",
                                "[+1]"};
  for (const TypeKind element : {TypeKind::kDouble, TypeKind::kFloat, TypeKind::kInt, TypeKind::kBigint}) {
    const auto schema = std::make_shared<const columnar::Schema>(
        columnar::Schema{{{"s", columnar::Type::array(element), true}, {"n", TypeKind::kInt, true}}});
    for (const char* burst : bursts) {
      CAPTURE(burst);
      std::string results[2];
      for (int learnt = 0; learnt < 2; ++learnt) {
        JsonDecoder decoder({schema, std::nullopt, nullptr, std::nullopt, kMaxRecordBytes});
        columnar::BatchBuilder rows(schema);
        Reasons misfits;
        const std::string before = learnt == 0 ? ""
                                               : R"({"s":[7,8],"n":1})"
                                                 "\n";
        const std::string payload = before + R"({"s":)" + burst +
                                    R"(,"n":2})"
                                    "\n"
                                    R"({"s":[4],"n":3})";
        (void)decoder.decode({payload, false, {}}, {}, rows, misfits);
        JsonEncoder(schema).append_ndjson(rows.finish(), results[learnt]);
        if (learnt == 1) results[1].erase(0, results[1].find('\n') + 1);
        results[learnt] += misfits.text;
      }
      CHECK(results[0] == results[1]);
    }
  }
}

TEST_CASE("an array has a limit, which is the same either way") {
  const auto schema =
      std::make_shared<const columnar::Schema>(columnar::Schema{{{"s", columnar::Type::array(TypeKind::kInt), true}}});
  for (const bool learnt : {false, true}) {
    for (const size_t count : {65'535U, 65'536U}) {
      JsonDecoder decoder({schema, std::nullopt, nullptr, std::nullopt, kMaxRecordBytes});
      columnar::BatchBuilder rows(schema);
      Reasons misfits;
      std::string payload = learnt ? "{\"s\":[7]}\n{\"s\":[0" : "{\"s\":[0";
      for (size_t at = 1; at < count; ++at) payload += ",1";
      payload += "]}";
      const Decoded decoded = decoder.decode({payload, false, {}}, {}, rows, misfits);
      CHECK(decoded.good == (learnt ? 1 : 0) + (count == 65'535 ? 1 : 0));
      CHECK(misfits.text.contains("65536 values") == (count == 65'536));
    }
  }
}

}  // namespace tidegate::codec
