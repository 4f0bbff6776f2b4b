// CONNECT, SUBSCRIBE, UNSUBSCRIBE and DISCONNECT; the message path is in mqtt_protocol.cpp.
#include <algorithm>

#include "net/internal/mqtt_protocol.h"
#include "net/internal/mqtt_text.h"

namespace tidegate::net {

using enum MqttReason;

namespace {

// The return codes of 3.1.1 (section 3.2.2.3) for 5.0's reasons.
uint8_t return_code(MqttReason reason) {
  switch (reason) {
    case kUnsupportedVersion: return 1;
    case kClientIdNotValid: return 2;
    case kServerUnavailable:
    case kServerBusy:
    case kQuotaExceeded: return 3;
    case kBadUserNameOrPassword: return 4;
    default: return 5;
  }
}

MqttReason reason_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::NotAuthenticated: return kBadUserNameOrPassword;
    case ErrorCode::Overloaded: return kServerBusy;
    case ErrorCode::ShuttingDown: return kServerUnavailable;
    case ErrorCode::QuotaExceeded:
    case ErrorCode::LimitReached: return kQuotaExceeded;
    default: return kNotAuthorized;
  }
}

}  // namespace

// Says why in CONNACK; the connection closes without another word.
MqttReason MqttProtocol::refuse_connect(MqttReason reason) {
  MqttConnack answer;
  answer.code = is_v5() ? static_cast<uint8_t>(reason) : return_code(reason);
  write_connack(output_, version_, answer);
  return reason;
}

MqttReason MqttProtocol::on_connect(const MqttFrame& frame) {
  MqttConnect connect;
  const MqttReason parsed = parse_connect(frame, connect);
  version_ = connect.version;
  if (parsed == kUnsupportedVersion) version_ = MqttVersion::kV311;
  if (parsed != kSuccess) return parsed == kMalformedPacket ? parsed : refuse_connect(parsed);
  if (refusal_ != kSuccess) return refuse_connect(refusal_);
  if (connect.properties.has(MqttProperty::kAuthenticationMethod)) return refuse_connect(kBadAuthenticationMethod);
  if (connect.client_id.size() > kMaxClientIdBytes) return refuse_connect(kClientIdNotValid);
  return accept(connect);
}

