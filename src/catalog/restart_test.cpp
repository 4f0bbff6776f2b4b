#include <doctest/doctest.h>

#include "catalog/internal/fixture.h"

namespace tidegate::catalog {

TEST_CASE("a pipeline that starts anew has another id, its starts, and its late stream if that still fits") {
  using columnar::TypeKind;
  const auto late = [](TypeKind type) {
    return std::make_shared<const columnar::Schema>(columnar::Schema{{{"n", type, true}}});
  };
  Fixture site;
  REQUIRE(site.catalog->add_stream(readings()));
  const auto made = site.catalog->add_pipeline(averages(), {"readings"}, late(TypeKind::kInt));
  REQUIRE(made);
  REQUIRE(site.catalog->set_pipeline_wanted("averages", PipelineState::kStopped));
  const StreamId late_id = site.catalog->find_stream("averages_late")->id;
  PipelineDefinition anew = averages();
  anew.name = "Averages";
  anew.sql = "INSERT INTO readings ...";
  anew.starts = {{StreamId{1}, Offset{1'000'000'000'000}}, {StreamId{3}, Offset{0}}};
  const auto restarted = site.catalog->restart_pipeline(anew, {"readings"}, late(TypeKind::kInt));
  REQUIRE(restarted);
  CHECK(restarted->id != made->id);
  for (int again = 0; again < 2; ++again) {
    REQUIRE(site.catalog->pipelines().size() == 1);
    const auto found = site.catalog->find_pipeline("averages");
    CHECK(found->id == restarted->id);
    CHECK(found->name == "averages");
    CHECK(found->sql == anew.sql);
    CHECK(found->wanted == PipelineState::kStopped);
    CHECK(found->starts == anew.starts);
    CHECK(site.catalog->find_stream("averages_late")->id == late_id);
    site.close();
    site.open();
  }
  REQUIRE(site.catalog->restart_pipeline(anew, {"readings"}, late(TypeKind::kDouble)));
  CHECK(site.catalog->find_stream("averages_late")->id != late_id);
  CHECK(site.catalog->find_stream(late_id) == nullptr);
  // Somebody reads the late records: they stay, and so does the pipeline.
  PipelineDefinition reader = averages();
  reader.name = "reader";
  REQUIRE(site.catalog->add_pipeline(reader, {"averages_late"}, nullptr));
  const PipelineId before = site.catalog->find_pipeline("averages")->id;
  CHECK(site.catalog->restart_pipeline(anew, {"readings"}, nullptr).error().code == ErrorCode::InUse);
  CHECK(site.catalog->find_pipeline("averages")->id == before);
  REQUIRE(site.catalog->drop_pipeline("reader"));
  REQUIRE(site.catalog->restart_pipeline(anew, {"readings"}, nullptr));
  CHECK(site.catalog->find_stream("averages_late") == nullptr);
  anew.name = "nothing";
  CHECK(site.catalog->restart_pipeline(anew, {}, nullptr).error().code == ErrorCode::NotFound);
  site.close();
  site.open();
  CHECK(site.catalog->pipelines().size() == 1);
  CHECK(site.catalog->streams().size() == 2);
}

}  // namespace tidegate::catalog
