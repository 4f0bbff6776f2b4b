// SparkplugDecoder: Sparkplug B messages into rows.
#pragma once

#include <string>
#include <vector>

#include "codec/internal/decode_run.h"
#include "codec/internal/metric_writer.h"
#include "codec/internal/sparkplug_nodes.h"
#include "codec/internal/sparkplug_payload.h"

namespace tidegate::codec {

class SparkplugDecoder final : public RecordDecoder {
 public:
  SparkplugDecoder(const SourceFormat& format, DecoderTarget target);
  Decoded decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows,
                 MisfitHandler& misfits) override;

 private:
  struct Timed {
    int64_t time_us;
    Metric metric;
  };

  void set_attributes(const SparkplugTopic& topic);
  void write_metrics(const SparkplugTopic& topic, std::string_view raw);
  void write_death(const SparkplugTopic& topic, std::string_view raw);
  [[nodiscard]] int64_t time_of(std::optional<uint64_t> metric_ms) const;

  DecoderTarget target_;
  std::shared_ptr<SparkplugNodes> nodes_;  // shared by the decoders of the stream
  DecodeRun run_;
  MetricWriter writer_;
  SparkplugPayload payload_;
  std::vector<std::optional<SparkplugNodes::Known>> known_;
  std::vector<Timed> timed_;
  std::vector<Metric> together_;
  std::vector<Attribute> attributes_;
  std::string device_;
  std::string shown_;  // the payload for people, until the next one
};

}  // namespace tidegate::codec