MqttReason MqttProtocol::accept(MqttConnect& connect) {
  MqttCore& core = thread_.core;
  const bool assigned = connect.client_id.empty();
  if (assigned && !is_v5() && !connect.clean_start) return refuse_connect(kClientIdNotValid);
  const std::string client_id = assigned ? core.new_client_id() : std::string(connect.client_id);
  connect.client_id = client_id;
  auto identity = core.handler().authenticate({client_id, connect.username, connect.password, fingerprint_});
  if (!identity) return refuse_connect(reason_of(identity.error()));
  identity_ = *identity;
  if (connect.will) {
    const MqttReason reason = leave_will(*connect.will);
    if (reason != kSuccess) return refuse_connect(reason);
  }
  const uint32_t most_s = core.options().max_session_expiry_s;
  expiry_s_ = is_v5() ? std::min(connect.properties.number(MqttProperty::kSessionExpiry, 0), most_s)
                      : (connect.clean_start ? 0 : most_s);
  max_packet_bytes_ = connect.properties.number(MqttProperty::kMaximumPacketSize, 0);
  keep_alive_s_ = connect.keep_alive_s;
  const uint16_t longest_s = core.options().max_keep_alive_s;
  if (longest_s > 0 && (keep_alive_s_ == 0 || keep_alive_s_ > longest_s)) keep_alive_s_ = longest_s;
  const auto window = static_cast<uint16_t>(connect.properties.number(MqttProperty::kReceiveMaximum, 65'535));
  auto place = core.handler().admit(*identity_, core.is_connected(client_id));
  if (!place) return refuse_connect(reason_of(place.error()));
  auto opened = core.open_session(client_id, identity_->name(), connect.clean_start, owner(), expiry_s_, window);
  if (opened.reason != kSuccess) return refuse_connect(opened.reason);
  session_ = std::move(opened.session);
  place_ = std::move(*place);
  answer_connect(connect, opened.present, assigned);
  core.handler().connected(*identity_);
  return kSuccess;
}

MqttReason MqttProtocol::leave_will(const MqttWill& will) {
  if (!thread_.core.handler().may_publish(*identity_, will.topic)) return kNotAuthorized;
  will_ = std::make_shared<MqttMessage>();
  will_->topic = will.topic;
  will_->payload.reserve(will.payload.size() + 64);  // MqttLane::publish reads beyond the end
  will_->payload = will.payload;
  will_->qos = will.qos;
  will_->retain = will.retain;
  will_delay_s_ = will.properties.number(MqttProperty::kWillDelay, 0);
  MqttProperties kept;
  for (const auto which : {MqttProperty::kContentType, MqttProperty::kResponseTopic, MqttProperty::kCorrelationData}) {
    if (will.properties.has(which)) kept.set_text(which, will.properties.text(which));
  }
  for (const auto& [name, value] : will.properties.user_properties()) kept.add_user_property(name, value);
  write_stored_properties(will_->properties, kept);
  return kSuccess;
}

void MqttProtocol::answer_connect(const MqttConnect& connect, bool present, bool assigned) {
  const MqttBrokerOptions& options = thread_.core.options();
  MqttConnack answer;
  answer.session_present = present;
  if (is_v5()) {
    MqttProperties& properties = answer.properties;
    if (assigned) properties.set_text(MqttProperty::kAssignedClientId, connect.client_id);
    if (keep_alive_s_ != connect.keep_alive_s) properties.set_number(MqttProperty::kServerKeepAlive, keep_alive_s_);
    if (expiry_s_ != connect.properties.number(MqttProperty::kSessionExpiry, 0)) {
      properties.set_number(MqttProperty::kSessionExpiry, expiry_s_);
    }
    if (options.receive_maximum != 65'535) {
      properties.set_number(MqttProperty::kReceiveMaximum, options.receive_maximum);
    }
    properties.set_number(MqttProperty::kTopicAliasMaximum, options.topic_alias_maximum);
    properties.set_number(MqttProperty::kMaximumPacketSize, static_cast<uint32_t>(options.max_packet_bytes));
  }
  write_connack(output_, version_, answer);
}

MqttReason MqttProtocol::on_subscribe(const MqttFrame& frame) {
  MqttSubscribe subscribe;
  const MqttReason parsed = parse_subscribe(frame, version_, subscribe);
  if (parsed != kSuccess) return parsed;
  const auto& ids = subscribe.properties.subscription_ids();
  const uint32_t id = ids.empty() ? 0 : ids.front();
  MqttSubscribeAnswer answer;
  answer.packet_id = subscribe.packet_id;
  for (const auto& wanted : subscribe.subscriptions) {
    const auto code = static_cast<uint8_t>(subscribe_one(wanted, id));
    answer.codes.push_back(is_v5() || code < 0x80 ? code : 0x80);
  }
  write_subscribe_answer(output_, version_, answer);
  return kSuccess;
}

MqttReason MqttProtocol::subscribe_one(const MqttSubscription& wanted, uint32_t id) {
  const auto shared = parse_filter(wanted.filter);
  if (!shared) return kTopicFilterInvalid;
  if (!thread_.core.handler().may_subscribe(*identity_, shared->filter)) return kNotAuthorized;
  const MqttStoredSubscription stored{wanted.qos, wanted.no_local, wanted.retain_as_published, id};
  const auto is_new = thread_.core.subscribe(session_, wanted.filter, stored);
  if (!is_new) return kQuotaExceeded;
  const bool retained = wanted.retain_handling == 0 || (wanted.retain_handling == 1 && *is_new);
  if (retained && shared->group.empty()) thread_.core.send_retained(session_, wanted.filter, stored);
  thread_.core.handler().subscribed(identity_, shared->filter);
  return static_cast<MqttReason>(wanted.qos);
}

MqttReason MqttProtocol::on_unsubscribe(const MqttFrame& frame) {
  MqttUnsubscribe unsubscribe;
  const MqttReason parsed = parse_unsubscribe(frame, version_, unsubscribe);
  if (parsed != kSuccess) return parsed;
  MqttSubscribeAnswer answer;
  answer.type = MqttPacketType::kUnsuback;
  answer.packet_id = unsubscribe.packet_id;
  for (const std::string_view filter : unsubscribe.filters) {
    const bool existed = thread_.core.unsubscribe(session_, filter);
    answer.codes.push_back(static_cast<uint8_t>(existed ? kSuccess : kNoSubscriptionExisted));
  }
  write_subscribe_answer(output_, version_, answer);
  return kSuccess;
}

MqttReason MqttProtocol::on_disconnect(const MqttFrame& frame) {
  MqttReasonPacket packet;
  const MqttReason parsed = parse_reason_packet(frame, version_, packet);
  if (parsed != kSuccess) return parsed;
  if (packet.properties.has(MqttProperty::kSessionExpiry)) {
    const uint32_t wanted_s = packet.properties.number(MqttProperty::kSessionExpiry, 0);
    if (expiry_s_ == 0 && wanted_s > 0) return kProtocolError;
    expiry_s_ = std::min(wanted_s, thread_.core.options().max_session_expiry_s);
  }
  if (packet.reason == kSuccess) will_.reset();
  took_leave_ = packet.reason == kSuccess;
  closing_ = true;
  return kSuccess;
}

}  // namespace tidegate::net
