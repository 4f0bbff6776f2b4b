// The server's side of one connection, without a socket: bytes in, bytes out.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/internal/mqtt_ack_queue.h"
#include "net/internal/mqtt_core.h"

namespace tidegate::net {

// Above this many unsent bytes a connection gets no further messages and is not read from.
inline constexpr size_t kOutputHighWater = 256U << 10;
// How long a permission to publish is remembered for a topic; revoking one takes effect within this time.
inline constexpr int64_t kPermissionMemoryUs = 1'000'000;
inline constexpr size_t kMaxClientIdBytes = 256;
// A held connection asks again at least this often, so that a changed quota is noticed.
inline constexpr int64_t kLongestHoldUs = 1'000'000;
// A CONNECT with every field at its longest; nobody unknown makes the server hold more.
inline constexpr size_t kMaxConnectBytes = 512U << 10;

// What the connections of one network thread share.
struct MqttThread {
  MqttCore& core;
  MqttLane& lane;
  MqttMailbox& mailbox;
  MqttAckQueue acks;
  MqttRouteCache routes;
  MqttPublish publish;  // parsed into again and again, so that its vectors keep their memory
  std::vector<MqttSession::Outgoing> outgoing;
  std::vector<uint16_t> released;
  uint64_t messages_in = 0;  // since the last count into the core's
  uint64_t messages_out = 0;
};

// One thread: its connection's.
class MqttProtocol {
 public:
  // `id` names the connection in the thread's mailbox and acknowledgement queue.
  MqttProtocol(MqttThread& thread, uint64_t id, std::optional<std::string> fingerprint);

  // Takes the whole packets at the front of `bytes` (64 readable bytes behind them); returns their size.
  // `needed` is set to the size of the packet that is not whole yet, 0 if unknown; with held_us() above 0, to that of
  // the packet which was not taken and must come again.
  size_t read(std::string_view bytes, size_t& needed);
  void settle(const MqttPendingAck& ack, bool durable);
  // Puts the session's messages into the output, up to the high-water mark.
  void pump();
  void take_over();           // another connection has the session
  void shut_down();           // the server stops
  void tick(int64_t now_us);  // keep-alive, at least once a second
  void closed();              // the network connection is gone: once, last
  // What CONNECT is answered, whoever it is.
  void refuse_with(MqttReason reason) { refusal_ = reason; }
  // It was not read from, for reasons that are not the client's.
  void excuse(int64_t now_us) { last_read_us_ = now_us; }
  // Above 0: its sender is over its quota; nothing more of it is read for so long.
  [[nodiscard]] int64_t held_us() const { return held_us_; }

  [[nodiscard]] std::string& output() { return output_; }
  // The connection is to be closed once the output is written.
  [[nodiscard]] bool closing() const { return closing_; }
  [[nodiscard]] bool authenticated() const { return session_ != nullptr; }

 private:
  MqttReason handle(const MqttFrame& frame);
  MqttReason on_connect(const MqttFrame& frame);
  MqttReason accept(MqttConnect& connect);
  void answer_connect(const MqttConnect& connect, bool present, bool assigned);
  MqttReason refuse_connect(MqttReason reason);
  MqttReason leave_will(const MqttWill& will);
  MqttReason on_publish(const MqttFrame& frame);
  MqttReason resolve_alias(MqttPublish& publish);
  bool may_publish(std::string_view topic);
  // What the platform says, then the subscribers get it.
  Result<MqttTaken> take_publication(const MqttPublish& publish);
  [[nodiscard]] MqttOverQuota over_quota(const MqttPublish& publish) const;
  MqttReason hold(int64_t hold_us);
  MqttReason refuse_publication(const MqttPublish& publish, const Error& error);
  void distribute(const MqttPublish& publish);
  MqttReason refuse_publication(const MqttPublish& publish, MqttReason reason);
  MqttReason on_ack(const MqttFrame& frame);
  MqttReason on_subscribe(const MqttFrame& frame);
  MqttReason subscribe_one(const MqttSubscription& wanted, uint32_t id);
  MqttReason on_unsubscribe(const MqttFrame& frame);
  MqttReason on_disconnect(const MqttFrame& frame);
  void send(const MqttSession::Outgoing& outgoing, int64_t now_us);
  // The only writer of publications to the client. `properties` are encoded ones that go before the publication's own.
  // False: larger than the client takes.
  bool deliver(const MqttCleared& cleared, std::string_view properties);
  void close_with(MqttReason reason);
  [[nodiscard]] MqttOwner owner() const { return {&thread_.mailbox, id_}; }
  [[nodiscard]] bool is_v5() const { return version_ == MqttVersion::kV5; }

  MqttThread& thread_;
  const uint64_t id_;
  std::optional<std::string> fingerprint_;
  MqttVersion version_ = MqttVersion::kV5;
  MqttReason refusal_ = MqttReason::kSuccess;
  bool closing_ = false;
  bool taken_over_ = false;
  bool took_leave_ = false;    // the client said so
  bool server_stops_ = false;  // then nobody is told that the client is gone
  uint16_t keep_alive_s_ = 0;
  uint32_t expiry_s_ = 0;
  uint32_t max_packet_bytes_ = 0;  // of the client's; 0: any
  uint32_t unacknowledged_ = 0;    // QoS 1 and 2 publications of the client
  int64_t last_read_us_ = 0;
  int64_t held_us_ = 0;
  std::shared_ptr<const MqttIdentity> identity_;  // shared with a delayed will
  std::shared_ptr<MqttSession> session_;          // shared with the registry
  std::unique_ptr<MqttPlace> place_;
  std::string known_topic_;  // the last one: valid and permitted
  int64_t permitted_until_us_ = 0;
  std::vector<std::string> aliases_;
  std::shared_ptr<MqttMessage> will_;  // becomes a message of subscribers' queues
  uint32_t will_delay_s_ = 0;
  std::string output_;
};

// Publishes what a client left behind, as if it had sent it.
void publish_left_message(MqttThread& thread, const MqttIdentity& identity, const MqttMessagePtr& message);

}  // namespace tidegate::net
