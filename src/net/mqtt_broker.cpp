#include "net/mqtt_broker.h"

#include "net/internal/mqtt_core.h"
#include "net/internal/mqtt_text.h"

namespace tidegate::net {

MqttBroker::MqttBroker(std::unique_ptr<MqttCore> core) : core_(std::move(core)) {}
MqttBroker::~MqttBroker() = default;

Result<std::unique_ptr<MqttBroker>> MqttBroker::create(MqttBrokerOptions options, MqttHandler& handler,
                                                       MqttPersistence* persistence, const io::Clock& clock,
                                                       io::Random& random) {
  auto core = std::make_unique<MqttCore>(options, handler, persistence, clock, random);
  if (persistence != nullptr) TRY(core->load(*persistence));
  return std::unique_ptr<MqttBroker>(new MqttBroker(std::move(core)));
}

Result<> MqttBroker::publish(std::string_view topic, std::string_view payload, uint8_t qos, bool retain,
                             const MqttProperties& properties) {
  if (!valid_topic_name(topic)) {
    return fail(ErrorCode::ConfigInvalid, "'" + std::string(topic) + "' is not a topic to publish to",
                "use a name without + and #, at most 4096 bytes");
  }
  if (payload.size() > core_->options().max_packet_bytes) {
    return fail(ErrorCode::RecordTooLarge, "a message for '" + std::string(topic) + "' is too large");
  }
  auto message = std::make_shared<MqttMessage>();
  message->topic = topic;
  message->payload = payload;
  message->qos = qos;
  message->retain = retain;
  write_stored_properties(message->properties, properties);
  if (retain && !core_->retain(message)) {
    return fail(ErrorCode::LimitReached, "too many retained messages");
  }
  if (core_->has_subscribers()) core_->forward(*core_->find_route(topic), message, nullptr);
  return {};
}

MqttStats MqttBroker::stats() const {
  const MqttCounters& counters = core_->counters();
  return {counters.connections,          counters.messages_in, counters.messages_out, counters.messages_dropped,
          counters.publications_refused, counters.bytes_in,    counters.bytes_out};
}

}  // namespace tidegate::net
