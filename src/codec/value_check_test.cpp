#include "codec/value_check.h"

#include <doctest/doctest.h>

#include "codec/source_format.h"

namespace tidegate::codec {

namespace {

using columnar::TypeKind;

const columnar::SchemaPtr kSchema = std::make_shared<const columnar::Schema>(columnar::Schema{
    {{"device", TypeKind::kString, true}, {"v", TypeKind::kDouble, true}, {"q", TypeKind::kString, true}}});

ValueRulesPtr rules_of(const SourceOptions& options) {
  auto format = parse_source_format(options, {*kSchema, 0, std::nullopt});
  REQUIRE(format);
  return format->values;
}

struct Row {
  std::optional<double> v;
  std::optional<std::string> q;
};

columnar::Batch batch_of(const std::vector<Row>& rows) {
  columnar::BatchBuilder out(kSchema);
  for (const Row& row : rows) {
    out.column(0).append_string("a");
    row.v ? out.column(1).append(*row.v) : out.column(1).append_null();
    row.q ? out.column(2).append_string(*row.q) : out.column(2).append_null();
    out.end_row();
  }
  return out.finish();
}

std::vector<std::string> qualities(const columnar::Batch& rows) {
  std::vector<std::string> out;
  for (size_t row = 0; row < rows.rows; ++row) {
    const columnar::Column& column = *rows.columns[2];
    out.push_back(column.valid(row) ? std::string(column.string_at(row)) : "-");
  }
  return out;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("rows out of their range are bad where there is a quality, and no row is lost") {
  const auto rules = rules_of({{"range.v", "0..10"}, {"quality", "q"}});
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto checked = check_rows(*rules, batch_of({{0, {}},
                                                    {10, "good"},
                                                    {10.5, "good"},
                                                    {-1, {}},
                                                    {nan, "substituted"},
                                                    {{}, "uncertain"},
                                                    {{}, {}},
                                                    {11, "bad"}}));
  CHECK(checked.misfits.empty());
  CHECK(qualities(checked.rows) == Words{"good", "good", "bad", "bad", "bad", "uncertain", "good", "bad"});
}

TEST_CASE("a word that is no quality is a misfit, whatever else is wrong with the row") {
  const auto rules = rules_of({{"range.v", "0..10"}, {"quality", "q"}});
  const auto checked = check_rows(*rules, batch_of({{5, "fine"}, {50, "GOOD"}, {50, {}}, {5, "\xff"}}));
  REQUIRE(checked.misfits.size() == 3);
  CHECK(checked.misfits[0].row == 0);
  CHECK(checked.misfits[1].row == 1);
  CHECK(checked.misfits[2].row == 3);
  for (const MisfitRow& misfit : checked.misfits) CHECK(misfit.error.code == ErrorCode::RecordDoesNotFit);
  CHECK(checked.misfits[2].error.message.find("\xff") == std::string::npos);
  CHECK(qualities(checked.rows) == Words{"bad"});
}

TEST_CASE("rows out of their range are misfits in their order where there is no quality") {
  const auto rules = rules_of({{"range.v", "0..10"}, {"unit.v", "Cel"}});
  const auto checked = check_rows(*rules, batch_of({{11, {}}, {5, "x"}, {{}, "y"}, {-0.5, {}}}));
  REQUIRE(checked.misfits.size() == 2);
  CHECK(checked.misfits[0].row == 0);
  CHECK(checked.misfits[1].row == 3);
  CHECK(checked.misfits[1].error.code == ErrorCode::ValueOutOfRange);
  CHECK(checked.misfits[1].error.message == "column 'v' is -0.5 Cel, outside of its range 0..10");
  CHECK(qualities(checked.rows) == Words{"x", "y"});
  const auto all_wrong = check_rows(*rules, batch_of({{11, {}}, {12, {}}}));
  CHECK(all_wrong.rows.rows == 0);
  CHECK(all_wrong.misfits.size() == 2);
  CHECK(check_rows(*rules, batch_of({})).rows.rows == 0);
}

TEST_CASE("rows that lack the last columns of the stream are checked by the others") {
  const auto rules = rules_of({{"range.v", "0..10"}, {"quality", "q"}});
  columnar::Batch rows = batch_of({{5, {}}, {50, {}}});
  auto narrow = *kSchema;
  narrow.fields.pop_back();
  rows.schema = std::make_shared<const columnar::Schema>(narrow);
  rows.columns.pop_back();
  const auto checked = check_rows(*rules, rows);
  CHECK(checked.rows.rows == 1);
  REQUIRE(checked.misfits.size() == 1);
  CHECK(checked.misfits[0].row == 1);
  // What is fine is handed on as it came.
  CHECK(checked.rows.columns.size() == 2);
  const auto untouched = batch_of({{5, "good"}});
  CHECK(check_rows(*rules, untouched).rows.columns[2] == untouched.columns[2]);
}

}  // namespace tidegate::codec
