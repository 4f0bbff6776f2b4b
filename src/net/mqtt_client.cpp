#include "net/mqtt_client.h"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "io/clock.h"
#include "net/internal/mqtt_client_loop.h"
#include "net/internal/mqtt_client_window.h"
#include "net/internal/mqtt_codec.h"
#include "net/internal/mqtt_socket.h"

namespace tidegate::net {
namespace {

using boost::asio::ip::tcp;

constexpr size_t kMaxOutput = 1U << 20;  // unsent bytes above which publish() says "later"
constexpr size_t kMaxClientPacket = 64U << 20;

int64_t now_us() { return io::SystemClock().monotonic_us(); }

class Client final : public MqttClient {
 public:
  Client(AsioClientLoop& loop, MqttClientOptions options, Callbacks callbacks)
      : loop_(loop),
        options_(std::move(options)),
        callbacks_(std::move(callbacks)),
        keep_alive_(loop.context()),
        window_(options_.max_in_flight) {}
  ~Client() override { *alive_ = false; }

  void connect() override;
  bool publish(std::string_view topic, std::string_view payload, uint8_t qos, bool retain, uint16_t* assigned) override;
  uint16_t subscribe(std::string_view filter, uint8_t qos) override;
  void disconnect() override;
  void abort() override { drop({ErrorCode::Cancelled, "the connection was dropped", {}, {}}, false); }
  [[nodiscard]] bool connected() const override { return connected_; }
  [[nodiscard]] bool session_present() const override { return session_present_; }
  [[nodiscard]] bool tls_resumed() const override { return socket_ && socket_->resumed(); }
  [[nodiscard]] size_t in_flight() const override { return window_.in_flight(); }

 private:
  // Callbacks of Asio do nothing once the client is destroyed or has another connection.
  template <class Work>
  auto guarded(Work work) {
    return [this, alive = alive_, attempt = attempt_, work = std::move(work)](const auto&... arguments) {
      if (*alive && attempt == attempt_) work(arguments...);
    };
  }
  void on_tcp(tcp::socket& socket, const boost::system::error_code& error);
  void handshake();
  void send_connect();
  void arm_read();
  void on_readable();
  bool parse(std::string_view bytes, size_t& taken);
  bool handle(const MqttFrame& frame);
  bool on_connack(const MqttFrame& frame);
  bool on_publish(const MqttFrame& frame);
  bool on_ack(const MqttFrame& frame);
  void schedule_write();
  void write();
  void schedule_ping();
  void drop(Error error, bool tell);
  void close_socket();
  void offer_room();

