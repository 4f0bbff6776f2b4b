// For tests and fuzz targets: a stream with some columns and options, and what its decoder makes of payloads.
#pragma once

#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json_encoder.h"
#include "codec/source_format.h"

namespace tidegate::codec {

// Works in fuzz targets too, which have no test library.
inline void require(bool holds) {
  if (!holds) std::abort();
}

struct CollectedMisfits final : MisfitHandler {
  void on_misfit(Misfit misfit) override {
    require(!misfit.reason.empty());
    codes.push_back(static_cast<int>(misfit.code));
    records.emplace_back(misfit.record);
    reasons.push_back(std::move(misfit.reason));
  }
  std::vector<int> codes;
  std::vector<std::string> reasons;
  std::vector<std::string> records;
};

inline std::vector<columnar::Field> readings_fields() {
  using columnar::TypeKind;
  return {{"device", TypeKind::kString, false}, {"ts", TypeKind::kTimestampLtz, true},
          {"value", TypeKind::kDouble, true},   {"n", TypeKind::kInt, true},
          {"total", TypeKind::kBigint, true},   {"ok", TypeKind::kBoolean, true},
          {"note", TypeKind::kString, true},    {"wall", TypeKind::kTimestamp, true}};
}

// The first column is the device, `ts` (if there is one) the event time.
struct DecoderFixture {
  explicit DecoderFixture(std::initializer_list<SourceOptions::value_type> options,
                          std::vector<columnar::Field> fields = readings_fields(),
                          size_t max_record_bytes = kMaxRecordBytes)
      : schema(std::make_shared<const columnar::Schema>(columnar::Schema{std::move(fields)})),
        time(schema->index_of("ts")) {
    auto parsed = parse_source_format(options, {*schema, 0, time});
    if (!parsed) {
      refused = parsed.error().key + ": " + parsed.error().error.message;
      return;
    }
    format = std::move(*parsed);
    decoder = make_decoder(format, {schema, 0, &devices, time, max_record_bytes});
  }

  // The good rows as NDJSON.
  std::string decode(std::string_view payload) {
    misfits = {};
    const size_t devices_before = devices.size();
    last = decoder->decode({payload, false, topic}, rules, rows, misfits);
    require(devices.size() >= devices_before);
    require(last.misfits == misfits.reasons.size());
    const columnar::Batch batch = rows.finish();
    require(batch.rows == last.good);
    std::string out;
    JsonEncoder(schema).append_ndjson(batch, out);
    return out;
  }
  // The one reason, or what came instead.
  std::string reason(std::string_view payload) {
    const std::string out = decode(payload);
    return misfits.reasons.size() == 1 && out.empty() ? misfits.reasons.front() : "rows: " + out;
  }

  columnar::StringPool devices{1000};
  columnar::SchemaPtr schema;
  std::optional<size_t> time;
  SourceFormat format;
  std::string refused;  // why there is no decoder: "option: message"
  std::unique_ptr<RecordDecoder> decoder;
  columnar::BatchBuilder rows{schema, 0, &devices};
  RowRules rules;
  std::string topic;
  Decoded last;
  CollectedMisfits misfits;
};

}  // namespace tidegate::codec
