#include "api/site.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "api/corrections.h"
#include "api/internal/catalog_names.h"
#include "api/internal/site_planner.h"
#include "registry/device_monitor.h"

namespace tidegate::api {
namespace {

constexpr const char* kReadings =
    "CREATE TABLE readings (device STRING, ts TIMESTAMP_LTZ(3), n BIGINT, WATERMARK FOR ts AS ts) "
    "WITH ('device' = 'device')";

// A real catalog in a folder of its own, filled by what the planner planned (ids given, nothing runs).
class Fixture {
 public:
  Fixture()
      : folder_(std::filesystem::temp_directory_path() / ("tidegate-site-" + std::to_string(random_.next_u64()))) {
    std::filesystem::create_directories(folder_);
    store_ = std::move(*store::Store::open(folder_ / "store"));
    keys_ = std::move(*crypto::KeyRing::open(folder_ / "keys", random_));
    catalog = std::move(*catalog::Catalog::open(*store_, *keys_, random_));
  }
  ~Fixture() {
    catalog.reset();
    keys_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  // "create stream readings", one a step; or the error.
  std::vector<std::string> plan(const std::vector<std::string>& scripts, SiteOptions options = {.dry_run = true}) {
    std::vector<SiteFile> files;
    for (const std::string& sql : scripts) files.push_back({std::to_string(files.size()), sql});
    SitePlanner planner(*catalog, files, options, zone);
    const auto steps = planner.plan();
    if (!steps) return {planner.file_of_error() + ": " + steps.error().to_string()};
    std::vector<std::string> out;
    for (const SiteStep& step : *steps) {
      out.push_back(step.change.action + " " + step.change.kind + " " + step.change.name +
                    (step.keeps_state ? "" : " anew"));
    }
    return out;
  }
  void add(const std::string& sql, const std::string& pipeline = {}) {
    CatalogNames names(*catalog, zone);
    sql::ScriptSettings settings{.pipeline_name = pipeline};
    auto statement = std::move(**sql::analyze({sql, {}}, names, settings));
    if (auto* table = std::get_if<sql::CreateTable>(&statement)) REQUIRE(catalog->add_stream(table->definition));
    if (auto* lookup = std::get_if<sql::CreateLookupTable>(&statement)) REQUIRE(catalog->add_table(lookup->definition));
    if (auto* view = std::get_if<sql::CreateView>(&statement)) REQUIRE(catalog->add_view(view->definition));
    if (auto* insert = std::get_if<sql::InsertInto>(&statement)) {
      REQUIRE(catalog->add_pipeline({.id = {},
                                     .name = insert->pipeline,
                                     .target = insert->target->name,
                                     .sql = insert->sql,
                                     .time_zone = insert->time_zone},
                                    names.take_used(), state_of(*insert).late));
    }
  }

  void alter(const std::string& sql) {
    const SiteNames names(*catalog, zone);
    sql::ScriptSettings settings;
    auto statement = std::move(**sql::analyze({sql, {}}, names, settings));
    REQUIRE(catalog->add_columns(std::move(std::get<sql::AlterTable>(statement).definition)));
  }

  std::unique_ptr<catalog::Catalog> catalog;
  std::string zone;  // of the installation

 private:
  io::SystemRandom random_;
  std::filesystem::path folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<crypto::KeyRing> keys_;
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("texts that differ in comments and blanks only are the same") {
  CHECK(normal_sql(" SELECT\t1 -- one\n , 'a  -- b'/* c */ ;\n ; ") == "SELECT 1 , 'a  -- b'");
  CHECK(normal_sql("SELECT 'it''s  /*'") == "SELECT 'it''s  /*'");
  CHECK(normal_sql("`a  b` /* open") == "`a  b`");
  CHECK(normal_sql("'open") == "'open");
  CHECK(normal_sql(" -- nothing") == "");
}

TEST_CASE("the text of the server's own streams makes what they are") {
  Fixture site;
  for (const catalog::StreamDefinition& own : {corrections_definition(), registry::device_events_definition()}) {
    const SiteNames names(*site.catalog, {});
    sql::ScriptSettings settings;
    const auto statement = sql::analyze({own.sql, {}}, names, settings);
    REQUIRE_MESSAGE(statement, own.sql);
    const auto& made = std::get<sql::CreateTable>(**statement).definition;
    CHECK(made.name == own.name);
    CHECK(*made.schema == *own.schema);
    CHECK(made.device_column == own.device_column);
    CHECK(made.time_column == own.time_column);
    CHECK(made.watermark_delay_us == own.watermark_delay_us);
    CHECK(made.options == own.options);
  }
}

TEST_CASE("statements come in the order of what they need, over files and in any order") {
  Fixture site;
  const Lines planned = site.plan({"INSERT INTO top SELECT * FROM high; CREATE TABLE top (n BIGINT);",
                                   "CREATE VIEW high AS SELECT n FROM some WHERE n > 2;",
                                   "CREATE VIEW some AS SELECT n FROM `readings` WHERE n > 1;", kReadings});
  CHECK(planned == Lines{"create stream top", "create stream readings", "create view some", "create view high",
                         "create pipeline top"});
  CHECK(site.plan({"INSERT INTO top SELECT n FROM t_dead_letters_2", "CREATE TABLE top (n INT)"})[0].starts_with(
      "0: TG2002"));
  CHECK(site.plan({kReadings,
                   "CREATE TABLE bad (payload STRING); INSERT INTO bad SELECT payload FROM "
                   "readings_dead_letters"})
            .back() == "create pipeline bad");
}

TEST_CASE("a pipeline keeps its state as long as the operators that hold it mean the same") {
  Fixture site;
  site.add(kReadings);
  site.add("CREATE TABLE sums (device STRING, n BIGINT)");
  const auto query = [](const std::string& select, const std::string& size, const std::string& having = "") {
    return "INSERT INTO sums SELECT " + select + " FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '" +
           size + "' SECOND)) GROUP BY device, window_start, window_end" + having;
  };
  site.add(query("device, SUM(n)", "10"));
  const auto last = [&](const std::string& text) { return site.plan({text}).back(); };
  CHECK(last(query("device, SUM(n)", "10")) == "unchanged pipeline sums");
  CHECK(last(query("device,\n SUM(n) -- all\n", "10")) == "unchanged pipeline sums");
  CHECK(last(query("device, SUM(n) + 1", "10")) == "change pipeline sums");
  CHECK(last(query("device, SUM(n)", "10", " HAVING SUM(n) > 1")) == "change pipeline sums");
  CHECK(last(query("device, SUM(n)", "20")) == "change pipeline sums anew");
  CHECK(last(query("device, MAX(n)", "10")) == "change pipeline sums anew");
  CHECK(site.plan({query("device, MAX(n)", "10")}, {})[0].find("TG3007") != std::string::npos);
  CHECK(site.plan({query("device, MAX(n)", "10")}, {.restart_from = RestartFrom::kEarliest}).back() ==
        "change pipeline sums anew");
  for (const RestartFrom from : {RestartFrom::kCurrent, RestartFrom::kTime, RestartFrom::kLatest}) {
    CHECK(site.plan({query("device, MAX(n)", "10")}, {.restart_from = from}).back() == "change pipeline sums anew");
  }
  // Other streams: there is no place to read on from.
  const std::string elsewhere = "CREATE TABLE others (device STRING, n BIGINT); INSERT INTO sums SELECT * FROM others";
  CHECK(site.plan({elsewhere}, {.restart_from = RestartFrom::kCurrent})[0].find("TG3007") != std::string::npos);
  CHECK(site.plan({elsewhere}, {.restart_from = RestartFrom::kEarliest}).back() == "change pipeline sums anew");
  CHECK(site.plan({elsewhere}, {.restart_from = RestartFrom::kTime}).back() == "change pipeline sums anew");
}

TEST_CASE("a pipeline keeps the time zone that it was made with, whatever the installation's is now") {
  Fixture site;
  site.add(kReadings);
  site.add("CREATE TABLE sums (device STRING, n BIGINT)");
  const auto query = [](const std::string& zone, const std::string& having = "") {
    return "INSERT INTO sums SELECT device, SUM(n) FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' DAY" +
           zone + ")) GROUP BY device, window_start, window_end" + having;
  };
  site.zone = "Asia/Tokyo";
  site.add(query(""));
  CHECK(site.catalog->find_pipeline("sums")->time_zone == "Asia/Tokyo");
  for (const std::string zone : {"Asia/Tokyo", "Europe/Paris", ""}) {
    site.zone = zone;
    CHECK(site.plan({query("")}).back() == "unchanged pipeline sums");
    CHECK(site.plan({query("", " HAVING SUM(n) > 1")}).back() == "change pipeline sums");
    CHECK(site.plan({query(", TIME ZONE 'Asia/Tokyo'")}).back() == "change pipeline sums");
    CHECK(site.plan({query(", TIME ZONE 'Europe/Paris'")}).back() == "change pipeline sums anew");
  }
}

TEST_CASE("pipelines follow a view that changed, also those that no file mentions") {
  Fixture site;
  site.add(kReadings);
  site.add("CREATE TABLE copy (n BIGINT)");
  site.add("CREATE VIEW some AS SELECT n FROM readings WHERE n > 1");
  site.add("INSERT INTO copy SELECT n FROM some", "follower");
  CHECK(site.plan({"CREATE VIEW some AS SELECT n FROM readings WHERE n > 2"}) ==
        Lines{"change view some", "change pipeline follower"});
  CHECK(site.plan({"CREATE VIEW some AS SELECT device FROM readings"})[0].find("TG20") != std::string::npos);
  CHECK(site.plan({kReadings}, {.prune = true, .dry_run = true}) ==
        Lines{"unchanged stream readings", "delete pipeline follower", "delete view some", "delete stream copy"});
}

TEST_CASE("a changed lookup join keeps the state of the operators above it, as long as these mean the same") {
  Fixture site;
  const auto table = [](const std::string& name, const std::string& path) {
    return "CREATE TABLE " + name +
           " (k STRING, price DOUBLE, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = " + "'filesystem', 'path' = '" +
           path + "', 'format' = 'csv')";
  };
  site.add(kReadings);
  site.add(table("tariffs", "a.csv"));
  site.add(table("others", "b.csv"));
  site.add("CREATE TABLE sums (device STRING, price DOUBLE)");
  const auto query = [](const std::string& joined, const std::string& aggregate = "SUM(t.price)") {
    return "INSERT INTO sums SELECT r.device, " + aggregate +
           " FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' SECOND)) AS r " + joined +
           " GROUP BY r.device, window_start, window_end";
  };
  const std::string plain = "JOIN tariffs FOR SYSTEM_TIME AS OF r.ts AS t ON r.device = t.k";
  site.add(query(plain));
  const auto last = [&](const std::string& text) { return site.plan({text}).back(); };
  CHECK(last(query(plain)) == "unchanged pipeline sums");
  CHECK(last(query("LEFT " + plain)) == "change pipeline sums");
  CHECK(last(query("JOIN others FOR SYSTEM_TIME AS OF r.ts AS t ON r.device = t.k")) == "change pipeline sums");
  CHECK(last(query(plain + " AND t.price > 1")) == "change pipeline sums");
  CHECK(last(query(plain, "MAX(t.price)")) == "change pipeline sums anew");
  // Tables are planned as streams are.
  CHECK(site.plan({table("tariffs", "a.csv")}) == Lines{"unchanged table tariffs"});
  CHECK(site.plan(
            {"INSERT INTO sums SELECT device, x.price FROM readings JOIN x FOR SYSTEM_TIME AS OF ts ON x.k = device",
             table("x", "c.csv")}) == Lines{"create table x", "change pipeline sums anew"});
  CHECK(site.plan({table("tariffs", "elsewhere.csv")})[0].starts_with("0: TG2013"));
  CHECK(site.plan({table("y", "y.csv") + ";" + table("Y", "y.csv")})[0].starts_with("0: TG2013"));
  CHECK(site.plan({kReadings, table("tariffs", "a.csv")}, {.prune = true, .dry_run = true}) ==
        Lines{"unchanged stream readings", "unchanged table tariffs", "delete pipeline sums", "delete table others",
              "delete stream sums"});
}

TEST_CASE("columns that may be NULL behind the others are a change, all else about a stream is refused") {
  Fixture site;
  site.add(kReadings);
  const auto table = [](const std::string& columns, const std::string& options = "'device' = 'device'") {
    return "CREATE TABLE readings (device STRING, ts TIMESTAMP_LTZ(3), n BIGINT" + columns +
           ", WATERMARK FOR ts AS ts) WITH (" + options + ")";
  };
  CHECK(site.plan({table("")}) == Lines{"unchanged stream readings"});
  CHECK(site.plan({table(", humidity DOUBLE")}) == Lines{"change stream readings"});
  CHECK(site.plan({table(", a INT, b ROW<x INT>")}) == Lines{"change stream readings"});
  CHECK(site.plan({table(", a INT", "'device' = 'device', 'field.a' = '$.deep.a'")}) ==
        Lines{"change stream readings"});
  for (const std::string& other :
       {table(", a INT NOT NULL"), table(", a AS n * 2"), table(", a INT", "'device' = 'device', 'retention' = '7 d'"),
        table(", a INT", "'device' = 'device', 'field.n' = '$.deep.n'"),
        std::string("CREATE TABLE readings (device STRING, ts TIMESTAMP_LTZ(3), a INT, n BIGINT, "
                    "WATERMARK FOR ts AS ts) WITH ('device' = 'device')"),
        std::string("CREATE TABLE readings (device STRING, ts TIMESTAMP_LTZ(3), n INT, a INT, "
                    "WATERMARK FOR ts AS ts) WITH ('device' = 'device')"),
        std::string("CREATE TABLE readings (device STRING, ts TIMESTAMP_LTZ(3), n BIGINT, a INT, "
                    "WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('device' = 'device')")}) {
    CAPTURE(other);
    CHECK(site.plan({other})[0].starts_with("0: TG2013"));
  }
}

TEST_CASE("a column that ALTER TABLE added and one that the file declares are the same") {
  Fixture site;
  site.add(
      "CREATE TABLE readings (device STRING, ts TIMESTAMP_LTZ(3), n BIGINT, -- the counter\n"
      "WATERMARK FOR ts AS ts -- at once\n) WITH ('device' = 'device')");
  site.alter("ALTER TABLE readings ADD (humidity DOUBLE)");
  CHECK(site.plan({"CREATE TABLE readings (device STRING, ts TIMESTAMP_LTZ(3), n BIGINT, humidity DOUBLE, "
                   "WATERMARK FOR ts AS ts) WITH ('device' = 'device')"}) == Lines{"unchanged stream readings"});
  CHECK(site.plan({kReadings})[0].starts_with("0: TG2013"));  // a column does not go again
}

TEST_CASE("pipelines take new columns where they keep their state, and go on as they are elsewhere") {
  Fixture site;
  const std::string grown =
      "CREATE TABLE readings (device STRING, ts TIMESTAMP_LTZ(3), n BIGINT, a INT, WATERMARK FOR ts AS ts) "
      "WITH ('device' = 'device')";
  const std::string copy = "CREATE TABLE copy (device STRING, ts TIMESTAMP_LTZ(3), n BIGINT";
  const std::string copies = "INSERT INTO copy SELECT * FROM readings";
  const std::string sums =
      "INSERT INTO sums SELECT device, SUM(n) FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' SECOND)) "
      "GROUP BY device, window_start, window_end";
  site.add(kReadings);
  site.add(copy + ")");
  site.add("CREATE TABLE sums (device STRING, n BIGINT)");
  site.add(copies);
  site.add(sums);
  // Only the source grows: the copy has no place for the column.
  CHECK(site.plan({grown, copies, sums}) ==
        Lines{"change stream readings", "unchanged pipeline copy", "unchanged pipeline sums"});
  CHECK(site.plan({grown, copy + ", a INT)", copies, sums}) ==
        Lines{"change stream readings", "change stream copy", "change pipeline copy", "unchanged pipeline sums"});
  site.alter("ALTER TABLE readings ADD a INT");
  CHECK(site.plan({grown, copies, sums}) ==
        Lines{"unchanged stream readings", "unchanged pipeline copy", "unchanged pipeline sums"});
  CHECK(site.plan({grown, copy + ", a INT)", copies, sums}) ==
        Lines{"unchanged stream readings", "change stream copy", "change pipeline copy", "unchanged pipeline sums"});
  // The target alone: NULL is written there with and without.
  site.alter("ALTER TABLE sums ADD remark STRING");
  const std::string named =
      "INSERT INTO sums (device, n) SELECT device, SUM(n) FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), "
      "INTERVAL '10' SECOND)) GROUP BY device, window_start, window_end";
  CHECK(site.plan({sums}) == Lines{"unchanged pipeline sums"});
  CHECK(site.plan({named}) == Lines{"change pipeline sums"});  // another text
}

}  // namespace tidegate::api
