#include "net/internal/mqtt_protocol.h"

#include <algorithm>

#include "net/internal/mqtt_text.h"

namespace tidegate::net {

using enum MqttReason;

MqttProtocol::MqttProtocol(MqttThread& thread, uint64_t id, std::optional<std::string> fingerprint)
    : thread_(thread),
      id_(id),
      fingerprint_(std::move(fingerprint)),
      last_read_us_(thread.core.clock().monotonic_us()) {}

size_t MqttProtocol::read(std::string_view bytes, size_t& needed) {
  last_read_us_ = thread_.core.clock().monotonic_us();
  needed = 0;
  held_us_ = 0;
  size_t at = 0;
  while (!closing_) {
    MqttFrame frame;
    const size_t most = thread_.core.options().max_packet_bytes;
    const auto status = read_frame(bytes.substr(at), session_ ? most : std::min(most, kMaxConnectBytes), frame);
    if (status == MqttFrameStatus::kIncomplete) {
      needed = frame.size;
      break;
    }
    MqttReason reason = status == MqttFrameStatus::kTooLarge ? kPacketTooLarge : kMalformedPacket;
    if (status == MqttFrameStatus::kComplete) {
      reason = handle(frame);
      if (held_us_ > 0) {
        needed = frame.size;
        break;
      }
      at += frame.size;
    }
    if (reason != kSuccess) close_with(reason);
  }
  return at;
}

MqttReason MqttProtocol::handle(const MqttFrame& frame) {
  if (!session_) return frame.type == MqttPacketType::kConnect ? on_connect(frame) : kProtocolError;
  switch (frame.type) {
    case MqttPacketType::kPublish: return on_publish(frame);
    case MqttPacketType::kPuback:
    case MqttPacketType::kPubrec:
    case MqttPacketType::kPubrel:
    case MqttPacketType::kPubcomp: return on_ack(frame);
    case MqttPacketType::kSubscribe: return on_subscribe(frame);
    case MqttPacketType::kUnsubscribe: return on_unsubscribe(frame);
    case MqttPacketType::kPingreq: {
      const MqttReason reason = check_empty(frame);
      if (reason == kSuccess) write_empty(output_, MqttPacketType::kPingresp);
      return reason;
    }
    case MqttPacketType::kDisconnect: return on_disconnect(frame);
    case MqttPacketType::kAuth: return is_v5() ? kBadAuthenticationMethod : kProtocolError;
    default: return kProtocolError;
  }
}

MqttReason MqttProtocol::on_publish(const MqttFrame& frame) {
  MqttPublish& publish = thread_.publish;
  publish.properties.clear();
  MqttReason reason = parse_publish(frame, version_, known_topic_, publish);
  if (reason == kSuccess && is_v5() && !publish.properties.empty()) reason = resolve_alias(publish);
  if (reason != kSuccess) return reason;
  ++thread_.messages_in;
  if (!may_publish(publish.topic)) return refuse_publication(publish, kNotAuthorized);
  MqttPendingAck ack{id_, publish.packet_id, publish.qos, false, kSuccess, nullptr};
  if (publish.qos == 2) {
    ack.session = session_;
    ack.repeated = session_->begin_inbound(publish.packet_id) != MqttSession::Inbound::kNew;
    if (ack.repeated) {
      thread_.acks.add(std::move(ack));
      return kSuccess;
    }
  }
  if (publish.qos > 0 && ++unacknowledged_ > thread_.core.options().receive_maximum && is_v5()) {
    return kReceiveMaximumExceeded;
  }
  const auto taken = take_publication(publish);
  if (taken && taken->hold_us == 0) {
    if (publish.qos > 0) thread_.acks.add(std::move(ack));
    return kSuccess;
  }
  if (publish.qos > 0) --unacknowledged_;
  if (publish.qos == 2) session_->settle_inbound(publish.packet_id, false);
  return taken ? hold(taken->hold_us) : refuse_publication(publish, taken.error());
}

// As if it had not come yet.
MqttReason MqttProtocol::hold(int64_t hold_us) {
  --thread_.messages_in;
  held_us_ = std::min(hold_us, kLongestHoldUs);
  return kSuccess;
}

MqttOverQuota MqttProtocol::over_quota(const MqttPublish& publish) const {
  if (publish.qos == 0) return MqttOverQuota::kDrop;
  return is_v5() ? MqttOverQuota::kRefuse : MqttOverQuota::kHold;
}

MqttReason MqttProtocol::resolve_alias(MqttPublish& publish) {
  if (publish.properties.has(MqttProperty::kSubscriptionId)) return kProtocolError;
  if (!publish.properties.has(MqttProperty::kTopicAlias)) return kSuccess;
  const uint32_t alias = publish.properties.number(MqttProperty::kTopicAlias, 0);
  if (alias > thread_.core.options().topic_alias_maximum) return kTopicAliasInvalid;
  if (aliases_.size() < alias) aliases_.resize(alias);
  std::string& stored = aliases_[alias - 1];
  if (!publish.topic.empty()) {
    stored = publish.topic;
  } else if (stored.empty()) {
    return kProtocolError;
  } else {
    publish.topic = stored;
  }
  return kSuccess;
}

bool MqttProtocol::may_publish(std::string_view topic) {
  if (topic == known_topic_ && last_read_us_ < permitted_until_us_) return true;
  if (topic.starts_with("$SYS/") || !thread_.core.handler().may_publish(*identity_, topic)) return false;
  known_topic_ = topic;
  permitted_until_us_ = last_read_us_ + kPermissionMemoryUs;
  return true;
}

Result<MqttTaken> MqttProtocol::take_publication(const MqttPublish& publish) {
  auto taken = thread_.lane.publish({*identity_, publish.topic, publish.payload, over_quota(publish)});
  if (!taken || taken->hold_us > 0 || taken->dropped) return taken;
  if (publish.retain || thread_.core.has_subscribers()) distribute(publish);
  return taken;
}

void MqttProtocol::distribute(const MqttPublish& publish) {
  MqttCore& core = thread_.core;
  MqttRoute& route = core.route(thread_.routes, publish.topic);
  if (!publish.retain && route.targets.empty() && route.groups.empty()) return;
  auto message = std::make_shared<MqttMessage>();
  message->topic = publish.topic;
  message->payload = publish.payload;
  message->qos = publish.qos;
  message->retain = publish.retain;
  const MqttProperties& sent = publish.properties;
  if (!sent.empty()) {
    MqttProperties kept;
    for (const auto which :
         {MqttProperty::kContentType, MqttProperty::kResponseTopic, MqttProperty::kCorrelationData}) {
      if (sent.has(which)) kept.set_text(which, sent.text(which));
    }
    if (sent.has(MqttProperty::kPayloadFormat)) {
      kept.set_number(MqttProperty::kPayloadFormat, sent.number(MqttProperty::kPayloadFormat, 0));
    }
    for (const auto& [name, value] : sent.user_properties()) kept.add_user_property(name, value);
    write_stored_properties(message->properties, kept);
    if (sent.has(MqttProperty::kMessageExpiry)) {
      message->expires_at_us =
          core.clock().now_us() + int64_t{sent.number(MqttProperty::kMessageExpiry, 0)} * 1'000'000;
    }
  }
  if (message->retain && !core.retain(message)) ++core.counters().messages_dropped;
  core.forward(route, message, session_.get());
}

MqttReason MqttProtocol::refuse_publication(const MqttPublish& publish, const Error& error) {
  switch (error.code) {
    case ErrorCode::NotAuthorized: return refuse_publication(publish, kNotAuthorized);
    case ErrorCode::NotFound:
    case ErrorCode::SqlUnknownStream: return refuse_publication(publish, kTopicNameInvalid);
    case ErrorCode::RecordMalformed:
    case ErrorCode::RecordDoesNotFit: return refuse_publication(publish, kPayloadFormatInvalid);
    case ErrorCode::QuotaExceeded:
    case ErrorCode::RecordTooLarge:
    case ErrorCode::LimitReached:
    case ErrorCode::Overloaded:
    case ErrorCode::DiskFull: return refuse_publication(publish, kQuotaExceeded);
    default: return refuse_publication(publish, kImplementationSpecific);
  }
}

MqttReason MqttProtocol::refuse_publication(const MqttPublish& publish, MqttReason reason) {
  ++thread_.core.counters().publications_refused;
  if (!is_v5()) return reason;  // 3.1.1 has no other way to say no than to close
  // PUBREC with an error ends the QoS 2 handshake; its place among the other answers is kept.
  if (publish.qos > 0) {
    ++unacknowledged_;
    thread_.acks.add({id_, publish.packet_id, publish.qos, false, reason, nullptr});
  }
  return kSuccess;
}

void MqttProtocol::settle(const MqttPendingAck& ack, bool durable) {
  MqttReason reason = ack.reason;
  if (reason == kSuccess && !durable) reason = kQuotaExceeded;
  if (ack.repeated && !ack.session->inbound_stored(ack.packet_id)) return close_with(kImplementationSpecific);
  if (closing_) return;
  if (reason != kSuccess && !is_v5()) return close_with(reason);
  if (!ack.repeated && (ack.qos == 1 || reason != kSuccess) && unacknowledged_ > 0) --unacknowledged_;
  const auto type = ack.qos == 1 ? MqttPacketType::kPuback : MqttPacketType::kPubrec;
  write_ack(output_, version_, type, ack.packet_id, reason);
}

MqttReason MqttProtocol::on_ack(const MqttFrame& frame) {
  MqttAck ack;
  const MqttReason parsed = parse_ack(frame, version_, ack);
  if (parsed != kSuccess) return parsed;
  const bool refused = static_cast<uint8_t>(ack.reason) >= 0x80;
  switch (ack.type) {
    case MqttPacketType::kPubrec:
      if (refused) {
        session_->acknowledged(ack.packet_id);
        break;
      }
      write_ack(output_, version_, MqttPacketType::kPubrel, ack.packet_id,
                session_->received(ack.packet_id) ? kSuccess : kPacketIdNotFound);
      break;
    case MqttPacketType::kPubrel: {
      const bool known = session_->release_inbound(ack.packet_id);
      if (known && unacknowledged_ > 0) --unacknowledged_;
      write_ack(output_, version_, MqttPacketType::kPubcomp, ack.packet_id, known ? kSuccess : kPacketIdNotFound);
      break;
    }
    default: session_->acknowledged(ack.packet_id); break;
  }
  return kSuccess;
}

void MqttProtocol::pump() {
  if (!session_ || taken_over_) return;
  constexpr size_t kBatch = 64;  // messages taken under one lock
  const int64_t now_us = thread_.core.clock().now_us();
  while (!closing_ && output_.size() < kOutputHighWater) {
    thread_.outgoing.clear();
    thread_.released.clear();
    session_->take(kBatch, thread_.outgoing, thread_.released);
    if (thread_.outgoing.empty() && thread_.released.empty()) break;
    for (const uint16_t id : thread_.released) {
      write_ack(output_, version_, MqttPacketType::kPubrel, id, kSuccess);
    }
    for (const auto& outgoing : thread_.outgoing) send(outgoing, now_us);
  }
  thread_.outgoing.clear();
}

void MqttProtocol::send(const MqttSession::Outgoing& outgoing, int64_t now_us) {
  const MqttMessage& message = *outgoing.message;
  MqttPublish publish;
  publish.topic = message.topic;
  publish.payload = message.payload;
  publish.packet_id = outgoing.packet_id;
  publish.qos = outgoing.how.qos;
  publish.retain = outgoing.how.retain;
  publish.duplicate = outgoing.duplicate;
  for (const uint32_t id : outgoing.how.subscription_ids) publish.properties.add_subscription_id(id);
  bool alive = true;
  if (message.expires_at_us != 0) {
    alive = message.expires_at_us > now_us;
    const int64_t left_s = std::max<int64_t>((message.expires_at_us - now_us) / 1'000'000, 1);
    publish.properties.set_number(MqttProperty::kMessageExpiry, static_cast<uint32_t>(left_s));
  }
  const auto cleared = alive ? thread_.core.handler().clear(*identity_, publish) : std::nullopt;
  if (!cleared || !deliver(*cleared, message.properties)) {
    if (outgoing.packet_id != 0) session_->acknowledged(outgoing.packet_id);
    ++thread_.core.counters().messages_dropped;
  }
}

bool MqttProtocol::deliver(const MqttCleared& cleared, std::string_view properties) {
  const MqttPublish& publish = cleared.publish();
  if (max_packet_bytes_ > 0 && publish_size(version_, publish, properties) > max_packet_bytes_) return false;
  write_publish(output_, version_, publish, properties);
  ++thread_.messages_out;
  return true;
}

void MqttProtocol::take_over() {
  taken_over_ = true;
  close_with(kSessionTakenOver);
}

void MqttProtocol::shut_down() {
  will_.reset();  // the server goes, not the client
  server_stops_ = true;
  close_with(kServerShuttingDown);
}

void MqttProtocol::tick(int64_t now_us) {
  if (!session_ || keep_alive_s_ == 0 || closing_) return;
  // One and a half times the keep-alive (MQTT 5.0 section 3.1.2.10).
  if (now_us - last_read_us_ > int64_t{keep_alive_s_} * 1'500'000) close_with(kKeepAliveTimeout);
}

void MqttProtocol::close_with(MqttReason reason) {
  if (closing_) return;
  closing_ = true;
  if (session_ && is_v5()) write_reason_packet(output_, version_, {MqttPacketType::kDisconnect, reason, {}});
}

void MqttProtocol::closed() {
  closing_ = true;
  if (!session_) return;
  if (will_) {
    const bool session_lives = expiry_s_ > 0;
    if (will_delay_s_ > 0 && session_lives) {
      const auto delay_s = std::min(will_delay_s_, expiry_s_);
      const int64_t due_us = thread_.core.clock().now_us() + int64_t{delay_s} * 1'000'000;
      thread_.core.delay_will({identity_, will_, due_us, session_});
    } else {
      publish_left_message(thread_, *identity_, will_);
    }
  }
  thread_.core.close_session(session_, owner(), expiry_s_);
  session_.reset();
  place_.reset();
  if (!server_stops_) thread_.core.handler().disconnected(*identity_, took_leave_);
}

void publish_left_message(MqttThread& thread, const MqttIdentity& identity, const MqttMessagePtr& message) {
  MqttCore& core = thread.core;
  if (!core.handler().may_publish(identity, message->topic)) return;
  if (!thread.lane.publish({identity, message->topic, message->payload, MqttOverQuota::kTake})) {
    ++core.counters().publications_refused;
    return;
  }
  if (message->retain) core.retain(message);
  if (core.has_subscribers()) core.forward(core.route(thread.routes, message->topic), message, nullptr);
}

}  // namespace tidegate::net
