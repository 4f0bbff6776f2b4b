// How a network thread opens connections: TLS handshakes take turns with everything else.
#include <boost/asio/post.hpp>

#include "net/internal/mqtt_io_thread.h"

namespace tidegate::net {

using boost::asio::ip::tcp;

void MqttIoThread::adopt(tcp::socket socket, const TlsContext* tls, bool refuse) {
  ++connections_;
  ++core_.counters().connections;
  // Moved through a shared pointer: a handler that is posted must be copyable in Asio 1.81's any_executor paths.
  auto passed = std::make_shared<tcp::socket>(std::move(socket));
  boost::asio::post(context_, [this, passed, tls, refuse] { open(std::move(*passed), tls, refuse); });
}

void MqttIoThread::open(tcp::socket socket, const TlsContext* tls, bool refuse) {
  uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<uint32_t>(links_.size());
    links_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  auto made = std::make_unique<Link>(std::move(socket), tls);
  Link& link = *made;
  link.id = uint64_t{next_generation_++} << 32 | slot;
  link.opened_us = core_.clock().monotonic_us();
  link.refuse = refuse;
  links_[slot] = std::move(made);
  if (tls == nullptr) return begin_protocol(link);
  // Nothing is made for a client that does not say anything.
  link.socket.tcp().async_wait(tcp::socket::wait_read, [this, id = link.id](const boost::system::error_code& error) {
    Link* found = find(id);
    if (error || found == nullptr) return;
    found->step = Link::Step::kQueued;
    handshakes_.arrived(id);
    schedule_handshakes();
  });
}

void MqttIoThread::begin_protocol(Link& link) {
  link.protocol.emplace(*shared_, link.id, link.socket.fingerprint());
  if (link.refuse) link.protocol->refuse_with(MqttReason::kServerBusy);
  on_readable(link.id);
}

// Posted behind what is ready now: open connections have their turn in between.
void MqttIoThread::schedule_handshakes() {
  if (handshakes_posted_ || !handshakes_.has_next()) return;
  handshakes_posted_ = true;
  boost::asio::post(context_, [this] { run_handshakes(); });
}

void MqttIoThread::run_handshakes() {
  handshakes_posted_ = false;
  const io::Clock& clock = core_.clock();
  const int64_t begin_us = clock.monotonic_us();
  const int64_t end_us = begin_us + handshake_turn_us(begin_us - handshakes_ended_us_);
  do {
    const auto next = handshakes_.next();
    if (!next) break;
    Link* link = find(next->connection);
    if (link == nullptr) {
      if (next->begins) handshakes_.ended();
      continue;
    }
    if (next->begins) {
      link->step = Link::Step::kUnderWay;
      link->opened_us = begin_us;  // its patience counts from here: waiting was not its fault
    }
    step_handshake(*link);
  } while (clock.monotonic_us() < end_us);
  handshakes_ended_us_ = clock.monotonic_us();
  schedule_handshakes();
}

void MqttIoThread::step_handshake(Link& link) {
  const auto go_on = [this, id = link.id](const boost::system::error_code& error) {
    if (error || find(id) == nullptr) return;
    handshakes_.answered(id);
    schedule_handshakes();
  };
  switch (link.socket.handshake()) {
    case MqttSocket::Status::kOk:
      link.step = Link::Step::kNone;
      handshakes_.ended();
      return begin_protocol(link);
    case MqttSocket::Status::kWantRead: return link.socket.tcp().async_wait(tcp::socket::wait_read, go_on);
    case MqttSocket::Status::kWantWrite: return link.socket.tcp().async_wait(tcp::socket::wait_write, go_on);
    case MqttSocket::Status::kClosed: return close(link);
  }
}

}  // namespace tidegate::net
