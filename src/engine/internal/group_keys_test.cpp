#include "engine/internal/group_keys.h"

#include <doctest/doctest.h>

#include <numeric>

#include "columnar/random_rows.h"

namespace tidegate::engine {

TEST_CASE("random rows of every type go through a key and back, and no other bytes are one") {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    io::SeededRandom random(seed);
    const auto schema = columnar::random_schema(random, 1 + random.below(6));
    const columnar::Batch rows = columnar::random_batch(schema, random.below(20), random);
    std::vector<size_t> columns(schema->fields.size());
    std::iota(columns.begin(), columns.end(), size_t{0});
    const KeyCodec codec(columns, *schema);
    columnar::BatchBuilder back(schema);
    std::string key;
    for (size_t row = 0; row < rows.rows; ++row) {
      codec.encode(rows, row, key);
      CHECK(codec.valid(key));
      REQUIRE(codec.decode(key, back));
      back.end_row();
      CHECK_FALSE(codec.valid(key + '\1'));
      CHECK_FALSE(codec.valid(std::string_view(key).substr(0, key.size() - 1)));
    }
    CHECK(columnar::same_rows(back.finish(), rows));
  }
}

}  // namespace tidegate::engine
