#include "api/internal/stream_proposal.h"

#include <doctest/doctest.h>

#include "io/file.h"

namespace tidegate::api {
namespace {

class NoNames final : public sql::Names {
 public:
  [[nodiscard]] std::shared_ptr<const catalog::StreamDefinition> find_stream(std::string_view) const override {
    return nullptr;
  }
  [[nodiscard]] std::optional<catalog::ViewDefinition> find_view(std::string_view) const override { return {}; }
};

constexpr int64_t kNowUs = 1'800'000'000'000'000;

StreamProposal must_propose(const std::string& name, const std::vector<codec::Sample>& samples) {
  auto out = propose_stream(name, samples, NoNames(), kNowUs);
  if (!out) MESSAGE(out.error().to_string());
  REQUIRE(out);
  return std::move(*out);
}

TEST_CASE("the statement is what a person would write") {
  const auto out =
      must_propose("select", {{"plant/hall 1/m1", R"({"device":"m1","ts":1767225600000,"order":1.5,"it's":"x"})"},
                              {"plant/hall 1/m2", R"({"device":"m2","ts":1767225601000,"order":2.5})"}});
  CHECK(out.sql == R"(CREATE TABLE `select` (
  device  STRING NOT NULL,
  ts      TIMESTAMP_LTZ(3) NOT NULL,
  `order` DOUBLE NOT NULL,
  it_s    STRING,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'device' = 'device',
  'field.it_s' = '$[''it\''s'']',
  'format' = 'json',
  'mqtt.topic' = 'plant/hall 1/{device}'
);
)");
  CHECK(out.preview.good == 2);
  CHECK(out.preview.dead == 0);
}

// Files of the examples, as one message each: the statement is planned and takes every record.
TEST_CASE("real files: every record becomes a row") {
  for (const char* path :
       {"examples/grid/data/household_power_consumption.csv", "examples/city/data/AirQualityUCI.csv"}) {
    CAPTURE(path);
    const auto text = io::read_file(path);
    REQUIRE(text);
    std::string piece = text->substr(0, 256U << 10);
    piece.resize(piece.rfind('\n') + 1);
    const auto lines = static_cast<size_t>(std::ranges::count(piece, '\n'));
    const auto out = must_propose("readings", {{"", piece}});
    CHECK(out.preview.good == lines - 1);
    CHECK(out.preview.dead == 0);
    CHECK(out.proposal.columns[out.proposal.time].name == "Datetime");
    CHECK(out.sql.find("'timestamp.format.Datetime' = 'dd/MM/yyyy HH:mm:ss'") != std::string::npos);
  }
}

TEST_CASE("the name of a stream is not trusted") {
  const auto out = must_propose("a`b; DROP TABLE c", {{"", R"({"v":1.5})"}});
  CHECK(out.sql.starts_with("CREATE TABLE `a``b; DROP TABLE c` ("));
}

}  // namespace
}  // namespace tidegate::api
