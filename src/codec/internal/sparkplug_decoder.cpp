#include "codec/internal/sparkplug_decoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "codec/internal/cbor_reader.h"
#include "codec/utf8.h"

namespace tidegate::codec {

SparkplugDecoder::SparkplugDecoder(const SourceFormat& format, DecoderTarget target)
    : target_(std::move(target)), nodes_(format.sparkplug), run_(target_), writer_(format, target_, run_) {
  CHECK(nodes_ != nullptr && (!target_.device_column || target_.devices != nullptr));
}

Decoded SparkplugDecoder::decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows,
                                 MisfitHandler& misfits) {
  run_.start(rules, rows, misfits);
  const auto topic = parse_sparkplug_topic(payload.topic);
  if (topic && topic->type == SparkplugType::kOther) return run_.decoded;
  shown_ = hex_text(payload.bytes);
  if (!topic) {
    run_.report(Error{ErrorCode::RecordMalformed,
                      fmt::format("a topic spBv1.0/GROUP/TYPE/NODE[/DEVICE] expected, but '{}' came",
                                  valid_utf8(payload.topic, 80)),
                      {},
                      {}},
                shown_);
    return run_.decoded;
  }
  if (payload.bytes.size() > target_.max_record_bytes) {
    run_.check_size(payload.bytes);
    return run_.decoded;
  }
  if (auto error = parse_sparkplug(payload.bytes, payload_)) {
    run_.report(std::move(*error), shown_);
    return run_.decoded;
  }
  set_attributes(*topic);
  if (topic->death()) {
    nodes_->died(*topic);
    write_death(*topic, shown_);
    return run_.decoded;
  }
  if (topic->birth() && !nodes_->born(*topic, payload_)) {
    run_.report(Error{ErrorCode::LimitReached,
                      fmt::format("not all metrics of this birth are remembered: {} of all edge nodes are the limit",
                                  SparkplugNodes::kMaxKnown),
                      {},
                      {}},
                shown_);
  }
  write_metrics(*topic, shown_);
  return run_.decoded;
}

void SparkplugDecoder::set_attributes(const SparkplugTopic& topic) {
  device_ = topic.device.empty() ? fmt::format("{}/{}", topic.group, topic.node)
                                 : fmt::format("{}/{}/{}", topic.group, topic.node, topic.device);
  attributes_.clear();
  attributes_.push_back({"device", Scalar::of(std::string_view(device_)), true});
  attributes_.push_back({"group_id", Scalar::of(topic.group), true});
  attributes_.push_back({"edge_node_id", Scalar::of(topic.node), true});
  if (!topic.device.empty()) attributes_.push_back({"device_id", Scalar::of(topic.device), true});
  attributes_.push_back({"message_type", Scalar::of(topic.type_name), true});
  attributes_.push_back({"online", Scalar::boolean(!topic.death()), true});
  if (payload_.sequence) attributes_.push_back({"seq", Scalar::of(static_cast<int64_t>(*payload_.sequence)), true});
}

// Of the metric, else of the payload, else when it came. What is out of range stays so, to be refused.
int64_t SparkplugDecoder::time_of(std::optional<uint64_t> metric_ms) const {
  const auto time_ms = metric_ms ? metric_ms : payload_.timestamp_ms;
  if (!time_ms) return run_.rules().arrival_us;
  int64_t time_us = 0;
  const bool overflow = __builtin_mul_overflow(*time_ms, kMicrosPerMilli, &time_us);
  return overflow ? std::numeric_limits<int64_t>::max() : time_us;
}

void SparkplugDecoder::write_metrics(const SparkplugTopic& topic, std::string_view raw) {
  nodes_->look_up(topic, payload_, known_);
  timed_.clear();
  size_t unknown = 0;
  uint64_t first_unknown = 0;
  for (size_t at = 0; at < payload_.metrics.size(); ++at) {
    const SparkplugMetric& metric = payload_.metrics[at];
    if (!known_[at]) {
      if (unknown++ == 0) first_unknown = metric.alias.value_or(0);
      continue;
    }
    timed_.push_back(
        {time_of(metric.timestamp_ms), {known_[at]->name, sparkplug_value(metric, known_[at]->data_type), {}, {}}});
  }
  // One for all of them: a node whose birth was missed would else flood the dead letters.
  if (unknown > 0) {
    run_.report(Error{ErrorCode::RecordDoesNotFit,
                      fmt::format("{} metrics of '{}' have an alias that no birth has named ({} is the first); ask the "
                                  "edge node for a rebirth (Node Control/Rebirth)",
                                  unknown, valid_utf8(device_, 80), first_unknown),
                      {},
                      {}},
                raw);
  }
  std::ranges::stable_sort(timed_, {}, &Timed::time_us);
  for (size_t at = 0; at < timed_.size();) {
    const int64_t time_us = timed_[at].time_us;
    together_.clear();
    while (at < timed_.size() && timed_[at].time_us == time_us) together_.push_back(timed_[at++].metric);
    attributes_.push_back({"time", Scalar::instant(time_us), true});
    writer_.write(attributes_, together_, raw);
    attributes_.pop_back();
  }
}

// A death is news only to those who have a column for it. The will of a node was written when it connected, so that its
// time says nothing.
void SparkplugDecoder::write_death(const SparkplugTopic& topic, std::string_view raw) {
  if (!writer_.takes("online") && !writer_.takes("message_type")) return;
  const bool node = topic.type == SparkplugType::kNodeDeath;
  attributes_.push_back({"time", Scalar::instant(node ? run_.rules().arrival_us : time_of(std::nullopt)), true});
  writer_.write_attributes(attributes_, raw);
}

}  // namespace tidegate::codec
