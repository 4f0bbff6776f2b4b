// What other threads and the clock ask of a network thread; the data path is in mqtt_io_thread.cpp.
#include <boost/asio/post.hpp>

#include "net/internal/mqtt_io_thread.h"

namespace tidegate::net {

void MqttIoThread::wake(uint64_t connection) { post_mail(connection, false); }

void MqttIoThread::take_over(uint64_t connection) { post_mail(connection, true); }

void MqttIoThread::post_mail(uint64_t connection, bool taken_over) {
  bool first = false;
  {
    auto mail = mail_.lock();
    first = mail->empty();
    mail->push_back({connection, taken_over});
  }
  if (first) boost::asio::post(context_, [this] { read_mail(); });
}

void MqttIoThread::read_mail() {
  std::vector<Mail> mail;
  mail.swap(*mail_.lock());
  for (const Mail& letter : mail) {
    Link* link = find(letter.connection);
    if (link == nullptr || !link->protocol) continue;
    if (letter.taken_over) link->protocol->take_over();
    touch(*link);
  }
  write_touched();
}

void MqttIoThread::schedule_tick() {
  tick_timer_.expires_after(std::chrono::milliseconds(kTickMs));
  tick_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    tick();
    schedule_tick();
  });
}

void MqttIoThread::tick() {
  const int64_t now_us = core_.clock().monotonic_us();
  const int64_t oldest_us = now_us - int64_t{options_.unauthenticated_timeout_ms} * 1'000;
  for (auto& link : links_) {
    if (!link) continue;
    const bool known = link->protocol && link->protocol->authenticated();
    if (!known && link->opened_us < oldest_us && link->step != Link::Step::kQueued) {
      close(*link);
      continue;
    }
    if (!known) continue;
    link->protocol->tick(now_us);
    if (link->protocol->closing() && link->writing) {
      close(*link);
    } else if (link->protocol->closing()) {
      touch(*link);
    }
  }
  if (first_) {
    for (const auto& will : core_.take_due_wills()) {
      publish_left_message(*shared_, *will.identity, will.message);
      open_round();
    }
    core_.expire_sessions();
  }
  write_touched();
}

void MqttIoThread::check_stall() {
  const bool stall = handler_.overloaded() || core_.journal().overloaded() || shared_->acks.waiting() > kMaxWaitingAcks;
  if (stall && !stalled_) {
    stalled_ = true;
    stall_timer_.expires_after(std::chrono::milliseconds(kStallPollMs));
    stall_timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      stalled_ = false;
      check_stall();
      if (!stalled_) resume_reading();
    });
  }
}

void MqttIoThread::resume_reading() {
  std::vector<uint64_t> paused;
  paused.swap(paused_);
  for (const uint64_t id : paused) {
    Link* link = find(id);
    if (link == nullptr) continue;
    link->reading = false;
    arm_read(*link);
  }
}

}  // namespace tidegate::net
