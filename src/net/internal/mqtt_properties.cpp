#include "net/internal/mqtt_properties.h"

#include <array>

#include "net/internal/mqtt_codec.h"
#include "net/internal/mqtt_text.h"

namespace tidegate::net {
namespace {

enum class Kind : uint8_t { kNone, kByte, kTwoBytes, kFourBytes, kVariable, kText, kBinary, kPair };

struct Rule {
  Kind kind = Kind::kNone;
  uint16_t places = 0;  // a bit per PropertyPlace
};

constexpr uint16_t at(PropertyPlace place) { return static_cast<uint16_t>(1U << static_cast<unsigned>(place)); }

template <class... Places>
constexpr Rule rule(Kind kind, Places... places) {
  return {kind, static_cast<uint16_t>((at(places) | ...))};
}

constexpr size_t kRuleCount = 0x2B;

constexpr std::array<Rule, kRuleCount> make_rules() {
  using enum PropertyPlace;
  using enum MqttProperty;
  std::array<Rule, kRuleCount> rules{};
  const auto set = [&](MqttProperty which, Rule what) { rules[static_cast<size_t>(which)] = what; };
  set(kPayloadFormat, rule(Kind::kByte, kPublish, kWill));
  set(kMessageExpiry, rule(Kind::kFourBytes, kPublish, kWill));
  set(kContentType, rule(Kind::kText, kPublish, kWill));
  set(kResponseTopic, rule(Kind::kText, kPublish, kWill));
  set(kCorrelationData, rule(Kind::kBinary, kPublish, kWill));
  set(kSubscriptionId, rule(Kind::kVariable, kPublish, kSubscribe));
  set(kSessionExpiry, rule(Kind::kFourBytes, kConnect, kConnack, kDisconnect));
  set(kAssignedClientId, rule(Kind::kText, kConnack));
  set(kServerKeepAlive, rule(Kind::kTwoBytes, kConnack));
  set(kAuthenticationMethod, rule(Kind::kText, kConnect, kConnack, kAuth));
  set(kAuthenticationData, rule(Kind::kBinary, kConnect, kConnack, kAuth));
  set(kRequestProblemInformation, rule(Kind::kByte, kConnect));
  set(kWillDelay, rule(Kind::kFourBytes, kWill));
  set(kRequestResponseInformation, rule(Kind::kByte, kConnect));
  set(kResponseInformation, rule(Kind::kText, kConnack));
  set(kServerReference, rule(Kind::kText, kConnack, kDisconnect));
  set(kReasonString, rule(Kind::kText, kConnack, kAck, kSubscribeAnswer, kDisconnect, kAuth));
  set(kReceiveMaximum, rule(Kind::kTwoBytes, kConnect, kConnack));
  set(kTopicAliasMaximum, rule(Kind::kTwoBytes, kConnect, kConnack));
  set(kTopicAlias, rule(Kind::kTwoBytes, kPublish));
  set(kMaximumQos, rule(Kind::kByte, kConnack));
  set(kRetainAvailable, rule(Kind::kByte, kConnack));
  set(kUserProperty, rule(Kind::kPair, kConnect, kConnack, kPublish, kWill, kAck, kSubscribe, kSubscribeAnswer,
                          kUnsubscribe, kDisconnect, kAuth));
  set(kMaximumPacketSize, rule(Kind::kFourBytes, kConnect, kConnack));
  set(kWildcardAvailable, rule(Kind::kByte, kConnack));
  set(kSubscriptionIdAvailable, rule(Kind::kByte, kConnack));
  set(kSharedAvailable, rule(Kind::kByte, kConnack));
  return rules;
}

constexpr std::array<Rule, kRuleCount> kRules = make_rules();

// Values that the specification forbids by number (each a Protocol Error in its property's section).
bool forbidden_number(MqttProperty which, Kind kind, uint32_t value) {
  using enum MqttProperty;
  if (kind == Kind::kByte) return value > 1;
  const bool zero_is_wrong =
      which == kReceiveMaximum || which == kMaximumPacketSize || which == kSubscriptionId || which == kTopicAlias;
  return zero_is_wrong && value == 0;
}

MqttReason read_number(WireReader& reader, MqttProperty which, Kind kind, MqttProperties& out) {
  uint32_t value = 0;
  switch (kind) {
    case Kind::kByte: value = reader.u8(); break;
    case Kind::kTwoBytes: value = reader.u16(); break;
    case Kind::kFourBytes: value = reader.u32(); break;
    default: value = reader.variable(); break;
  }
  if (!reader.ok()) return MqttReason::kMalformedPacket;
  if (forbidden_number(which, kind, value)) {
    return which == MqttProperty::kTopicAlias ? MqttReason::kTopicAliasInvalid : MqttReason::kProtocolError;
  }
  if (which == MqttProperty::kSubscriptionId) {
    if (out.subscription_ids().size() >= kMaxUserProperties) return MqttReason::kQuotaExceeded;
    out.add_subscription_id(value);
  } else {
    out.set_number(which, value);
  }
  return MqttReason::kSuccess;
}

MqttReason read_value(WireReader& reader, MqttProperty which, Kind kind, MqttProperties& out) {
  switch (kind) {
    case Kind::kText: {
      const std::string_view text = reader.binary();
      if (!reader.ok() || !valid_utf8(text)) return MqttReason::kMalformedPacket;
      if (which == MqttProperty::kResponseTopic && !valid_topic_name(text)) return MqttReason::kProtocolError;
      out.set_text(which, text);
      return MqttReason::kSuccess;
    }
    case Kind::kBinary: {
      const std::string_view data = reader.binary();
      if (!reader.ok()) return MqttReason::kMalformedPacket;
      out.set_text(which, data);
      return MqttReason::kSuccess;
    }
    case Kind::kPair: {
      const std::string_view name = reader.binary();
      const std::string_view value = reader.binary();
      if (!reader.ok() || !valid_utf8(name) || !valid_utf8(value)) return MqttReason::kMalformedPacket;
      if (out.user_properties().size() >= kMaxUserProperties) return MqttReason::kQuotaExceeded;
      out.add_user_property(name, value);
      return MqttReason::kSuccess;
    }
    default: return read_number(reader, which, kind, out);
  }
}

void put_number(std::string& out, MqttProperty which, uint32_t value) {
  put_u8(out, static_cast<unsigned>(which));
  switch (kRules[static_cast<size_t>(which)].kind) {
    case Kind::kByte: put_u8(out, value); break;
    case Kind::kTwoBytes: put_u16(out, value); break;
    case Kind::kFourBytes: put_u32(out, value); break;
    default: put_variable(out, value); break;
  }
}

// All properties that hold a number or a text, in order of their identifiers.
template <class OnNumber, class OnText>
void for_each_single(const MqttProperties& properties, OnNumber on_number, OnText on_text) {
  for (size_t id = 1; id < kRuleCount; ++id) {
    const auto which = static_cast<MqttProperty>(id);
    if (!properties.has(which)) continue;
    switch (kRules[id].kind) {
      case Kind::kText:
      case Kind::kBinary: on_text(which, properties.text(which)); break;
      case Kind::kPair:
      case Kind::kVariable: break;
      default: on_number(which, properties.number(which, 0), kRules[id].kind); break;
    }
  }
}

}  // namespace

uint32_t MqttProperties::number(MqttProperty which, uint32_t otherwise) const {
  if (!has(which)) return otherwise;
  for (const auto& [id, value] : numbers_) {
    if (id == which) return value;
  }
  return otherwise;
}

std::string_view MqttProperties::text(MqttProperty which) const {
  if (!has(which)) return {};
  for (const auto& [id, value] : texts_) {
    if (id == which) return value;
  }
  return {};
}

void MqttProperties::set_number(MqttProperty which, uint32_t value) {
  std::erase_if(numbers_, [&](const auto& entry) { return entry.first == which; });
  mark(which);
  numbers_.emplace_back(which, value);
}

void MqttProperties::set_text(MqttProperty which, std::string_view value) {
  std::erase_if(texts_, [&](const auto& entry) { return entry.first == which; });
  mark(which);
  texts_.emplace_back(which, value);
}

void MqttProperties::add_subscription_id(uint32_t id) {
  mark(MqttProperty::kSubscriptionId);
  subscription_ids_.push_back(id);
}

void MqttProperties::add_user_property(std::string_view name, std::string_view value) {
  mark(MqttProperty::kUserProperty);
  user_properties_.emplace_back(name, value);
}

void MqttProperties::clear() {
  if (present_ == 0) return;
  present_ = 0;
  numbers_.clear();
  texts_.clear();
  subscription_ids_.clear();
  user_properties_.clear();
}

MqttReason read_property_list(std::string_view list, PropertyPlace place, MqttProperties& out) {
  WireReader reader(list);
  while (reader.left() > 0) {
    const uint32_t id = reader.variable();
    if (!reader.ok() || id >= kRuleCount || kRules[id].kind == Kind::kNone) return MqttReason::kMalformedPacket;
    if ((kRules[id].places & at(place)) == 0) return MqttReason::kProtocolError;
    const auto which = static_cast<MqttProperty>(id);
    const bool repeatable = which == MqttProperty::kUserProperty ||
                            (which == MqttProperty::kSubscriptionId && place == PropertyPlace::kPublish);
    if (out.has(which) && !repeatable) return MqttReason::kProtocolError;
    const MqttReason reason = read_value(reader, which, kRules[id].kind, out);
    if (reason != MqttReason::kSuccess) return reason;
  }
  return MqttReason::kSuccess;
}

MqttReason read_properties(WireReader& reader, PropertyPlace place, MqttProperties& out) {
  const uint32_t length = reader.variable();
  const std::string_view list = reader.bytes(length);
  if (!reader.ok()) return MqttReason::kMalformedPacket;
  if (list.empty()) return MqttReason::kSuccess;
  return read_property_list(list, place, out);
}

void put_property_list(std::string& out, const MqttProperties& properties) {
  for_each_single(
      properties, [&](MqttProperty which, uint32_t value, Kind) { put_number(out, which, value); },
      [&](MqttProperty which, std::string_view text) {
        put_u8(out, static_cast<unsigned>(which));
        put_text(out, text);
      });
  for (const uint32_t id : properties.subscription_ids()) put_number(out, MqttProperty::kSubscriptionId, id);
  for (const auto& [name, value] : properties.user_properties()) {
    put_u8(out, static_cast<unsigned>(MqttProperty::kUserProperty));
    put_text(out, name);
    put_text(out, value);
  }
}

size_t property_list_size(const MqttProperties& properties) {
  if (properties.empty()) return 0;
  size_t size = 0;
  for_each_single(
      properties,
      [&](MqttProperty, uint32_t, Kind kind) { size += kind == Kind::kByte       ? 2
                                                       : kind == Kind::kTwoBytes ? 3
                                                                                 : 5; },
      [&](MqttProperty, std::string_view text) { size += 3 + text.size(); });
  for (const uint32_t id : properties.subscription_ids()) size += 1 + variable_size(id);
  for (const auto& [name, value] : properties.user_properties()) size += 5 + name.size() + value.size();
  return size;
}

void put_properties(std::string& out, const MqttProperties& properties) {
  put_variable(out, property_list_size(properties));
  if (!properties.empty()) put_property_list(out, properties);
}

}  // namespace tidegate::net
