// Text in, plan or error out: one table of cases for each.
#include "sql/sql.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "sql/internal/text.h"

namespace tidegate::sql {

namespace {

class FixedNames : public Names {
 public:
  FixedNames() {
    add("CREATE TABLE meter (device STRING, ts TIMESTAMP_LTZ(3), power DOUBLE, n INT, big BIGINT, ok BOOLEAN, "
        "phase STRING, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('device' = 'device')");
    add("CREATE TABLE plain (a STRING, x DOUBLE)");
    add("CREATE TABLE target (device STRING, at_time TIMESTAMP_LTZ(3), mean DOUBLE)");
    add("CREATE TABLE strict (a STRING NOT NULL, n BIGINT)");
    add("CREATE VIEW loud AS SELECT device AS d, ts, power * 1000 AS watts FROM meter WHERE power > 1");
    add("CREATE VIEW anonymous AS SELECT ts, power FROM meter");
    add("CREATE VIEW minutes AS SELECT device, window_time, AVG(power) AS mean FROM TABLE(TUMBLE(TABLE meter, "
        "DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY device, window_start, window_end, window_time");
  }

  [[nodiscard]] std::shared_ptr<const catalog::StreamDefinition> find_stream(std::string_view name) const override {
    const auto found = streams_.find(to_lower(name));
    return found == streams_.end() ? nullptr : found->second;
  }
  [[nodiscard]] std::optional<catalog::ViewDefinition> find_view(std::string_view name) const override {
    const auto found = views_.find(to_lower(name));
    return found == views_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  void add(std::string text) {
    ScriptSettings settings;
    auto statement = analyze({std::move(text), {}}, *this, settings);
    REQUIRE_MESSAGE(statement.has_value(), (statement ? "" : statement.error().to_string()));
    if (auto* table = std::get_if<CreateTable>(&**statement)) {
      streams_[table->definition.name] = std::make_shared<catalog::StreamDefinition>(table->definition);
    } else {
      auto& view = std::get<CreateView>(**statement);
      views_[view.definition.name] = view.definition;
    }
  }

  std::map<std::string, std::shared_ptr<const catalog::StreamDefinition>, std::less<>> streams_;
  std::map<std::string, catalog::ViewDefinition, std::less<>> views_;
};

Result<std::optional<Statement>> run(std::string text) {
  static const FixedNames names;
  ScriptSettings settings;
  return analyze({std::move(text), {}}, names, settings);
}

std::string plan_of(const std::string& text) {
  auto statement = run(text);
  if (!statement) return statement.error().to_string();
  if (!*statement) return "nothing";
  if (const auto* select = std::get_if<Select>(&**statement)) return explain(select->plan);
  if (const auto* insert = std::get_if<InsertInto>(&**statement)) return explain(insert->plan);
  return "no plan";
}

std::string error_of(const std::string& text) {
  const auto statement = run(text);
  return statement ? "no error" : statement.error().to_string();
}

const PlanNode* find_window(const PlanNode& node) {
  if (std::holds_alternative<WindowAggregate>(node.node)) return &node;
  return node.inputs.empty() ? nullptr : find_window(*node.inputs[0]);
}

Plan plan_for(const std::string& text) {
  auto statement = run(text);
  REQUIRE_MESSAGE(statement.has_value(), (statement ? "" : statement.error().to_string()));
  return std::move(std::get<Select>(**statement).plan);
}

constexpr const char* kTumble = " FROM TABLE(TUMBLE(TABLE meter, DESCRIPTOR(ts), INTERVAL '10' SECOND)) ";

}  // namespace

TEST_CASE("queries become plans") {
  struct Case {
    std::string sql;
    std::string plan;
  };
  const std::string tumble = kTumble;
  const Case cases[] = {
      {"SELECT * FROM plain", "Scan plain: a, x\n"},
      {"SELECT x FROM plain", "Scan plain: x (1 pruned)\n"},
      {"select POWER, Ts from METER where n > 3",
       "Project power, ts\n  Filter n > 3\n    Scan meter: ts, power, n (4 pruned)\n"},
      {"SELECT m.power + 1 AS p FROM meter AS m", "Project power + 1.0 AS p\n  Scan meter: power (6 pruned)\n"},
      {"SELECT n FROM meter WHERE ok IS NOT FALSE",
       "Project n\n  Filter COALESCE(ok, TRUE)\n    Scan meter: n, ok (5 pruned)\n"},
      {"SELECT n FROM meter WHERE ok IS NOT TRUE",
       "Project n\n  Filter NOT COALESCE(ok, FALSE)\n    Scan meter: n, ok (5 pruned)\n"},
      {"SELECT big + n AS s FROM meter", "Project big + CAST(n AS BIGINT) AS s\n  Scan meter: n, big (5 pruned)\n"},
      {"SELECT watts FROM loud WHERE d = 'a'",
       "Project watts\n  Filter d = 'a'\n    Project device AS d, power * 1000.0 AS watts\n"
       "      Filter power > 1.0\n        Scan meter: device, power (5 pruned)\n"},
      {"SELECT device, window_start, AVG(power) AS p" + tumble + "GROUP BY device, window_start, window_end",
       "Project device, window_start, `AVG(power)` AS p\n"
       "  Window TUMBLE 10 s on ts by device: AVG(power); closes by each device's own watermark\n"
       "    Scan meter: device, ts, power (4 pruned)\n"},
      {"SELECT phase, MAX(power) - MIN(power) AS span, COUNT(*) AS c" + tumble +
           "WHERE ok GROUP BY phase, window_start, window_end HAVING COUNT(*) > 2",
       "Project phase, `MAX(power)` - `MIN(power)` AS span, `COUNT(*)` AS c\n"
       "  Filter `COUNT(*)` > 2\n"
       "    Window TUMBLE 10 s on ts by phase: MAX(power), MIN(power), COUNT(*); closes by the shared watermark\n"
       "      Filter ok\n"
       "        Scan meter: device, ts, power, ok, phase (2 pruned)\n"},
      {"SELECT UPPER(phase) AS p, SUM(n * 2) AS s" + tumble + "GROUP BY UPPER(phase), window_end",
       "Project `UPPER(phase)` AS p, `SUM(n * 2)` AS s\n"
       "  Window TUMBLE 10 s on ts by `UPPER(phase)`: SUM(n * 2); closes by the shared watermark\n"
       "    Project ts, UPPER(phase) AS `UPPER(phase)`, n * 2 AS `n * 2`, device\n"
       "      Scan meter: device, ts, n, phase (3 pruned)\n"},
      {"SELECT window_end, COUNT(*) AS c FROM HOP(DATA => TABLE meter, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '1' "
       "MINUTE, SLIDE => INTERVAL '10' SECOND) GROUP BY window_start, window_end",
       "Project window_end, `COUNT(*)` AS c\n"
       "  Window HOP 1 min every 10 s on ts: COUNT(*); closes by the shared watermark\n"
       "    Scan meter: device, ts (5 pruned)\n"},
      {"WITH big AS (SELECT ts, device FROM meter WHERE power > 3) SELECT device, COUNT(*) AS c FROM "
       "TABLE(TUMBLE(TABLE big, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY device, window_start",
       "Project device, `COUNT(*)` AS c\n"
       "  Window TUMBLE 1 h on ts by device: COUNT(*); closes by each device's own watermark\n"
       "    Project ts, device\n      Filter power > 3.0\n        Scan meter: device, ts, power (4 pruned)\n"},
      {"SELECT x AS y FROM plain ORDER BY y DESC, UPPER(a) NULLS LAST LIMIT 10 OFFSET 5",
       "Sort by y DESC, `ORDER$1` NULLS LAST; first 10 rows after 5 rows\n"
       "  Project x AS y, UPPER(a) AS `ORDER$1`\n    Scan plain: a, x\n"},
      {"SELECT phase" + tumble + "GROUP BY phase, window_start ORDER BY 1, MAX(power) DESC FETCH FIRST 3 ROWS ONLY",
       "Sort by phase, `ORDER$1` DESC; first 3 rows\n  Project phase, `MAX(power)` AS `ORDER$1`\n"
       "    Window TUMBLE 10 s on ts by phase: MAX(power); closes by the shared watermark\n"
       "      Scan meter: device, ts, power, phase (3 pruned)\n"},
      {"SELECT a FROM plain UNION ALL SELECT a FROM plain ORDER BY A OFFSET 2 ROWS",
       "Sort by a after 2 rows\n  Union all\n    Scan plain: a (1 pruned)\n    Scan plain: a (1 pruned)\n"},
      {"INSERT INTO target SELECT device, window_end, AVG(n)" + tumble + "GROUP BY device, window_start, window_end",
       "Project device, window_end AS at_time, `AVG(n)` AS mean\n"
       "  Window TUMBLE 10 s on ts by device: AVG(n); closes by each device's own watermark\n"
       "    Scan meter: device, ts, n (4 pruned)\n"},
      {"INSERT INTO target (mean, device) SELECT n, device FROM meter",
       "Project device, CAST(NULL AS TIMESTAMP_LTZ(3)) AS at_time, CAST(n AS DOUBLE) AS mean\n"
       "  Scan meter: device, n (5 pruned)\n"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.sql);
    CHECK_EQ(plan_of(each.sql), each.plan);
  }
}

TEST_CASE("no expression is left without a type") {
  for (const char* text : {"NULL + NULL", "NULL = NULL", "NULL IS NULL", "COALESCE(NULL, NULL)", "NULLIF(NULL, NULL)",
                           "CASE WHEN NULL THEN NULL END", "- NULL", "NOT NULL", "NULL", "NULL IN (NULL)", "ABS(NULL)",
                           "NULL AND NULL", "NULL || NULL", "NULL LIKE NULL", "CASE NULL WHEN NULL THEN 1 END"}) {
    CAPTURE(text);
    const auto plan = plan_for(std::string("SELECT ") + text + " AS it FROM meter");
    const std::function<void(const Expression&)> check = [&](const Expression& expression) {
      CHECK_NE(expression.type, columnar::TypeKind::kNull);
      const auto* call = std::get_if<std::unique_ptr<Call>>(&expression.node);
      if (call != nullptr) std::ranges::for_each((*call)->arguments, check);
    };
    check(std::get<Project>(plan.root->node).expressions[0]);
  }
}

TEST_CASE("windows know their device") {
  const auto by_view = plan_for(
      "SELECT d, MAX(watts) AS m FROM TABLE(TUMBLE(TABLE loud, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) "
      "GROUP BY d, window_start, window_end");
  CHECK(std::get<WindowAggregate>(find_window(*by_view.root)->node).keyed_by_device);

  const auto hidden = plan_for(
      "SELECT MAX(power) AS m FROM TABLE(TUMBLE(TABLE anonymous, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) "
      "GROUP BY window_start, window_end");
  const PlanNode* node = find_window(*hidden.root);
  const auto& window = std::get<WindowAggregate>(node->node);
  CHECK_FALSE(window.keyed_by_device);
  REQUIRE(window.has_device_column);
  CHECK_EQ(node->inputs[0]->output->fields[window.device_column].name, "device");

  const auto cascaded = plan_for(
      "SELECT device, MAX(mean) AS m FROM TABLE(TUMBLE(TABLE minutes, DESCRIPTOR(window_time), INTERVAL '1' HOUR)) "
      "GROUP BY device, window_start, window_end");
  CHECK(std::get<WindowAggregate>(find_window(*cascaded.root)->node).keyed_by_device);
}

TEST_CASE("operator ids hang on the meaning of the node alone") {
  const std::string group = " GROUP BY device, window_start, window_end";
  const auto id = [&](const std::string& text) { return find_window(*plan_for(text).root)->operator_id; };
  const std::string base = id(std::string("SELECT device, AVG(power) AS p") + kTumble + group);
  CHECK_EQ(id(std::string("SELECT device AS d, AVG(power) + 1 AS q") + kTumble + group + " HAVING AVG(power) > 3"),
           base);
  CHECK_NE(id(std::string("SELECT device, AVG(n) AS p") + kTumble + group), base);
}

TEST_CASE("errors say what, where and what to do") {
  struct Case {
    std::string sql;
    std::string error;
  };
  const std::string tumble = kTumble;
  const Case cases[] = {
      {"SELECT powr FROM meter", "TG2003 unknown column 'powr' (line 1, column 8). Did you mean 'power'?"},
      {"SELECT power\nFROM metr",
       "TG2002 no stream or view 'metr' (line 2, column 6). SHOW TABLES and SHOW VIEWS list them"},
      {"SELECT * FROM TABLE(DETECT_MISING(TABLE meter PARTITION BY device, FOR => INTERVAL '1' HOUR))",
       "TG2001 expected a window or detection function but found 'DETECT_MISING' (line 1, column 21). Did you mean "
       "'DETECT_MISSING'?"},
      {"SELECT * FROM TABLE(DETECT_MISSING(TABLE meter PARTITION BY device, FR => INTERVAL '1' HOUR))",
       "TG2001 DETECT_MISSING has no argument 'FR' (line 1, column 69). Did you mean 'FOR'?"},
      {"SELECT * FROM TABLE(DETECT_COUNT(TABLE meter PARTITION BY device, WITHIN => INTERVAL '1' HOUR))",
       "TG2001 DETECT_COUNT has no TIMES (line 1, column 21). For example DETECT_COUNT(TABLE trips PARTITION BY "
       "device, "
       "TIMES => 3, WITHIN => INTERVAL '10' MINUTE)"},
      {"SELECT UPER(phase) FROM meter", "TG2005 unknown function UPER (line 1, column 8). Did you mean 'UPPER'?"},
      {"SELECT * FROM meter WHERE power = 'x'",
       "TG2004 = cannot mix DOUBLE and STRING (line 1, column 33). CAST one side, for example CAST(x AS DOUBLE)"},
      {"SELECT power" + tumble + "GROUP BY window_start",
       "TG2009 'power' is neither grouped nor aggregated (line 1, column 8). Add it to GROUP BY, or use an aggregate "
       "such "
       "as MAX(power)"},
      {"CREATE VIEW v AS SELECT phase, COUNT(*) FROM meter GROUP BY phase",
       "TG2006 GROUP BY without a window is not supported (line 1, column 52). Its result would change for ever; use "
       "FROM "
       "TABLE(TUMBLE(TABLE stream, DESCRIPTOR(ts), INTERVAL '10' SECOND)) and GROUP BY window_start, window_end"},
      {"SELECT COUNT(*) FROM meter GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)",
       "TG2006 GROUP BY TUMBLE(...) is not supported (line 1, column 37). Use FROM TABLE(TUMBLE(TABLE stream, "
       "DESCRIPTOR(ts), INTERVAL '10' SECOND)) and GROUP BY window_start, window_end"},
      {"SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE plain, DESCRIPTOR(x), INTERVAL '1' MINUTE)) GROUP BY window_start",
       "TG2015 stream 'plain' has no WATERMARK, so windows have no time to go by (line 1, column 59). Declare "
       "WATERMARK "
       "FOR ts AS ts - INTERVAL '5' SECOND in its CREATE TABLE"},
      {"SELECT a FROM (SELECT a FROM plain ORDER BY a)",
       "TG2006 ORDER BY is not supported (line 1, column 36). A stream has no end to sort at; sort where you read it, "
       "at the end of a SELECT"},
      {"SELECT a FROM plain ORDER BY 2", "TG2003 ORDER BY 2: the result has columns 1 to 1 (line 1, column 30)"},
      {"SELECT a FROM plain LIMIT x", "TG2001 expected a number of rows but found 'x' (line 1, column 27)"},
      {"SELECT 'open",
       "TG2001 the string has no closing quote (line 1, column 8). Write a quote inside a string twice: ''"},
      {"SELECT a, FROM plain", "TG2001 expected an expression but found 'FROM' (line 1, column 11)"},
      {"SELECT CURRENT_TIMESTAMP FROM plain",
       "TG2006 CURRENT_TIMESTAMP is not supported (line 1, column 8). Its result differs when the data is replayed; "
       "use "
       "the event time column"},
      {"SELECT 999999999999999999999999999999999999999 FROM plain",
       "TG2011 999999999999999999999999999999999999999 has more than 38 digits (line 1, column 8). Write it with an "
       "exponent to make it a DOUBLE: 1.5e0"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.sql);
    CHECK_EQ(error_of(each.sql), each.error);
  }
}

TEST_CASE("definitions and insertions are checked") {
  struct Case {
    std::string sql;
    std::string error;
  };
  const Case cases[] = {
      {"CREATE TABLE t (a STRING) WITH ('devise' = 'a')",
       "TG2010 unknown option 'devise' (line 1, column 33). Did you mean 'device'?"},
      {"CREATE TABLE t (a INT) WITH ('device' = 'a')",
       "TG2004 the device column 'a' must be STRING (line 1, column 41)"},
      {"CREATE TABLE t (a TIMESTAMP)",
       "TG2006 TIMESTAMP without a precision (Flink takes it as 6) is not supported (line 1, column 19). Use "
       "TIMESTAMP(3)"},
      {"CREATE TABLE t (a STRING, PRIMARY KEY (a) NOT ENFORCED)",
       "TG2006 PRIMARY KEY is not supported (line 1, column 27). Every stream is append-only in this version; leave "
       "the key out. A lookup table has 'connector' = 'filesystem'"},
      {"CREATE TABLE t (a STRING) WITH ('max_skew' = 'soon')",
       "TG2010 'max_skew' cannot be 'soon' (line 1, column 46). It takes a duration such as '5 min', '24 h', '500 ms' "
       "or "
       "'7 d'"},
      {"INSERT INTO target SELECT device FROM meter",
       "TG2012 the query has 1 column(s) but 'target' takes 3 (line 1, column 20). The columns of 'target' are device, "
       "at_time, mean"},
      {"INSERT INTO target SELECT device, ts, phase FROM meter",
       "TG2012 column 'mean' is DOUBLE but the query gives STRING ('phase') (line 1, column 39). CAST(... AS DOUBLE)"},
      {"INSERT INTO strict SELECT device, 1 FROM meter",
       "TG2012 column 'a' is NOT NULL but the query may give NULL ('device') (line 1, column 27). Use COALESCE(..., a "
       "value), or drop the NOT NULL"},
      {"SELECT * FROM meter JOIN plain ON true",
       "TG2006 'plain' is no lookup table, and streams cannot be joined with one another (line 1, column 26). A lookup "
       "table has PRIMARY KEY (...) NOT ENFORCED and 'connector' = 'filesystem' in its CREATE TABLE"},
      {"SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE meter, DESCRIPTOR(ts), INTERVAL '0' SECOND)) GROUP BY window_start",
       "TG2008 the window's interval must be longer than zero (line 1, column 64)"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.sql);
    CHECK_EQ(error_of(each.sql), each.error);
  }
}

TEST_CASE("a printed expression means the same when read again") {
  const char* expressions[] = {
      "power + 1 * n - 2",
      "-(power + 1) / 3",
      "- -n",
      "NOT (ok AND n > 1 OR n < -5)",
      "phase LIKE 'a%' ESCAPE '!'",
      "n NOT IN (1, 2, -3)",
      "power BETWEEN 1 AND n",
      "CASE WHEN ok THEN 1 ELSE n END",
      "CASE n WHEN 1 THEN 'a' WHEN 2 THEN 'b''c' END",
      "CAST(n AS STRING) || phase",
      "EXTRACT(HOUR FROM ts)",
      "FLOOR(ts TO MINUTE)",
      "POSITION('a' IN phase)",
      "SUBSTRING(phase FROM 2 FOR 3)",
      "TRIM(BOTH FROM phase)",
      "ts + INTERVAL '1:30' MINUTE TO SECOND",
      "ts > TIMESTAMP '2026-01-02 03:04:05.678'",
      "COALESCE(power, n, 0)",
      "NULLIF(n, 0) IS NOT NULL",
      "1.5e300 > power",
      "TO_TIMESTAMP_LTZ(big, 3)",
      "DATE_FORMAT(ts, 'yyyy')",
      "ROUND(power, 2)",
      "ts = ts - INTERVAL '-1.5' SECOND",
      "n = 1 AND n = 2 AND n = 3 AND n = 4 AND n = 5",
  };
  const auto printed = [](const std::string& expression) -> std::string {
    const auto plan = plan_for("SELECT " + expression + " AS it FROM meter");
    return to_string(std::get<Project>(plan.root->node).expressions[0]);
  };
  for (const char* expression : expressions) {
    CAPTURE(expression);
    const std::string once = printed(expression);
    CHECK_EQ(printed(once), once);
  }
}

TEST_CASE("scripts are split, with positions in the file") {
  const auto statements = split_script("-- first; not here\nSET 'pipeline.name' = 'a;b';\n  SELECT 1 FROM plain;;");
  REQUIRE(statements.has_value());
  REQUIRE_EQ(statements->size(), 2);
  CHECK_EQ((*statements)[0].text, "SET 'pipeline.name' = 'a;b'");
  CHECK_EQ((*statements)[1].start, TextPosition{3, 3});
  ScriptSettings settings;
  const FixedNames names;
  REQUIRE(analyze((*statements)[0], names, settings).has_value());
  CHECK_EQ(settings.pipeline_name, "a;b");
  const auto wrong = analyze({"SELECT nothing FROM plain", {7, 5}}, names, settings);
  REQUIRE_FALSE(wrong.has_value());
  CHECK_EQ(wrong.error().position, TextPosition{7, 12});
}

TEST_CASE("no text overflows the stack") {
  const auto repeat = [](const std::string& part, int times) {
    std::string text;
    for (int at = 0; at < times; ++at) text += part;
    return text;
  };
  const auto code = [](const std::string& text) {
    const auto statement = run(text);
    return statement ? 0 : static_cast<int>(statement.error().code);
  };
  CHECK_EQ(code("SELECT " + repeat("(", 100'000) + "1 FROM plain"), 2014);
  CHECK_EQ(code("SELECT " + repeat("- ", 100'000) + "x FROM plain"), 2014);
  CHECK_EQ(code("SELECT " + repeat("NOT ", 100'000) + "x FROM plain"), 2014);
  CHECK_EQ(code("SELECT x" + repeat(" + x", 100'000) + " FROM plain"), 2014);
  CHECK_EQ(code(repeat("EXPLAIN ", 100'000) + "SELECT x FROM plain"), 2014);
  CHECK_EQ(code("SELECT x FROM " + repeat("(SELECT x FROM ", 60'000) + "plain"), 2014);
  const std::string doubling = repeat("(", 90) + "ok" + repeat(" BETWEEN FALSE AND TRUE)", 90);
  CHECK_EQ(code("SELECT " + doubling + " FROM meter"), 2014);
  CHECK_EQ(code("SELECT x FROM plain WHERE x > 0" + repeat(" AND x < 9", 20'000)), 0);
  CHECK_EQ(code("SELECT x FROM plain -- " + repeat("x", 1 << 20)), 2014);
}

TEST_CASE("CREATE TABLE fills the definition") {
  auto statement = run(
      "CREATE TABLE IF NOT EXISTS t (`select` STRING NOT NULL, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' "
      "MINUTE) WITH ('device'='select', 'mqtt.topic'='m/+/#', 'max_skew'='500 ms', 'idle_timeout'='7 d', "
      "'close_after'='24 h', 'watermark.scope'='partition', 'retention'='30 days');");
  REQUIRE(statement.has_value());
  const auto& table = std::get<CreateTable>(**statement);
  CHECK(table.if_not_exists);
  CHECK_EQ(table.definition.device_column, 0);
  CHECK_EQ(table.definition.time_column, 1);
  CHECK_FALSE(table.definition.schema->fields[0].nullable);
  CHECK_EQ(table.definition.watermark_delay_us, 120 * kMicrosPerSecond);
  CHECK_EQ(table.definition.max_skew_us, 500 * kMicrosPerMilli);
  CHECK_EQ(table.definition.idle_timeout_us, 7 * 86'400 * kMicrosPerSecond);
  CHECK_EQ(table.definition.mqtt_topic, "m/+/#");
  CHECK_EQ(table.definition.watermark_scope, catalog::WatermarkScope::kPartition);
  CHECK_EQ(table.definition.options.at("retention"), "30 days");
  CHECK_NE(table.definition.sql.back(), ';');
}

}  // namespace tidegate::sql
