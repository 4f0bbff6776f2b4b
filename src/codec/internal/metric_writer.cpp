#include "codec/internal/metric_writer.h"

namespace tidegate::codec {

MetricWriter::MetricWriter(const SourceFormat& format, const DecoderTarget& target, DecodeRun& run)
    : run_(run),
      rows_(format.metrics_as_rows),
      names_(format, target),
      writer_(*target.schema, format.times),
      metric_(names_.find("metric")),
      value_(names_.find("value")),
      text_(names_.find("text")),
      flag_(names_.find("flag")),
      unit_(names_.find("unit")),
      sum_(names_.find("sum")) {}

std::optional<Error> MetricWriter::write_common(std::span<const Attribute> attributes, RowTarget& row) {
  for (const Attribute& attribute : attributes) {
    const auto column = attribute.own ? names_.find_own(attribute.name) : names_.find(attribute.name);
    if (!column) {
      // What the format says of itself is not asked for by most; a tag without a column is worth counting.
      if (!attribute.own) ++run_.decoded.unknown_keys;
      continue;
    }
    if (auto error = writer_.write(*column, attribute.value, row)) return error;
  }
  return std::nullopt;
}

std::optional<size_t> MetricWriter::value_column(const Scalar& value) const {
  switch (value.kind) {
    case Scalar::Kind::kText:
    case Scalar::Kind::kBytes: return text_;
    case Scalar::Kind::kBoolean: return flag_;
    case Scalar::Kind::kOther: return std::nullopt;
    default: return value_;
  }
}

std::optional<Error> MetricWriter::write_long(const Metric& metric, size_t value_column, RowTarget& row) {
  if (metric_ && !metric.name.empty()) {
    if (auto error = writer_.write(*metric_, Scalar::of(metric.name), row)) return error;
  }
  if (auto error = writer_.write(value_column, metric.value, row)) return error;
  if (unit_ && !metric.unit.empty()) {
    if (auto error = writer_.write(*unit_, Scalar::of(metric.unit), row)) return error;
  }
  if (sum_ && metric.sum.kind != Scalar::Kind::kNull) return writer_.write(*sum_, metric.sum, row);
  return std::nullopt;
}

void MetricWriter::write(std::span<const Attribute> attributes, std::span<const Metric> metrics, std::string_view raw) {
  if (!rows_) {
    RowTarget& row = run_.begin_row();
    std::optional<Error> error = write_common(attributes, row);
    for (size_t at = 0; at < metrics.size() && !error; ++at) {
      const auto column = metrics[at].name.empty() ? value_ : names_.find(metrics[at].name);
      if (column) {
        error = writer_.write(*column, metrics[at].value, row);
      } else {
        ++run_.decoded.unknown_keys;
      }
    }
    run_.end_row(std::move(error), raw);
    return;
  }
  for (const Metric& metric : metrics) {
    const auto column = value_column(metric.value);
    if (!column) {
      ++run_.decoded.unknown_keys;
      continue;
    }
    RowTarget& row = run_.begin_row();
    std::optional<Error> error = write_common(attributes, row);
    if (!error) error = write_long(metric, *column, row);
    run_.end_row(std::move(error), raw);
  }
}

void MetricWriter::write_attributes(std::span<const Attribute> attributes, std::string_view raw) {
  RowTarget& row = run_.begin_row();
  run_.end_row(write_common(attributes, row), raw);
}

}  // namespace tidegate::codec
