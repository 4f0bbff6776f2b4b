#include <fmt/format.h>

#include "codec/json_encoder.h"
#include "sinks/internal/outlet.h"
#include "sinks/internal/topic_template.h"

namespace tidegate::sinks {

namespace {

// One message a row. "_id" is the same whenever the row goes out again, so that receivers can drop repetitions.
class MqttOutlet final : public Outlet {
 public:
  MqttOutlet(std::string stream, TopicTemplate topic, columnar::SchemaPtr schema, Publish publish)
      : stream_(std::move(stream)),
        topic_(std::move(topic)),
        encoder_(std::move(schema)),
        publish_(std::move(publish)) {}

  Result<> resume(std::string_view) override { return {}; }

  Delivered deliver(const Delivery& delivery) override {
    size_t out = 0;
    for (const Piece& piece : delivery.pieces) {
      const columnar::Batch& batch = piece.batch.value();
      for (size_t row = 0; row < batch.rows; ++row, ++out) {
        if (auto sent = publish_row(batch, row, piece.first); !sent) return {out, std::move(sent.error())};
      }
    }
    return {.rows = out};
  }

  [[nodiscard]] std::string mark() const override { return {}; }

 private:
  Result<> publish_row(const columnar::Batch& batch, size_t row, Offset first) {
    row_topic_.clear();
    payload_.clear();
    id_.assign("\"_id\":");
    codec::append_json_string(fmt::format("{}:{}", stream_, first.value + static_cast<int64_t>(row)), id_);
    topic_.append(batch, row, row_topic_);
    encoder_.append_row(batch, row, id_, payload_);
    return publish_(row_topic_, payload_);
  }

  std::string stream_;
  TopicTemplate topic_;
  codec::JsonEncoder encoder_;
  Publish publish_;
  // Of the row under way; members to keep their memory.
  std::string row_topic_;
  std::string payload_;
  std::string id_;
};

}  // namespace

Result<std::unique_ptr<Outlet>> make_mqtt_outlet(const catalog::StreamDefinition& stream, const Publish& publish) {
  TRY_ASSIGN(auto topic, TopicTemplate::parse(stream.mqtt_topic, *stream.schema));
  return std::make_unique<MqttOutlet>(stream.name, std::move(topic), stream.schema, publish);
}

}  // namespace tidegate::sinks
