// Rows of every type as JSON and back: first by the careful way, then by the learnt layout.
#include <doctest/doctest.h>

#include "codec/json_decoder.h"
#include "codec/json_encoder.h"
#include "columnar/random_rows.h"

namespace tidegate::codec {

namespace {

struct NoMisfits final : MisfitHandler {
  void on_misfit(Misfit misfit) override { FAIL(misfit.reason); }
};

}  // namespace

TEST_CASE("random rows of every type survive JSON") {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    io::SeededRandom random(seed);
    const auto schema = columnar::random_schema(random, 1 + random.below(8));
    const columnar::Batch rows = columnar::random_batch(schema, 1 + random.below(40), random, {true, true});
    std::string text;
    JsonEncoder(schema).append_ndjson(rows, text);
    JsonDecoder decoder({schema, std::nullopt, nullptr, std::nullopt, kMaxRecordBytes});
    columnar::BatchBuilder builder(schema);
    NoMisfits misfits;
    for (int round = 0; round < 2; ++round) {
      CAPTURE(text);
      CHECK(decoder.decode({text, false, {}}, {}, builder, misfits).good == rows.rows);
      CHECK(columnar::same_rows(builder.finish(), rows));
    }
  }
}

}  // namespace tidegate::codec
