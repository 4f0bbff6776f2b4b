// InfluxDecoder: InfluxDB line protocol into rows.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "codec/internal/decode_run.h"
#include "codec/internal/metric_writer.h"

namespace tidegate::codec {

class InfluxDecoder final : public RecordDecoder {
 public:
  InfluxDecoder(const SourceFormat& format, DecoderTarget target);
  Decoded decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows,
                 MisfitHandler& misfits) override;

 private:
  // The line that is being read.
  struct Line {
    std::string_view text;
    size_t at = 0;
    [[nodiscard]] bool done() const { return at == text.size(); }
    [[nodiscard]] char next() const { return at < text.size() ? text[at] : '\0'; }
  };

  static size_t line_size(std::string_view rest);
  bool read_line(std::string_view text, bool report);
  std::optional<Error> parse(Line& line);
  std::optional<Error> parse_tags(Line& line);
  std::optional<Error> parse_fields(Line& line);
  std::optional<Error> parse_time(Line& line);
  std::optional<Error> parse_value(Line& line, Scalar& value);
  std::string_view take_name(Line& line, std::string_view stops);

  DecoderTarget target_;
  const int64_t per_micro_;  // of the timestamps; 0: micros_ of them make one
  const int64_t micros_;
  DecodeRun run_;
  MetricWriter writer_;
  std::vector<Attribute> attributes_;
  std::vector<Metric> metrics_;
  std::deque<std::string> unescaped_;  // of the line
};

}  // namespace tidegate::codec
