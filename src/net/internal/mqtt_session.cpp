#include "net/internal/mqtt_session.h"

#include <algorithm>

#include "base/bytes.h"
#include "net/internal/mqtt_journal.h"
#include "net/internal/mqtt_records.h"

namespace tidegate::net {

MqttOwner MqttSession::attach(MqttOwner owner, uint32_t expiry_s, uint16_t in_flight) {
  const std::scoped_lock lock(mutex_);
  const MqttOwner before = std::exchange(owner_, owner);
  expiry_s_ = expiry_s;
  ends_at_us_ = 0;
  max_in_flight_ = std::min(in_flight, options_.max_in_flight);
  woken_ = true;  // the new connection takes by itself after CONNACK
  for (auto& flight : in_flight_) flight.resend = true;
  save();
  return before;
}

bool MqttSession::detach(MqttOwner owner, uint32_t expiry_s, int64_t now_us) {
  const std::scoped_lock lock(mutex_);
  if (owner_.mailbox != owner.mailbox || owner_.connection != owner.connection) return false;
  owner_ = {};
  expiry_s_ = expiry_s;
  ends_at_us_ = now_us + int64_t{expiry_s} * 1'000'000;
  for (const auto& [sequence, entry] : at_most_once_) {
    queued_bytes_ -= entry.message->payload.size() + kQueueEntryBytes;
  }
  at_most_once_.clear();
  save();
  return true;
}

bool MqttSession::online() const {
  const std::scoped_lock lock(mutex_);
  return owner_.mailbox != nullptr;
}

bool MqttSession::has_ended(int64_t now_us) const {
  const std::scoped_lock lock(mutex_);
  return ended_ || (owner_.mailbox == nullptr && ends_at_us_ <= now_us);
}

void MqttSession::end() {
  const std::scoped_lock lock(mutex_);
  ended_ = true;
  if (persistent()) {
    for (const auto& [sequence, entry] : assured_) forget_message(entry);
    for (const auto& flight : in_flight_) forget_message(flight.entry);
    journal_.erase(session_key(client_id_));
  }
  subscriptions_.clear();
  at_most_once_.clear();
  assured_.clear();
  in_flight_.clear();
  inbound_.clear();
}

// The oldest QoS 0 messages go first; if there are none, the new message does.
size_t MqttSession::make_room(const Queued& entry) {
  const size_t needed = entry.message->payload.size() + kQueueEntryBytes;
  const auto full = [&] {
    return at_most_once_.size() + assured_.size() >= options_.max_queued_messages ||
           (queued_bytes_ + needed > options_.max_queued_bytes && queued_bytes_ > 0);
  };
  size_t dropped = 0;
  while (full() && !at_most_once_.empty()) {
    queued_bytes_ -= at_most_once_.begin()->second.message->payload.size() + kQueueEntryBytes;
    at_most_once_.erase(at_most_once_.begin());
    ++dropped;
  }
  if (full()) return dropped + 1;
  queued_bytes_ += needed;
  (entry.how.qos == 0 ? at_most_once_ : assured_).emplace(entry.sequence, entry);
  if (entry.how.qos > 0) save_message(entry);
  return dropped;
}

size_t MqttSession::deliver(const MqttMessagePtr& message, const MqttDelivery& how) {
  MqttOwner wake;
  size_t dropped = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (ended_ || (owner_.mailbox == nullptr && how.qos == 0)) return 0;
    dropped = make_room({next_sequence_++, message, how});
    if (owner_.mailbox != nullptr && !woken_) {
      woken_ = true;
      wake = owner_;
    }
  }
  if (wake.mailbox != nullptr) wake.mailbox->wake(wake.connection);
  return dropped;
}

MqttSession::Queued MqttSession::pop_next() {
  const bool assured =
      at_most_once_.empty() || (!assured_.empty() && assured_.begin()->first < at_most_once_.begin()->first);
  auto& queue = assured ? assured_ : at_most_once_;
  Queued entry = std::move(queue.begin()->second);
  queue.erase(queue.begin());
  queued_bytes_ -= entry.message->payload.size() + kQueueEntryBytes;
  return entry;
}

void MqttSession::take(size_t limit, std::vector<Outgoing>& out, std::vector<uint16_t>& released) {
  const std::scoped_lock lock(mutex_);
  for (auto& flight : in_flight_) {
    if (!flight.resend) continue;
    flight.resend = false;
    if (flight.received) {
      released.push_back(flight.packet_id);
    } else {
      out.push_back({flight.entry.message, flight.packet_id, flight.entry.how, true});
    }
  }
  while (out.size() < limit && (!at_most_once_.empty() || !assured_.empty())) {
    const bool assured_next =
        at_most_once_.empty() || (!assured_.empty() && assured_.begin()->first < at_most_once_.begin()->first);
    if (assured_next && in_flight_.size() >= max_in_flight_) break;
    Queued entry = pop_next();
    uint16_t packet_id = 0;
    if (assured_next) {
      const auto taken = [&](uint16_t id) {
        return std::ranges::any_of(in_flight_, [&](const InFlight& flight) { return flight.packet_id == id; });
      };
      do {
        packet_id = ++next_packet_id_;
      } while (packet_id == 0 || (in_flight_.size() > 0 && taken(packet_id)));
    }
    out.push_back({entry.message, packet_id, entry.how, false});
    if (packet_id != 0) in_flight_.push_back({packet_id, false, false, std::move(entry)});
  }
  // A full window is opened by an acknowledgement, which makes the connection take again.
  const bool window_full = in_flight_.size() >= max_in_flight_ && at_most_once_.empty();
  woken_ = !window_full && (!at_most_once_.empty() || !assured_.empty());
}