  AsioClientLoop& loop_;
  const MqttClientOptions options_;
  Callbacks callbacks_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // shared with Asio's callbacks
  uint64_t attempt_ = 0;
  std::unique_ptr<MqttSocket> socket_;
  TlsSession tls_session_;  // of the last connection
  boost::asio::steady_timer keep_alive_;
  std::string partial_;
  std::string output_;
  size_t sent_ = 0;
  MqttClientWindow window_;
  bool connected_ = false;
  bool session_present_ = false;
  bool write_scheduled_ = false;
  bool write_waits_ = false;
  bool told_full_ = false;
  bool leaving_ = false;
};

void Client::connect() {
  ++attempt_;
  close_socket();
  partial_.clear();
  output_.clear();
  sent_ = 0;
  window_.clear();
  connected_ = write_scheduled_ = write_waits_ = leaving_ = false;
  // Shared with the two callbacks it is used from.
  auto resolver = std::make_shared<tcp::resolver>(loop_.context());
  auto socket = std::make_shared<tcp::socket>(loop_.context());
  const auto on_resolved = guarded([this, socket](const boost::system::error_code& error, const auto& endpoints) {
    if (error || endpoints.empty()) return on_tcp(*socket, error);
    socket->async_connect(*endpoints.begin(),
                          guarded([this, socket](const boost::system::error_code& e) { on_tcp(*socket, e); }));
  });
  boost::system::error_code not_an_address;
  const auto address = boost::asio::ip::make_address(options_.host, not_an_address);
  if (!not_an_address) {
    socket->async_connect(tcp::endpoint(address, options_.port),
                          guarded([this, socket](const boost::system::error_code& e) { on_tcp(*socket, e); }));
    return;
  }
  resolver->async_resolve(
      options_.host, std::to_string(options_.port),
      [resolver, on_resolved](const boost::system::error_code& error,
                              const tcp::resolver::results_type& endpoints) mutable { on_resolved(error, endpoints); });
}

void Client::on_tcp(tcp::socket& socket, const boost::system::error_code& error) {
  if (error) {
    return drop({ErrorCode::ConnectionFailed, "no connection to " + options_.host + ": " + error.message(), {}, {}},
                true);
  }
  socket_ = std::make_unique<MqttSocket>(std::move(socket), options_.tls, false);
  if (auto expected = socket_->expect_host(options_.host); !expected) return drop(expected.error(), true);
  socket_->offer(tls_session_.get());
  handshake();
}

void Client::handshake() {
  const auto again = guarded([this](const boost::system::error_code&) { handshake(); });
  switch (socket_->handshake()) {
    case MqttSocket::Status::kOk: return send_connect();
    case MqttSocket::Status::kWantRead: return socket_->tcp().async_wait(tcp::socket::wait_read, again);
    case MqttSocket::Status::kWantWrite: return socket_->tcp().async_wait(tcp::socket::wait_write, again);
    case MqttSocket::Status::kClosed:
      return drop({ErrorCode::TlsFailed, "TLS with " + options_.host + " failed: " + take_tls_errors(), {}, {}}, true);
  }
}

void Client::send_connect() {
  MqttConnect connect;
  connect.version = options_.version;
  connect.clean_start = options_.clean_start;
  connect.keep_alive_s = options_.keep_alive_s;
  connect.client_id = options_.client_id;
  if (!options_.username.empty()) connect.username = options_.username;
  if (!options_.password.empty()) connect.password = options_.password;
  if (options_.session_expiry_s > 0) {
    connect.properties.set_number(MqttProperty::kSessionExpiry, options_.session_expiry_s);
  }
  write_connect(output_, connect);
  write();
  if (socket_) arm_read();
}

void Client::arm_read() {
  if (socket_->has_buffered()) {
    boost::asio::post(loop_.context(), guarded([this] { on_readable(); }));
    return;
  }
  socket_->tcp().async_wait(tcp::socket::wait_read,
                            guarded([this](const boost::system::error_code&) { on_readable(); }));
}

void Client::on_readable() {
  std::string& buffer = loop_.buffer();
  const auto moved = socket_->read(buffer);
  const uint64_t attempt = attempt_;
  const auto alive = alive_;
  size_t taken = 0;
  bool ok = true;
  if (partial_.empty()) {
    const std::string_view bytes(buffer.data(), moved.bytes);
    ok = parse(bytes, taken);
    if (!*alive || attempt != attempt_) return;
    partial_.assign(bytes.substr(taken));
  } else {
    partial_.append(buffer.data(), moved.bytes);
    std::string bytes;
    bytes.swap(partial_);
    ok = parse(bytes, taken);
    if (!*alive || attempt != attempt_) return;
    partial_.assign(bytes, taken);
  }
  if (!ok) return drop({ErrorCode::ProtocolViolation, "the MQTT server broke the protocol", {}, {}}, true);
  if (moved.status == MqttSocket::Status::kClosed) {
    return drop({ErrorCode::ConnectionFailed, "the MQTT server closed the connection", {}, {}}, true);
  }
  offer_room();
  if (*alive && attempt == attempt_) arm_read();
}

bool Client::parse(std::string_view bytes, size_t& taken) {
  const uint64_t attempt = attempt_;
  const auto alive = alive_;
  MqttFrame frame;
  while (true) {
    const auto status = read_frame(bytes.substr(taken), kMaxClientPacket, frame);
    if (status == MqttFrameStatus::kIncomplete) return true;
    if (status != MqttFrameStatus::kComplete || !handle(frame)) return false;
    if (!*alive || attempt != attempt_) return true;
    taken += frame.size;
  }
}

bool Client::handle(const MqttFrame& frame) {
  switch (frame.type) {
    case MqttPacketType::kConnack: return on_connack(frame);
    case MqttPacketType::kPublish: return on_publish(frame);
    case MqttPacketType::kPuback:
    case MqttPacketType::kPubrec:
    case MqttPacketType::kPubrel:
    case MqttPacketType::kPubcomp: return on_ack(frame);
    case MqttPacketType::kSuback:
    case MqttPacketType::kUnsuback: {
      MqttSubscribeAnswer answer;
      if (parse_subscribe_answer(frame, options_.version, answer) != MqttReason::kSuccess) return false;
      const auto code = answer.codes.empty() ? MqttReason::kSuccess : static_cast<MqttReason>(answer.codes.front());
      if (callbacks_.on_subscribed) callbacks_.on_subscribed(answer.packet_id, code);
      return true;
    }
    case MqttPacketType::kPingresp: return true;
    case MqttPacketType::kDisconnect: {
      MqttReasonPacket packet;
      if (parse_reason_packet(frame, options_.version, packet) != MqttReason::kSuccess) return false;
      drop({ErrorCode::ConnectionFailed,
            "the MQTT server ended the connection, reason code " + std::to_string(static_cast<int>(packet.reason)),
            {},
            {}},
           true);
      return true;
    }
    default: return false;
  }
}

bool Client::on_connack(const MqttFrame& frame) {
  MqttConnack answer;
  if (parse_connack(frame, options_.version, answer) != MqttReason::kSuccess) return false;
  if (answer.code != 0) {
    drop({ErrorCode::NotAuthenticated,
          "the MQTT server refused the connection, code " + std::to_string(static_cast<int>(answer.code)),
          {},
          {}},
         true);
    return true;
  }
  connected_ = true;
  session_present_ = answer.session_present;
  schedule_ping();
  if (callbacks_.on_connected) callbacks_.on_connected({});
  return true;
}

bool Client::on_publish(const MqttFrame& frame) {
  MqttPublish publish;
  if (parse_publish(frame, options_.version, {}, publish) != MqttReason::kSuccess) return false;
  if (publish.qos > 0) {
    const auto type = publish.qos == 1 ? MqttPacketType::kPuback : MqttPacketType::kPubrec;
    write_ack(output_, options_.version, type, publish.packet_id, MqttReason::kSuccess);
    schedule_write();
  }
  if (callbacks_.on_message) callbacks_.on_message(publish);
  return true;
}

bool Client::on_ack(const MqttFrame& frame) {
  MqttAck ack;
  if (parse_ack(frame, options_.version, ack) != MqttReason::kSuccess) return false;
  const bool refused = static_cast<uint8_t>(ack.reason) >= 0x80;
  if (ack.type == MqttPacketType::kPubrec && !refused) {
    write_ack(output_, options_.version, MqttPacketType::kPubrel, ack.packet_id, MqttReason::kSuccess);
    schedule_write();
  } else if (ack.type == MqttPacketType::kPubrel) {
    write_ack(output_, options_.version, MqttPacketType::kPubcomp, ack.packet_id, MqttReason::kSuccess);
    schedule_write();
  } else {
    const auto latency_us = window_.finish(ack.packet_id, now_us());
    if (latency_us && callbacks_.on_acknowledged) callbacks_.on_acknowledged(ack.packet_id, ack.reason, *latency_us);
  }
  return true;
}

void Client::offer_room() {
  if (!told_full_ || window_.full() || output_.size() - sent_ >= kMaxOutput) return;
  told_full_ = false;
  if (callbacks_.on_writable) callbacks_.on_writable();
}

bool Client::publish(std::string_view topic, std::string_view payload, uint8_t qos, bool retain, uint16_t* assigned) {
  if (!connected_) return false;
  if (output_.size() - sent_ >= kMaxOutput || (qos > 0 && window_.full())) {
    told_full_ = true;
    return false;
  }
  MqttPublish publish;
  publish.topic = topic;
  publish.payload = payload;
  publish.qos = qos;
  publish.retain = retain;
  if (qos > 0) {
    publish.packet_id = window_.next_id();
    window_.begin(publish.packet_id, now_us());
    if (assigned != nullptr) *assigned = publish.packet_id;
  }
  write_publish(output_, options_.version, publish);
  schedule_write();
  return true;
}

uint16_t Client::subscribe(std::string_view filter, uint8_t qos) {
  MqttSubscribe subscribe;
  subscribe.packet_id = window_.next_id();
  MqttSubscription wanted;
  wanted.filter = filter;
  wanted.qos = qos;
  subscribe.subscriptions.push_back(wanted);
  write_subscribe(output_, options_.version, subscribe);
  schedule_write();
  return subscribe.packet_id;
}

void Client::disconnect() {
  if (!socket_) return;
  write_reason_packet(output_, options_.version, {});
  leaving_ = true;
  schedule_write();
}

void Client::schedule_write() {
  if (write_scheduled_ || write_waits_) return;
  write_scheduled_ = true;
  boost::asio::post(loop_.context(), guarded([this] {
                      write_scheduled_ = false;
                      write();
                    }));
}

void Client::write() {
  if (!socket_ || write_waits_) return;
  const auto moved = socket_->write(std::string_view(output_).substr(sent_));
  sent_ += moved.bytes;
  if (moved.status == MqttSocket::Status::kClosed) {
    return drop({ErrorCode::ConnectionFailed, "the connection to the MQTT server broke", {}, {}}, true);
  }
  if (sent_ < output_.size()) {
    if (sent_ > kMaxOutput / 2) output_.erase(0, std::exchange(sent_, 0));
    write_waits_ = true;
    socket_->tcp().async_wait(tcp::socket::wait_write, guarded([this](const boost::system::error_code&) {
                                write_waits_ = false;
                                write();
                              }));
  } else {
    output_.clear();
    sent_ = 0;
    if (leaving_) return drop({ErrorCode::Cancelled, "disconnected", {}, {}}, true);
  }
  offer_room();
}

void Client::schedule_ping() {
  if (options_.keep_alive_s == 0) return;
  keep_alive_.expires_after(std::chrono::milliseconds(options_.keep_alive_s * 500));
  keep_alive_.async_wait(guarded([this](const boost::system::error_code& error) {
    if (error || !connected_) return;
    write_empty(output_, MqttPacketType::kPingreq);
    schedule_write();
    schedule_ping();
  }));
}

void Client::close_socket() {
  TlsSession session = socket_ ? socket_->session() : nullptr;
  if (session) tls_session_ = std::move(session);
  socket_.reset();
}

void Client::drop(Error error, bool tell) {
  const bool was_connected = std::exchange(connected_, false);
  ++attempt_;
  keep_alive_.cancel();
  close_socket();
  if (!tell) return;
  if (!was_connected && callbacks_.on_connected) {
    callbacks_.on_connected(std::unexpected(std::move(error)));
  } else if (was_connected && callbacks_.on_closed) {
    callbacks_.on_closed(std::move(error));
  }
}

}  // namespace

std::unique_ptr<MqttClient> AsioClientLoop::make_client(MqttClientOptions options, MqttClient::Callbacks callbacks) {
  return std::make_unique<Client>(*this, std::move(options), std::move(callbacks));
}

std::unique_ptr<MqttClientLoop> MqttClientLoop::create() { return std::make_unique<AsioClientLoop>(); }

}  // namespace tidegate::net
