// MQTT 3.1.1 and 5.0 control packets as values (OASIS MQTT Version 5.0, sections 2 and 3; Version 3.1.1).
// What was parsed views the bytes it was parsed from; what is to be written views the caller's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidegate::net {

enum class MqttVersion : uint8_t { kV311 = 4, kV5 = 5 };

enum class MqttPacketType : uint8_t {
  kConnect = 1,
  kConnack,
  kPublish,
  kPuback,
  kPubrec,
  kPubrel,
  kPubcomp,
  kSubscribe,
  kSuback,
  kUnsubscribe,
  kUnsuback,
  kPingreq,
  kPingresp,
  kDisconnect,
  kAuth,
};

// MQTT 5.0 section 2.4.
enum class MqttReason : uint8_t {
  kSuccess = 0x00,
  kGrantedQos1 = 0x01,
  kGrantedQos2 = 0x02,
  kDisconnectWithWill = 0x04,
  kNoMatchingSubscribers = 0x10,
  kNoSubscriptionExisted = 0x11,
  kUnspecified = 0x80,
  kMalformedPacket = 0x81,
  kProtocolError = 0x82,
  kImplementationSpecific = 0x83,
  kUnsupportedVersion = 0x84,
  kClientIdNotValid = 0x85,
  kBadUserNameOrPassword = 0x86,
  kNotAuthorized = 0x87,
  kServerUnavailable = 0x88,
  kServerBusy = 0x89,
  kServerShuttingDown = 0x8B,
  kBadAuthenticationMethod = 0x8C,
  kKeepAliveTimeout = 0x8D,
  kSessionTakenOver = 0x8E,
  kTopicFilterInvalid = 0x8F,
  kTopicNameInvalid = 0x90,
  kPacketIdInUse = 0x91,
  kPacketIdNotFound = 0x92,
  kReceiveMaximumExceeded = 0x93,
  kTopicAliasInvalid = 0x94,
  kPacketTooLarge = 0x95,
  kQuotaExceeded = 0x97,
  kAdministrativeAction = 0x98,
  kPayloadFormatInvalid = 0x99,
};

// MQTT 5.0 section 2.2.2.2.
enum class MqttProperty : uint8_t {
  kPayloadFormat = 0x01,
  kMessageExpiry = 0x02,
  kContentType = 0x03,
  kResponseTopic = 0x08,
  kCorrelationData = 0x09,
  kSubscriptionId = 0x0B,
  kSessionExpiry = 0x11,
  kAssignedClientId = 0x12,
  kServerKeepAlive = 0x13,
  kAuthenticationMethod = 0x15,
  kAuthenticationData = 0x16,
  kRequestProblemInformation = 0x17,
  kWillDelay = 0x18,
  kRequestResponseInformation = 0x19,
  kResponseInformation = 0x1A,
  kServerReference = 0x1C,
  kReasonString = 0x1F,
  kReceiveMaximum = 0x21,
  kTopicAliasMaximum = 0x22,
  kTopicAlias = 0x23,
  kMaximumQos = 0x24,
  kRetainAvailable = 0x25,
  kUserProperty = 0x26,
  kMaximumPacketSize = 0x27,
  kWildcardAvailable = 0x28,
  kSubscriptionIdAvailable = 0x29,
  kSharedAvailable = 0x2A,
};

// The properties of one packet. Integers live in `numbers`, texts and binary data in `texts`, by property.
class MqttProperties {
 public:
  using UserProperty = std::pair<std::string_view, std::string_view>;

  [[nodiscard]] bool has(MqttProperty which) const { return (present_ >> static_cast<unsigned>(which) & 1U) != 0; }
  [[nodiscard]] bool empty() const { return present_ == 0; }
  [[nodiscard]] uint32_t number(MqttProperty which, uint32_t otherwise) const;
  [[nodiscard]] std::string_view text(MqttProperty which) const;  // empty if absent
  [[nodiscard]] const std::vector<uint32_t>& subscription_ids() const { return subscription_ids_; }
  [[nodiscard]] const std::vector<UserProperty>& user_properties() const { return user_properties_; }

  void set_number(MqttProperty which, uint32_t value);
  void set_text(MqttProperty which, std::string_view value);
  void add_subscription_id(uint32_t id);
  void add_user_property(std::string_view name, std::string_view value);
  void clear();

 private:
  void mark(MqttProperty which) { present_ |= uint64_t{1} << static_cast<unsigned>(which); }

  uint64_t present_ = 0;
  std::vector<std::pair<MqttProperty, uint32_t>> numbers_;
  std::vector<std::pair<MqttProperty, std::string_view>> texts_;
  std::vector<uint32_t> subscription_ids_;
  std::vector<UserProperty> user_properties_;
};

struct MqttWill {
  std::string_view topic;
  std::string_view payload;
  uint8_t qos = 0;
  bool retain = false;
  MqttProperties properties;
};

struct MqttConnect {
  MqttVersion version = MqttVersion::kV5;
  bool clean_start = true;
  uint16_t keep_alive_s = 0;
  std::string_view client_id;
  std::optional<MqttWill> will;
  std::optional<std::string_view> username;
  std::optional<std::string_view> password;
  MqttProperties properties;
};

struct MqttConnack {
  bool session_present = false;
  uint8_t code = 0;  // 5.0: MqttReason; 3.1.1: return code 0 to 5
  MqttProperties properties;
};

struct MqttPublish {
  std::string_view topic;  // 5.0: empty if an alias stands for it
  std::string_view payload;
  uint16_t packet_id = 0;  // 0 for QoS 0
  uint8_t qos = 0;
  bool retain = false;
  bool duplicate = false;
  MqttProperties properties;
};

// PUBACK, PUBREC, PUBREL, PUBCOMP.
struct MqttAck {
  MqttPacketType type = MqttPacketType::kPuback;
  uint16_t packet_id = 0;
  MqttReason reason = MqttReason::kSuccess;
  MqttProperties properties;
};

struct MqttSubscription {
  std::string_view filter;
  uint8_t qos = 0;
  bool no_local = false;
  bool retain_as_published = false;
  uint8_t retain_handling = 0;  // 0 send retained, 1 only for a new subscription, 2 never
};

struct MqttSubscribe {
  uint16_t packet_id = 0;
  MqttProperties properties;
  std::vector<MqttSubscription> subscriptions;
};

struct MqttUnsubscribe {
  uint16_t packet_id = 0;
  MqttProperties properties;
  std::vector<std::string_view> filters;
};

// SUBACK and UNSUBACK (the latter without codes in 3.1.1).
struct MqttSubscribeAnswer {
  MqttPacketType type = MqttPacketType::kSuback;
  uint16_t packet_id = 0;
  MqttProperties properties;
  std::vector<uint8_t> codes;
};

// DISCONNECT and AUTH.
struct MqttReasonPacket {
  MqttPacketType type = MqttPacketType::kDisconnect;
  MqttReason reason = MqttReason::kSuccess;
  MqttProperties properties;
};

}  // namespace tidegate::net
