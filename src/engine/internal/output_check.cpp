#include "engine/internal/output_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/letter_case.h"
#include "codec/json_encoder.h"
#include "codec/source_format.h"
#include "codec/utf8.h"
#include "codec/value_check.h"
#include "engine/internal/epoch_outputs.h"

namespace tidegate::engine {

namespace {

constexpr size_t kMaxPayloadBytes = 64U << 10;  // of a dead letter: enough to see what is wrong with it

// Columns of catalog::dead_letter_schema().
constexpr size_t kTime = 0;
constexpr size_t kDevice = 1;
constexpr size_t kTopic = 2;
constexpr size_t kCode = 3;
constexpr size_t kReason = 4;
constexpr size_t kPayload = 5;

// The column that an option names which rows are checked by, or which says more of what is wrong.
std::string_view column_of(const std::string& key, const std::string& value) {
  if (key == "quality") return value;
  for (const std::string_view prefix : {"range.", "unit."}) {
    if (key.starts_with(prefix)) return std::string_view(key).substr(prefix.size());
  }
  return {};
}

// Those of the columns that the pipeline knows.
codec::SourceOptions rule_options(const catalog::StreamDefinition& target) {
  codec::SourceOptions out;
  for (const auto& [key, value] : target.options) {
    const std::string_view column = column_of(key, value);
    const auto is_it = [&](const columnar::Field& field) { return equal_ignoring_case(field.name, column); };
    if (!column.empty() && std::ranges::any_of(target.schema->fields, is_it)) out[key] = value;
  }
  return out;
}

}  // namespace

Result<OutputCheck> OutputCheck::create(StreamPtr target, StreamPtr dead_letters, std::string pipeline) {
  OutputCheck check;
  check.target_ = std::move(target);
  check.pipeline_ = std::move(pipeline);
  if (check.target_ == nullptr) return check;
  const codec::SourceOptions options = rule_options(*check.target_);
  if (options.empty()) return check;
  const catalog::StreamDefinition& stream = *check.target_;
  auto format = codec::parse_source_format(options, {*stream.schema, stream.device_column, stream.time_column});
  if (!format) return fail(std::move(format.error().error));
  if (format->values == nullptr || !format->values->check_records()) return check;
  if (dead_letters == nullptr) {
    return fail(ErrorCode::BadRequest,
                fmt::format("stream '{}' has no dead letters for what does not fit", stream.name));
  }
  check.rules_ = std::move(format->values);
  check.dead_letters_ = std::move(dead_letters);
  return check;
}

size_t OutputCheck::add(columnar::Batch rows, int64_t clock_us, columnar::StringPool& devices,
                        log::EpochCommit& epoch) {
  if (target_ == nullptr) return rows.rows;
  rows = as_rows_of(*target_, std::move(rows), devices);
  columnar::Batch dead;
  if (rules_ != nullptr) {
    codec::CheckedRows checked = codec::check_rows(*rules_, rows);
    if (!checked.misfits.empty()) dead = dead_letters_of(rows, checked.misfits, clock_us, devices);
    rows = std::move(checked.rows);
  }
  const size_t fit = rows.rows;
  misfits_ += dead.rows;
  add_rows(target_->id, std::move(rows), epoch);
  if (dead.rows > 0) add_rows(dead_letters_->id, std::move(dead), epoch);
  return fit;
}

columnar::Batch OutputCheck::dead_letters_of(const columnar::Batch& rows, const std::vector<codec::MisfitRow>& misfits,
                                             int64_t clock_us, columnar::StringPool& devices) const {
  columnar::BatchBuilder out(dead_letters_->schema, dead_letters_->device_column, &devices);
  const codec::JsonEncoder encoder(target_->schema);
  for (const codec::MisfitRow& misfit : misfits) {
    std::string payload;
    encoder.append_row(rows, misfit.row, payload);
    out.column(kTime).append<int64_t>(clock_us);
    const columnar::Column* device = target_->device_column ? rows.columns[*target_->device_column].get() : nullptr;
    if (device != nullptr && device->valid(misfit.row)) {
      if (out.column(kDevice).is_dictionary() && device->is_dictionary()) {
        out.column(kDevice).append<uint32_t>(device->values<uint32_t>()[misfit.row]);
      } else {
        out.column(kDevice).append_string(device->string_at(misfit.row));
      }
    } else {
      out.column(kDevice).append_null();
    }
    out.column(kTopic).append_null();
    out.column(kCode).append<int32_t>(static_cast<int32_t>(misfit.error.code));
    out.column(kReason).append_string(fmt::format("{} (pipeline '{}')", misfit.error.message, pipeline_));
    out.column(kPayload).append_string(codec::valid_utf8(payload, kMaxPayloadBytes));
    out.end_row();
  }
  return out.finish();
}

}  // namespace tidegate::engine
