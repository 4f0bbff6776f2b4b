// Any bytes, in any number of records: no crash, one row or misfit a record, rows that encode again.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "codec/json_decoder.h"
#include "codec/json_encoder.h"

namespace {

using namespace tidegate;
using columnar::TypeKind;

struct Counting final : codec::MisfitHandler {
  void on_misfit(codec::Misfit misfit) override {
    CHECK(!misfit.reason.empty());
    ++count;
  }
  uint32_t count = 0;
};

columnar::Type nested_type() {
  return columnar::Type::row({{"t", TypeKind::kTimestamp, true},
                              {"l", columnar::Type::array(columnar::Type::array(TypeKind::kString), false), true}});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static columnar::StringPool devices(1000);
  static const auto schema =
      std::make_shared<const columnar::Schema>(columnar::Schema{{{"device", TypeKind::kString, true},
                                                                 {"ts", TypeKind::kTimestampLtz, true},
                                                                 {"value", TypeKind::kDouble, true},
                                                                 {"n", TypeKind::kInt, true},
                                                                 {"b", TypeKind::kBoolean, true},
                                                                 {"s", TypeKind::kString, true},
                                                                 {"f", TypeKind::kFloat, true},
                                                                 {"y", TypeKind::kBytes, true},
                                                                 {"p", columnar::Type::decimal(20, 4), true},
                                                                 {"a", columnar::Type::array(TypeKind::kDouble), true},
                                                                 {"r", nested_type(), true}}});
  codec::JsonDecoder decoder({schema, 0, &devices, 1, 4096});
  columnar::BatchBuilder rows(schema, 0, &devices);
  codec::RowRules rules;
  rules.default_device = devices.intern("default");
  const std::string_view payload(reinterpret_cast<const char*>(data), size);
  // The second time the layout learnt in the first one is used: both must agree.
  uint32_t good[2];
  for (uint32_t& count : good) {
    Counting misfits;
    const codec::Decoded decoded = decoder.decode({payload, false, {}}, rules, rows, misfits);
    CHECK(decoded.misfits == misfits.count);
    const columnar::Batch batch = rows.finish();
    CHECK(batch.rows == decoded.good);
    std::string out;
    codec::JsonEncoder(schema).append_ndjson(batch, out);
    count = decoded.good;
  }
  if (devices.size() < 900) CHECK(good[0] == good[1]);
  return 0;
}
