// What other threads and the clock ask of a network thread; the data path is in mqtt_io_thread.cpp.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>

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
    if (link->put_off) link->protocol->excuse(now_us);
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
    link->reading = link->put_off = false;
    arm_read(*link);
  }
  release_held();
}

// Its sender is over its quota and cannot be told: what it sent waits, at last in its own buffers.
void MqttIoThread::hold(Link& link) {
  link.reading = link.put_off = true;
  held_.emplace(core_.clock().monotonic_us() + link.protocol->held_us(), link.id);
  schedule_release();
}

void MqttIoThread::schedule_release() {
  if (held_.empty() || (release_at_us_ > 0 && release_at_us_ <= held_.top().first)) return;
  release_at_us_ = held_.top().first;
  const int64_t wait_us = std::max<int64_t>(release_at_us_ - core_.clock().monotonic_us(), 0);
  hold_timer_.expires_after(std::chrono::microseconds(wait_us));
  hold_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) release_held();
  });
}

void MqttIoThread::release_held() {
  release_at_us_ = 0;
  if (stalled_) return;  // as everybody: resume_reading() comes back here
  const int64_t now_us = core_.clock().monotonic_us();
  while (!held_.empty() && held_.top().first <= now_us) {
    Link* link = find(held_.top().second);
    held_.pop();
    if (link == nullptr) continue;
    link->reading = link->put_off = false;
    open_round();
    touch(*link);
    if (link->needed > kReadBytes) {
      parse_large(*link);
    } else {
      std::copy(link->partial.begin(), link->partial.end(), buffer_.begin());
      parse(*link, link->partial.size());
    }
    go_on_reading(*link);
  }
  schedule_release();
}

}  // namespace tidegate::net
