#include "codec/sample_preview.h"

#include "codec/json_encoder.h"
#include "codec/topic_pattern.h"

namespace tidegate::codec {

namespace {

constexpr size_t kMaxShownBytes = 500;  // of a dead letter's record

class LetterCollector final : public MisfitHandler {
 public:
  LetterCollector(SamplePreview& preview, size_t sample) : preview_(preview), sample_(sample) {}
  void on_misfit(Misfit misfit) override {
    ++preview_.dead;
    if (preview_.dead_letters.size() >= kMaxPreviewRows) return;
    preview_.dead_letters.push_back({sample_, misfit.position, misfit.code, std::move(misfit.reason),
                                     std::string(misfit.record.substr(0, kMaxShownBytes))});
  }

 private:
  SamplePreview& preview_;
  size_t sample_;
};

std::vector<TopicValue> topic_values(const SourceFormat& format, std::optional<size_t> device, const Sample& sample,
                                     columnar::StringPool& devices) {
  std::vector<TopicValue> out;
  for (const TopicColumn& column : format.topic_columns) {
    const std::string_view level = topic_level(sample.topic, column.level);
    if (level.empty()) continue;
    TopicValue value{column.column, level, std::nullopt};
    if (device == column.column) value.code = devices.intern(level);
    out.push_back(value);
  }
  return out;
}

}  // namespace

SamplePreview preview(const SourceFormat& format, const columnar::SchemaPtr& schema, std::optional<size_t> device,
                      std::optional<size_t> time, std::span<const Sample> samples, int64_t now_us) {
  constexpr uint32_t kMaxDevices = 100'000;  // of one preview; beyond, records have none
  SamplePreview out;
  columnar::StringPool devices(kMaxDevices);
  const auto decoder = make_decoder(format, {schema, device, &devices, time, kMaxRecordBytes});
  columnar::BatchBuilder rows(schema, device, &devices);
  const JsonEncoder encoder(schema);
  for (size_t at = 0; at < samples.size(); ++at) {
    LetterCollector letters(out, at);
    const auto from_topic = topic_values(format, device, samples[at], devices);
    RowRules rules;
    rules.arrival_us = now_us;
    if (format.arrival_is_time) rules.default_time_us = now_us - now_us % kMicrosPerMilli;
    if (device) rules.default_device = devices.intern("(sender)");
    rules.from_topic = from_topic;
    const Decoded decoded = decoder->decode({samples[at].payload, false, samples[at].topic}, rules, rows, letters);
    out.good += decoded.good;
    out.unknown_names += decoded.unknown_keys;
    const columnar::Batch batch = rows.finish();
    for (size_t row = 0; row < batch.rows && out.rows.size() < kMaxPreviewRows; ++row) {
      encoder.append_row(batch, row, out.rows.emplace_back());
    }
  }
  return out;
}

}  // namespace tidegate::codec