bool MqttSession::has_more() const {
  const std::scoped_lock lock(mutex_);
  return !at_most_once_.empty() || (!assured_.empty() && in_flight_.size() < max_in_flight_);
}

bool MqttSession::acknowledged(uint16_t packet_id) {
  const std::scoped_lock lock(mutex_);
  const auto found = std::ranges::find(in_flight_, packet_id, &InFlight::packet_id);
  if (found == in_flight_.end()) return false;
  forget_message(found->entry);
  in_flight_.erase(found);
  return true;
}

bool MqttSession::received(uint16_t packet_id) {
  const std::scoped_lock lock(mutex_);
  const auto found = std::ranges::find(in_flight_, packet_id, &InFlight::packet_id);
  if (found == in_flight_.end()) return false;
  found->received = true;
  return true;
}

MqttSession::Inbound MqttSession::begin_inbound(uint16_t packet_id) {
  const std::scoped_lock lock(mutex_);
  const auto [entry, is_new] = inbound_.emplace(packet_id, false);
  if (is_new) return Inbound::kNew;
  return entry->second ? Inbound::kStored : Inbound::kPending;
}

void MqttSession::settle_inbound(uint16_t packet_id, bool ok) {
  const std::scoped_lock lock(mutex_);
  const auto found = inbound_.find(packet_id);
  if (found == inbound_.end()) return;
  if (ok) {
    found->second = true;
  } else {
    inbound_.erase(found);
  }
}

bool MqttSession::release_inbound(uint16_t packet_id) {
  const std::scoped_lock lock(mutex_);
  return inbound_.erase(packet_id) > 0;
}

bool MqttSession::inbound_stored(uint16_t packet_id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = inbound_.find(packet_id);
  return found != inbound_.end() && found->second;
}

std::optional<bool> MqttSession::subscribe(const std::string& filter, const MqttStoredSubscription& subscription) {
  const std::scoped_lock lock(mutex_);
  if (subscriptions_.size() >= options_.max_subscriptions_per_session && !subscriptions_.contains(filter)) {
    return std::nullopt;
  }
  const bool is_new = subscriptions_.insert_or_assign(filter, subscription).second;
  save();
  return is_new;
}

bool MqttSession::unsubscribe(const std::string& filter) {
  const std::scoped_lock lock(mutex_);
  if (subscriptions_.erase(filter) == 0) return false;
  save();
  return true;
}

std::map<std::string, MqttStoredSubscription> MqttSession::subscriptions() const {
  const std::scoped_lock lock(mutex_);
  return subscriptions_;
}

void MqttSession::save() {
  if (!persistent() || !journal_.enabled()) return;
  std::string record;
  ByteWriter writer(record);
  writer.fixed(kSessionRecordVersion);
  writer.text(principal_);
  writer.fixed(expiry_s_);
  writer.varint(subscriptions_.size());
  for (const auto& [filter, subscription] : subscriptions_) {
    writer.text(filter);
    writer.fixed(static_cast<uint8_t>(subscription.qos | (subscription.no_local ? 4 : 0) |
                                      (subscription.retain_as_published ? 8 : 0)));
    writer.varint(subscription.id);
  }
  journal_.put(session_key(client_id_), std::move(record));
}

void MqttSession::restore(std::string_view record, int64_t now_us) {
  const std::scoped_lock lock(mutex_);
  ByteReader reader(record);
  reader.fixed<uint8_t>();
  reader.text();
  expiry_s_ = reader.fixed<uint32_t>();
  ends_at_us_ = now_us + int64_t{expiry_s_} * 1'000'000;
  for (uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    const std::string filter(reader.text());
    const auto flags = reader.fixed<uint8_t>();
    const auto id = static_cast<uint32_t>(reader.varint());
    if (!reader.ok()) break;
    subscriptions_[filter] = {static_cast<uint8_t>(flags & 3), (flags & 4) != 0, (flags & 8) != 0, id};
  }
}

void MqttSession::save_message(const Queued& entry) {
  if (!persistent() || !journal_.enabled()) return;
  std::string record;
  ByteWriter writer(record);
  writer.fixed(static_cast<uint8_t>(entry.how.qos | (entry.how.retain ? 4 : 0)));
  writer.varint(entry.how.subscription_ids.size());
  for (const uint32_t id : entry.how.subscription_ids) writer.varint(id);
  put_message(record, *entry.message);
  journal_.put(queued_key(client_id_, entry.sequence), std::move(record));
}

void MqttSession::restore_message(uint64_t sequence, std::string_view record) {
  ByteReader reader(record);
  const auto flags = reader.fixed<uint8_t>();
  MqttDelivery how{static_cast<uint8_t>(flags & 3), (flags & 4) != 0, {}};
  for (uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    how.subscription_ids.push_back(static_cast<uint32_t>(reader.varint()));
  }
  auto message = read_message(reader.raw(reader.remaining()));
  if (!message) return;
  const std::scoped_lock lock(mutex_);
  queued_bytes_ += (*message)->payload.size() + kQueueEntryBytes;
  assured_.emplace(sequence, Queued{sequence, *message, std::move(how)});
  next_sequence_ = std::max(next_sequence_, sequence + 1);
}

void MqttSession::forget_message(const Queued& entry) {
  if (persistent() && journal_.enabled()) journal_.erase(queued_key(client_id_, entry.sequence));
}

}  // namespace tidegate::net
