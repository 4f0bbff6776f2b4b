#include "ingest/internal/computed_time.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/json_encoder.h"
#include "codec/timestamp_text.h"
#include "codec/utf8.h"

namespace tidegate::ingest {

namespace {

constexpr size_t kShownBytes = 60;  // of a value in a message: enough to recognise it

// From places in the stream to places among the columns that are used.
void narrow(sql::Expression& expression, const std::vector<size_t>& used) {
  if (auto* column = std::get_if<sql::ColumnRef>(&expression.node)) {
    column->index = static_cast<size_t>(std::ranges::lower_bound(used, column->index) - used.begin());
  } else if (auto* call = std::get_if<std::unique_ptr<sql::Call>>(&expression.node)) {
    for (sql::Expression& argument : (*call)->arguments) narrow(argument, used);
  }
}

}  // namespace

ComputedTime::ComputedTime(const sql::Expression& expression, std::string column)
    : column_(std::move(column)), text_(sql::to_string(expression)), columns_(sql::columns_of(expression)) {
  sql::Expression narrowed = expression.clone();
  narrow(narrowed, columns_);
  evaluator_ = compute::compile(narrowed);
  row_.columns.resize(columns_.size());
  row_.rows = 1;
}

Result<std::optional<int64_t>> ComputedTime::time_of(const columnar::BatchBuilder& rows) {
  if (row_.schema == nullptr) {
    auto schema = std::make_shared<columnar::Schema>();
    for (const size_t column : columns_) schema->fields.push_back(rows.schema()->fields[column]);
    row_.schema = std::move(schema);
  }
  for (size_t at = 0; at < columns_.size(); ++at) row_.columns[at] = rows.column(columns_[at]).copy(rows.rows(), 1);
  const uint64_t errors = evaluator_->errors();
  const columnar::ColumnPtr result = evaluator_->evaluate(row_);
  if (evaluator_->errors() != errors) return refuse("cannot be computed");
  if (!result->valid(0)) return std::nullopt;
  const int64_t time_us = result->values<int64_t>()[0];
  if (time_us < codec::kMinTimestampUs || time_us > codec::kMaxTimestampUs)
    return refuse("is not in the years 1 to 9999");
  return time_us;
}

std::unexpected<Error> ComputedTime::refuse(std::string_view why) const {
  std::string values;
  for (size_t at = 0; at < columns_.size(); ++at) {
    std::string value;
    codec::append_json_value(*row_.columns[at], 0, value);
    values += fmt::format("{}{} = {}", values.empty() ? "" : ", ", row_.schema->fields[at].name,
                          codec::valid_utf8(value, kShownBytes));
  }
  return fail(ErrorCode::RecordDoesNotFit,
              fmt::format("column '{}' {}: {}{}{}", column_, why, text_, values.empty() ? "" : " of ", values));
}

}  // namespace tidegate::ingest
