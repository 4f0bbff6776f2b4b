#include "net/internal/mqtt_io_thread.h"
#include "io/thread.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

namespace tidegate::net {

using boost::asio::ip::tcp;

MqttIoThread::MqttIoThread(MqttCore& core, MqttHandler& handler, const MqttListenerOptions& options, bool first)
    : core_(core), handler_(handler), options_(options), first_(first), back_(std::make_shared<Back>(this)) {}

MqttIoThread::~MqttIoThread() { join(); }

void MqttIoThread::start() {
  thread_ = std::thread([this] {
    io::name_this_thread("tg-mqtt");
    run();
  });
}

void MqttIoThread::run() {
  lane_ = handler_.open_lane();
  shared_ = std::make_unique<MqttThread>(MqttThread{core_, *lane_, *this, {}, {}, {}, {}, {}, 0, 0});
  const auto work = boost::asio::make_work_guard(context_);
  schedule_tick();
  context_.run();
  close_all();
  *back_->lock() = nullptr;
  shared_.reset();
  lane_.reset();
}

void MqttIoThread::stop() {
  boost::asio::post(context_, [this] {
    stopping_ = true;
    for (auto& link : links_) {
      if (!link || !link->protocol) continue;
      link->protocol->shut_down();
      touch(*link);
    }
    write_touched();
    context_.stop();
  });
}

void MqttIoThread::join() {
  if (thread_.joinable()) thread_.join();
}

void MqttIoThread::close_all() {
  for (auto& link : links_) {
    if (link) close(*link);
  }
  lane_->flush([](const Result<>&) {});
}

MqttIoThread::Link* MqttIoThread::find(uint64_t id) {
  const auto slot = static_cast<uint32_t>(id);
  if (slot >= links_.size() || !links_[slot] || links_[slot]->id != id) return nullptr;
  return links_[slot].get();
}

void MqttIoThread::close(Link& link) {
  if (link.protocol) link.protocol->closed();
  if (link.step == Link::Step::kUnderWay) {
    handshakes_.ended();
    schedule_handshakes();
  }
  const auto slot = static_cast<uint32_t>(link.id);
  links_[slot].reset();
  free_slots_.push_back(slot);
  --connections_;
  --core_.counters().connections;
  if (!stopping_) open_round();  // a will may have been published
}

void MqttIoThread::arm_read(Link& link) {
  if (link.reading) return;
  if (stalled_) {
    paused_.push_back(link.id);
    link.reading = link.put_off = true;
    return;
  }
  link.reading = true;
  const uint64_t id = link.id;
  if (link.socket.has_buffered()) {
    boost::asio::post(context_, [this, id] { on_readable(id); });
    return;
  }
  link.socket.tcp().async_wait(tcp::socket::wait_read, [this, id](const boost::system::error_code& error) {
    if (!error) on_readable(id);
  });
}

void MqttIoThread::on_readable(uint64_t id) {
  Link* link = find(id);
  if (link == nullptr) return;
  link->reading = false;
  if (stalled_) return arm_read(*link);  // it became readable before
  open_round();
  touch(*link);
  const bool large = link->needed > kReadBytes;
  if (!(large ? take_large(*link) : take_bytes(*link))) return close(*link);
  go_on_reading(*link);
}

void MqttIoThread::go_on_reading(Link& link) {
  if (link.protocol->closing()) return;
  if (link.protocol->held_us() > 0) return hold(link);
  if (link.protocol->output().size() - link.sent < kOutputHighWater) arm_read(link);
}

// False: the peer has gone. The common case: everything passes through the thread's one buffer.
bool MqttIoThread::take_bytes(Link& link) {
  const size_t kept = link.partial.size();
  std::copy(link.partial.begin(), link.partial.end(), buffer_.begin());
  const auto moved = link.socket.read(std::span(buffer_.data() + kept, kReadBytes - kept));
  bytes_in_ += moved.bytes;
  if (moved.bytes > 0) parse(link, kept + moved.bytes);
  return moved.status != MqttSocket::Status::kClosed;
}

// The first bytes of the buffer; what is left over is kept.
void MqttIoThread::parse(Link& link, size_t bytes) {
  const std::string_view all(buffer_.data(), bytes);
  const std::string_view rest = all.substr(link.protocol->read(all, link.needed));
  if (rest.empty() && link.partial.capacity() > 0) {
    link.partial = std::string();
  } else {
    link.partial.assign(rest);
  }
}

// A packet larger than the buffer is put together apart; memory grows as its bytes come, not as it announces.
bool MqttIoThread::take_large(Link& link) {
  const size_t missing = link.needed - link.partial.size();
  const auto moved = link.socket.read(std::span(buffer_.data(), std::min(kReadBytes, missing)));
  bytes_in_ += moved.bytes;
  link.partial.append(buffer_.data(), moved.bytes);
  if (link.partial.size() == link.needed) parse_large(link);
  return moved.status != MqttSocket::Status::kClosed;
}

void MqttIoThread::parse_large(Link& link) {
  link.partial.reserve(link.needed + kReadableBehind);
  link.protocol->read(link.partial, link.needed);
  if (link.protocol->held_us() > 0) return;
  link.partial = std::string();
  link.needed = 0;
}

void MqttIoThread::touch(Link& link) {
  if (link.touched) return;
  link.touched = true;
  touched_.push_back(link.id);
}

// Posted behind the sockets that are ready now: their packets are all parsed before anything is sent.
void MqttIoThread::open_round() {
  if (round_open_) return;
  round_open_ = true;
  boost::asio::post(context_, [this] { end_round(); });
}

void MqttIoThread::end_round() {
  round_open_ = false;
  auto& acks = shared_->acks;
  const uint64_t round = acks.seal(1);
  const auto done = [back = back_, round](const Result<>& result) {
    auto self = back->lock();
    if (*self == nullptr) return;
    boost::asio::post((*self)->context_,
                      [thread = *self, round, ok = result.has_value()] { thread->on_flushed(round, ok); });
  };
  if (lane_->flush(done)) acks.expect(round);
  if (core_.journal().enabled() && core_.journal().flush(done)) acks.expect(round);
  acks.done(round, true);
  auto& counters = core_.counters();
  counters.messages_in += std::exchange(shared_->messages_in, 0);
  counters.messages_out += std::exchange(shared_->messages_out, 0);
  counters.bytes_in += std::exchange(bytes_in_, 0);
  counters.bytes_out += std::exchange(bytes_out_, 0);
  settle_ready();
  write_touched();
  check_stall();
}

void MqttIoThread::on_flushed(uint64_t round, bool ok) {
  shared_->acks.done(round, ok);
  settle_ready();
  write_touched();
  check_stall();
}

void MqttIoThread::settle_ready() {
  shared_->acks.take_ready([this](const MqttPendingAck& ack, bool durable) {
    if (ack.session && !ack.repeated) {
      ack.session->settle_inbound(ack.packet_id, durable && ack.reason == MqttReason::kSuccess);
    }
    Link* link = find(ack.connection);
    if (link == nullptr) return;
    link->protocol->settle(ack, durable);
    touch(*link);
  });
}

void MqttIoThread::write_touched() {
  for (size_t i = 0; i < touched_.size(); ++i) {
    Link* link = find(touched_[i]);
    if (link == nullptr) continue;
    link->touched = false;
    write_out(*link);
  }
  touched_.clear();
}

void MqttIoThread::write_out(Link& link) {
  if (!link.protocol || link.writing) return;
  std::string& output = link.protocol->output();
  while (true) {
    link.protocol->pump();
    if (output.empty()) break;
    const auto moved = link.socket.write(std::string_view(output).substr(link.sent));
    bytes_out_ += moved.bytes;
    link.sent += moved.bytes;
    if (moved.status == MqttSocket::Status::kClosed) return close(link);
    if (link.sent < output.size()) {
      if (link.protocol->closing()) return close(link);
      return arm_write(link);
    }
    link.sent = 0;
    if (output.capacity() > 4096) {
      output = std::string();
    } else {
      output.clear();
    }
  }
  if (link.protocol->closing()) return close(link);
  arm_read(link);
}

void MqttIoThread::arm_write(Link& link) {
  link.writing = true;
  const uint64_t id = link.id;
  link.socket.tcp().async_wait(tcp::socket::wait_write, [this, id](const boost::system::error_code& error) {
    Link* found = find(id);
    if (error || found == nullptr) return;
    found->writing = false;
    write_out(*found);
  });
}

}  // namespace tidegate::net
