#include "catalog/catalog.h"

#include <doctest/doctest.h>

#include "catalog/internal/fixture.h"

namespace tidegate::catalog {
namespace {

// A stream with a column of every type there is.
StreamDefinition every_type() {
  using columnar::Field;
  using columnar::Type;
  using columnar::TypeKind;
  StreamDefinition stream;
  stream.name = "every_type";
  std::vector<Field> fields;
  for (const TypeKind kind :
       {TypeKind::kBoolean, TypeKind::kInt, TypeKind::kBigint, TypeKind::kFloat, TypeKind::kDouble, TypeKind::kString,
        TypeKind::kBytes, TypeKind::kTimestamp, TypeKind::kTimestampLtz}) {
    fields.push_back({std::string(columnar::type_name(kind)), kind, true});
  }
  const Type price = Type::decimal(38, 10);
  const Type point = Type::row({{"x", TypeKind::kInt, false}, {"prices", Type::array(price, false), true}});
  fields.push_back({"price", price, false});
  fields.push_back({"points", Type::array(point), true});
  stream.schema = std::make_shared<const columnar::Schema>(columnar::Schema{std::move(fields)});
  return stream;
}

TableDefinition tariffs(const std::string& name = "Tariffs") {
  using columnar::TypeKind;
  TableDefinition table;
  table.name = name;
  table.schema = std::make_shared<const columnar::Schema>(columnar::Schema{{{"zone", TypeKind::kString, false},
                                                                            {"kind", TypeKind::kInt, false},
                                                                            {"since", TypeKind::kTimestampLtz, false},
                                                                            {"price", TypeKind::kFloat, true}}});
  table.key = {1, 0};
  table.version_column = 2;
  table.options = {{"connector", "filesystem"}, {"path", "tariffs.csv"}};
  table.sql = "CREATE TABLE Tariffs (...)";
  return table;
}

}  // namespace

TEST_CASE("columns of every type, parameters and all, come back") {
  Fixture site;
  REQUIRE(site.catalog->add_stream(every_type()));
  site.close();
  site.open();
  const auto stream = site.catalog->find_stream("every_type");
  REQUIRE(stream);
  CHECK(*stream->schema == *every_type().schema);
}

TEST_CASE("documents come back from the store as they were, with their ids") {
  Fixture site;
  const auto added = site.catalog->add_stream(readings());
  REQUIRE(added);
  REQUIRE(site.catalog->add_view({"hot", "SELECT * FROM readings", "CREATE VIEW hot AS ..."}));
  const auto pipeline = site.catalog->add_pipeline(averages(), {"readings"}, dead_letter_schema());
  REQUIRE(pipeline);
  REQUIRE(site.catalog->set_pipeline_wanted("AVERAGES", PipelineState::kStopped));
  site.close();
  site.open();
  const auto stream = site.catalog->find_stream("READINGS");
  REQUIRE(stream);
  CHECK(stream->id == (*added)->id);
  CHECK(stream->name == "Readings");
  CHECK(*stream->schema == *(*added)->schema);
  CHECK(stream->time_column == 1);
  CHECK(stream->device_column == 0);
  CHECK(stream->watermark_delay_us == 5'000'000);
  CHECK(stream->options == (*added)->options);
  CHECK(site.catalog->find_stream(stream->id) == stream);
  CHECK(site.catalog->find_view("hot")->query == "SELECT * FROM readings");
  CHECK(site.catalog->find_pipeline("averages")->wanted == PipelineState::kStopped);
  CHECK(site.catalog->find_stream("averages_late"));
  CHECK(site.catalog->find_stream("readings_dead_letters")->device_column == 1);
  CHECK(site.catalog->streams().size() == 3);
}

TEST_CASE("ids are never used again") {
  Fixture site;
  const StreamId first = (*site.catalog->add_stream(readings()))->id;
  REQUIRE(site.catalog->drop_stream("readings"));
  site.close();
  site.open();
  CHECK((*site.catalog->add_stream(readings()))->id > first);
}

TEST_CASE("a name is taken once, in whatever case, by streams and views together") {
  Fixture site;
  REQUIRE(site.catalog->add_stream(readings()));
  CHECK(site.catalog->add_stream(readings()).error().code == ErrorCode::SqlAlreadyExists);
  CHECK(site.catalog->add_view({"READINGS", "SELECT 1", ""}).error().code == ErrorCode::SqlAlreadyExists);
  StreamDefinition clash = readings();
  clash.name = "readings_dead_letters";
  CHECK(site.catalog->add_stream(clash).error().code == ErrorCode::SqlAlreadyExists);
}

TEST_CASE("what is still used cannot be dropped, and the error names the user") {
  Fixture site;
  REQUIRE(site.catalog->add_stream(readings()));
  REQUIRE(site.catalog->add_view({"hot", "SELECT * FROM `Readings` WHERE 1 = 1", ""}));
  const auto by_view = site.catalog->drop_stream("readings");
  REQUIRE(!by_view);
  CHECK(by_view.error().to_string() ==
        "TG6005 'readings' is still used by the view 'hot'. drop the view first: DROP VIEW hot");
  REQUIRE(site.catalog->add_pipeline(averages(), {"hot"}, nullptr));
  CHECK(site.catalog->drop_view("hot").error().code == ErrorCode::InUse);
  REQUIRE(site.catalog->drop_pipeline("averages"));
  REQUIRE(site.catalog->drop_view("hot"));
  REQUIRE(site.catalog->drop_stream("readings"));
  CHECK(site.catalog->streams().empty());
}

TEST_CASE("views and pipelines give way to others of their name, over a restart too") {
  Fixture site;
  REQUIRE(site.catalog->add_stream(readings()));
  REQUIRE(site.catalog->add_view({"hot", "SELECT * FROM readings", "CREATE VIEW hot AS SELECT * FROM readings"}));
  const auto made = site.catalog->add_pipeline(averages(), {"readings"}, nullptr);
  REQUIRE(made);
  CHECK(site.catalog->replace_view({"cold", "", ""}).error().code == ErrorCode::NotFound);
  CHECK(site.catalog->replace_pipeline("nothing", "", {}, false).error().code == ErrorCode::NotFound);
  REQUIRE(site.catalog->replace_view({"HOT", "SELECT 1", "CREATE VIEW HOT AS SELECT 1"}));
  const auto replaced = site.catalog->replace_pipeline("Averages", "INSERT INTO readings ...", {"hot"}, false);
  REQUIRE(replaced);
  CHECK(replaced->id == made->id);
  site.close();
  site.open();
  CHECK(site.catalog->views().size() == 1);
  CHECK(site.catalog->find_view("hot")->query == "SELECT 1");
  CHECK(site.catalog->find_pipeline("averages")->sql == "INSERT INTO readings ...");
  CHECK(site.catalog->find_pipeline("averages")->id == made->id);
  CHECK(site.catalog->drop_view("hot").error().code == ErrorCode::InUse);
}

TEST_CASE("a stream gets columns, and what was made before notes how many it knows, in one write") {
  Fixture site;
  const auto made = site.catalog->add_stream(readings());
  REQUIRE(made);
  const size_t before = (*made)->schema->fields.size();
  StreamDefinition other = readings();
  other.name = "other";
  REQUIRE(site.catalog->add_stream(other));
  REQUIRE(site.catalog->add_pipeline(averages(), {"readings"}, nullptr));
  PipelineDefinition writer = averages();
  writer.name = "writer";
  writer.target = "Readings";
  REQUIRE(site.catalog->add_pipeline(writer, {"other"}, nullptr));
  PipelineDefinition elsewhere = averages();
  elsewhere.name = "elsewhere";
  elsewhere.target = "other";
  REQUIRE(site.catalog->add_pipeline(elsewhere, {"other"}, nullptr));

  const auto grown = [](const StreamDefinition& stream, const columnar::Field& field) {
    StreamDefinition out = stream;
    columnar::Schema schema = *stream.schema;
    schema.fields.push_back(field);
    out.schema = std::make_shared<const columnar::Schema>(std::move(schema));
    out.sql = "CREATE TABLE with " + field.name;
    return out;
  };
  const auto first = site.catalog->add_columns(grown(**made, {"humidity", columnar::TypeKind::kDouble, true}));
  REQUIRE(first);
  REQUIRE(site.catalog->add_pipeline(
      [&] {
        PipelineDefinition late = averages();
        late.name = "late comer";
        return late;
      }(),
      {"readings"}, nullptr));
  REQUIRE(site.catalog->add_columns(grown(**first, {"price", columnar::Type::decimal(10, 2), true})));
  for (int life = 0; life < 2; ++life) {
    CHECK(site.catalog->find_stream("readings")->schema->fields.size() == before + 2);
    CHECK(site.catalog->find_stream("readings")->sql == "CREATE TABLE with price");
    CHECK(site.catalog->find_stream((*made)->id)->name == "Readings");
    using Known = std::map<std::string, uint32_t>;
    CHECK(site.catalog->find_pipeline("averages")->known_columns == Known{{"readings", before}});
    CHECK(site.catalog->find_pipeline("writer")->known_columns == Known{{"readings", before}});
    CHECK(site.catalog->find_pipeline("late comer")->known_columns == Known{{"readings", before + 1}});
    CHECK(site.catalog->find_pipeline("elsewhere")->known_columns.empty());
    const auto known =
        as_known(site.catalog->find_stream("readings"), site.catalog->find_pipeline("averages")->known_columns);
    CHECK(*known->schema == *(*made)->schema);
    site.close();
    site.open();
  }
  // A pipeline that is made anew knows them all, unless it is to go on as it is.
  REQUIRE(site.catalog->replace_pipeline("averages", "INSERT ...", {"readings"}, true));
  CHECK_FALSE(site.catalog->find_pipeline("averages")->known_columns.empty());
  REQUIRE(site.catalog->replace_pipeline("averages", "INSERT ...", {"readings"}, false));
  CHECK(site.catalog->find_pipeline("averages")->known_columns.empty());
}

TEST_CASE("a pipeline keeps its time zone") {
  Fixture site;
  REQUIRE(site.catalog->add_stream(readings()));
  REQUIRE(site.catalog->add_pipeline(
      {.id = {}, .name = "p", .target = "elsewhere", .sql = "INSERT ...", .time_zone = "Europe/Paris"}, {"readings"},
      nullptr));
  site.close();
  site.open();
  CHECK(site.catalog->find_pipeline("p")->time_zone == "Europe/Paris");
  REQUIRE(site.catalog->replace_pipeline("p", "INSERT another", {"readings"}, false));
  CHECK(site.catalog->find_pipeline("p")->time_zone == "Europe/Paris");
}

TEST_CASE("columns come behind the others and may be NULL, or nothing changes") {
  Fixture site;
  const auto made = site.catalog->add_stream(readings());
  REQUIRE(made);
  const auto with = [&](const auto& change) {
    StreamDefinition out = **made;
    columnar::Schema schema = *out.schema;
    change(schema.fields);
    out.schema = std::make_shared<const columnar::Schema>(std::move(schema));
    return site.catalog->add_columns(std::move(out));
  };
  const columnar::Field fresh{"fresh", columnar::TypeKind::kInt, true};
  const columnar::Field needed{"fresh", columnar::TypeKind::kInt, false};
  CHECK(with([&](auto& fields) { fields.push_back(needed); }).error().code == ErrorCode::SqlUnsupported);
  CHECK(with([&](auto& fields) { fields.insert(fields.begin(), fresh); }).error().code == ErrorCode::SqlUnsupported);
  CHECK(with([&](auto& fields) { fields.pop_back(); }).error().code == ErrorCode::SqlUnsupported);
  CHECK(with([&](auto& fields) { fields.back().nullable = !fields.back().nullable; }).error().code ==
        ErrorCode::SqlUnsupported);
  StreamDefinition unknown = **made;
  unknown.id = StreamId{99};
  CHECK(site.catalog->add_columns(unknown).error().code == ErrorCode::NotFound);
  const auto dead_letters = site.catalog->find_stream("readings_dead_letters");
  REQUIRE(dead_letters);
  CHECK(site.catalog->add_columns(*dead_letters).error().code == ErrorCode::InUse);
  CHECK(*site.catalog->find_stream("readings")->schema == *(*made)->schema);
}

TEST_CASE("dropping what is not there says so") {
  Fixture site;
  CHECK(site.catalog->drop_stream("x").error().code == ErrorCode::NotFound);
  CHECK(site.catalog->drop_view("x").error().code == ErrorCode::NotFound);
  CHECK(site.catalog->drop_pipeline("x").error().code == ErrorCode::NotFound);
  CHECK(site.catalog->set_pipeline_wanted("x", PipelineState::kStopped).error().code == ErrorCode::NotFound);
}

TEST_CASE("a changed or moved document is found when the catalog opens") {
  Fixture site;
  const auto id = (*site.catalog->add_stream(readings()))->id;
  REQUIRE(id == StreamId{1});
  const auto sealed = site.store->get(store::Family::kCatalog, "catalog/stream/00000001");
  REQUIRE((sealed && sealed->has_value()));
  store::WriteBatch moved;
  moved.put(store::Family::kCatalog, "catalog/stream/00000009", **sealed);
  REQUIRE(site.store->write(std::move(moved), store::Durability::kSynced));
  CHECK(site.try_open().error().code == ErrorCode::SealBroken);
}

TEST_CASE("lookup tables share names with streams and views, come back, and are kept while they are used") {
  Fixture site;
  REQUIRE(site.catalog->add_stream(readings()));
  const auto added = site.catalog->add_table(tariffs());
  REQUIRE(added);
  CHECK(site.catalog->add_table(tariffs()).error().code == ErrorCode::SqlAlreadyExists);
  CHECK(site.catalog->add_table(tariffs("READINGS")).error().code == ErrorCode::SqlAlreadyExists);
  CHECK(site.catalog->add_view({"tariffs", "SELECT 1", ""}).error().code == ErrorCode::SqlAlreadyExists);
  StreamDefinition stream = readings();
  stream.name = "TARIFFS";
  CHECK(site.catalog->add_stream(stream).error().code == ErrorCode::SqlAlreadyExists);
  REQUIRE(site.catalog->add_pipeline(averages(), {"readings", "tariffs"}, nullptr));
  CHECK(site.catalog->drop_table("tariffs").error().code == ErrorCode::InUse);
  site.close();
  site.open();
  const auto table = site.catalog->find_table("TARIFFS");
  REQUIRE(table);
  CHECK(table->id == (*added)->id);
  CHECK(table->name == "Tariffs");
  CHECK(*table->schema == *tariffs().schema);
  CHECK(table->key == std::vector<size_t>{1, 0});
  CHECK(table->version_column == 2);
  CHECK(table->options == tariffs().options);
  CHECK(table->sql == tariffs().sql);
  CHECK(site.catalog->drop_table("tariffs").error().code == ErrorCode::InUse);
  REQUIRE(site.catalog->drop_pipeline("averages"));
  REQUIRE(site.catalog->drop_table("tariffs"));
  CHECK(site.catalog->find_table("tariffs") == nullptr);
  CHECK(site.catalog->drop_table("tariffs").error().code == ErrorCode::NotFound);
  site.close();
  site.open();
  CHECK(site.catalog->tables().empty());
  CHECK((*site.catalog->add_table(tariffs()))->id > (*added)->id);
}

TEST_CASE("a table of the server's own is made once, follows its definition, and cannot be dropped") {
  Fixture site;
  const auto made = site.catalog->add_system_table(tariffs("devices"));
  REQUIRE(made);
  CHECK(is_system_table(**made));
  CHECK(*site.catalog->add_system_table(tariffs("devices")) == *made);
  TableDefinition wider = tariffs("devices");
  wider.key = {0};
  const auto changed = site.catalog->add_system_table(wider);
  REQUIRE(changed);
  CHECK((*changed)->id == (*made)->id);
  CHECK(site.catalog->find_table("devices")->key.size() == 1);
  CHECK(site.catalog->drop_table("devices").error().code == ErrorCode::InUse);
  StreamDefinition stream = readings();
  stream.name = "taken";
  REQUIRE(site.catalog->add_stream(stream));
  CHECK(site.catalog->add_system_table(tariffs("taken")).error().code == ErrorCode::SqlAlreadyExists);
  REQUIRE(site.catalog->add_table(tariffs()));
  CHECK(site.catalog->add_system_table(tariffs()).error().code == ErrorCode::SqlAlreadyExists);
}

}  // namespace tidegate::catalog
