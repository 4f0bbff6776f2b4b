#include "ingest/internal/record_lane.h"

#include <fmt/format.h>

#include <atomic>

#include "base/guarded.h"

namespace tidegate::ingest {

static_assert(kPayloadPadding >= codec::kPayloadPadding);

namespace {

// Turns the misfits of one payload into dead letters.
class DeadLetterWriter final : public codec::MisfitHandler {
 public:
  DeadLetterWriter(DeadLetters* letters, int64_t now_us, std::string_view topic, std::optional<StringCode> sender,
                   Accepted& accepted)
      : letters_(letters), now_us_(now_us), topic_(topic), sender_(sender), accepted_(accepted) {}

  void on_misfit(codec::Misfit misfit) override {
    if (accepted_.dead++ == 0) {
      accepted_.first_reason =
          fmt::format("TG{} record {}: {}", static_cast<int>(misfit.code), misfit.position + 1, misfit.reason);
    }
    if (letters_ == nullptr) return;
    // Who sent it says more than whom it names, if it may not speak for that device.
    const auto device = misfit.code == ErrorCode::NotAuthorized || !misfit.device ? sender_ : misfit.device;
    letters_->add(now_us_, device ? device : misfit.device, topic_, misfit.code, misfit.reason, misfit.record);
  }

 private:
  DeadLetters* letters_;
  int64_t now_us_;
  std::string_view topic_;
  std::optional<StringCode> sender_;
  Accepted& accepted_;
};

// Calls `done` once, when all appends of a flush have been answered, with the first error if there was one.
class FlushOutcome {
 public:
  FlushOutcome(size_t appends, log::Committed done) : left_(appends), done_(std::move(done)) {}

  void answered(Result<> result) {
    if (!result) {
      auto first = first_.lock();
      if (first->has_value()) *first = std::move(result);
    }
    if (left_.fetch_sub(1) == 1) done_(*first_.lock());
  }

 private:
  std::atomic<size_t> left_;
  Guarded<Result<>> first_;
  log::Committed done_;
};

std::optional<ComputedTime> computed_time_of(const StreamEntry& entry) {
  if (!entry.event_time) return std::nullopt;
  const catalog::StreamDefinition& stream = *entry.stream;
  return ComputedTime(*entry.event_time, stream.schema->fields[*stream.time_column].name);
}

}  // namespace

RecordLane::Waiting::Waiting(StreamEntryPtr entry_ptr, columnar::StringPool& devices)
    : entry(std::move(entry_ptr)),
      computed_time(computed_time_of(*entry)),
      decoder(codec::make_decoder(
          entry->format, {entry->stream->schema, entry->stream->device_column, &devices, entry->stream->time_column,
                          codec::kMaxRecordBytes, nullptr, computed_time ? &*computed_time : nullptr})),
      topic_values(entry->format.topic_columns, entry->stream->device_column, devices),
      rows(entry->stream->schema, entry->stream->device_column, &devices) {
  if (entry->dead_letters != nullptr) dead_letters.emplace(entry->dead_letters, devices);
}

RecordLane::Waiting* RecordLane::find(StreamId stream) {
  if (seen_version_ != streams_.version()) forget_removed();
  if (last_ != nullptr && last_->entry->stream->id == stream) return last_;
  auto found = by_stream_.find(stream);
  if (found == by_stream_.end()) {
    StreamEntryPtr entry = streams_.find(stream);
    if (entry == nullptr) return nullptr;
    found = by_stream_.emplace(stream, std::make_unique<Waiting>(std::move(entry), devices_)).first;
  }
  last_ = found->second.get();
  return last_;
}

// Of streams that were dropped or declared anew; rows that wait still go to the log, which says what becomes of them.
void RecordLane::forget_removed() {
  seen_version_ = streams_.version();
  last_ = nullptr;
  for (auto at = by_stream_.begin(); at != by_stream_.end();) {
    if (streams_.find(at->first) == at->second->entry) {
      ++at;
      continue;
    }
    if (!at->second->empty()) retired_.push_back(std::move(at->second));
    at = by_stream_.erase(at);
  }
}

void RecordLane::read_clock() {
  if (waiting_ > 0 && ++messages_on_clock_ < kMessagesPerClockReading) return;
  now_us_ = clock_.now_us();
  messages_on_clock_ = 0;
}

std::optional<StringCode> RecordLane::device_of(const security::Principal* principal) {
  if (principal == nullptr || principal->kind != security::PrincipalKind::kDevice) return std::nullopt;
  if (!last_device_code_ || principal->name != last_device_) {
    last_device_ = principal->name;
    last_device_code_ = devices_.intern(principal->name);
  }
  return last_device_code_;
}

Result<codec::RowRules> RecordLane::rules_for(const catalog::StreamDefinition& stream,
                                              const security::Principal* principal) {
  codec::RowRules rules;
  rules.latest_time_us = now_us_ + stream.max_skew_us;
  if (principal != nullptr && principal->kind == security::PrincipalKind::kUser) rules.author = principal->name;
  if (stream.device_column && principal != nullptr && principal->scope) {
    gateway_.set(*principal);
    rules.allowance = &gateway_;
  }
  if (!stream.device_column || principal == nullptr || principal->kind != security::PrincipalKind::kDevice)
    return rules;
  rules.default_device = device_of(principal);
  if (!rules.default_device) {
    return fail(ErrorCode::LimitReached,
                fmt::format("device '{}' cannot be taken: the limit of different devices is reached", principal->name));
  }
  if (!principal->admin) rules.only_device = rules.default_device;
  return rules;
}

Result<Accepted> RecordLane::accept(StreamId stream, const Arrival& arrival) {
  Waiting* waiting = find(stream);
  if (waiting == nullptr) return fail(ErrorCode::NotFound, fmt::format("there is no stream with id {}", stream.value));
  read_clock();
  TRY_ASSIGN(codec::RowRules rules, rules_for(*waiting->entry->stream, arrival.principal));
  rules.arrival_us = now_us_;
  // What a TIMESTAMP(3) holds.
  if (waiting->entry->format.arrival_is_time) rules.default_time_us = now_us_ - now_us_ % kMicrosPerMilli;
  TRY_ASSIGN(rules.from_topic, waiting->topic_values.of(arrival.topic));
  Accepted accepted;
  DeadLetters* letters = waiting->dead_letters ? &*waiting->dead_letters : nullptr;
  const size_t dead_before = letters != nullptr ? letters->waiting() : 0;
  std::optional<StringCode> sender = device_of(arrival.principal);
  // A record that nobody could read belongs to the device on whose topic it came.
  for (const codec::TopicValue& value : rules.from_topic) sender = sender ? sender : value.code;
  DeadLetterWriter misfits(letters, now_us_, arrival.topic, sender, accepted);
  accepted.good =
      waiting->decoder->decode({arrival.payload, arrival.padded, arrival.topic}, rules, waiting->rows, misfits).good;
  waiting_ += accepted.good;
  if (letters != nullptr) waiting_ += letters->waiting() - dead_before;
  waiting->bytes += arrival.payload.size();
  waiting->dead += accepted.dead;
  return accepted;
}

Result<bool> RecordLane::refuse(StreamId stream, const Arrival& arrival, const Error& reason) {
  Waiting* waiting = find(stream);
  if (waiting == nullptr) return fail(ErrorCode::NotFound, fmt::format("there is no stream with id {}", stream.value));
  read_clock();
  ++waiting->dead;
  if (!waiting->dead_letters) return false;
  DeadLetters& letters = *waiting->dead_letters;
  const size_t before = letters.waiting();
  letters.add(now_us_, device_of(arrival.principal), arrival.topic, reason.code, reason.message, arrival.payload);
  waiting_ += letters.waiting() - before;
  return true;
}

void RecordLane::take(Waiting& waiting, std::vector<StreamBatch>& batches) const {
  const StreamEntry& entry = *waiting.entry;
  entry.counts->rows.fetch_add(waiting.rows.rows(), std::memory_order_relaxed);
  entry.counts->bytes.fetch_add(std::exchange(waiting.bytes, 0), std::memory_order_relaxed);
  entry.counts->dead.fetch_add(std::exchange(waiting.dead, 0), std::memory_order_relaxed);
  if (waiting.rows.rows() > 0) batches.emplace_back(entry.stream->id, waiting.rows.finish());
  if (waiting.dead_letters && !waiting.dead_letters->empty()) {
    batches.emplace_back(waiting.dead_letters->stream(), waiting.dead_letters->take(now_us_));
  }
}

bool RecordLane::flush(log::Committed done) {
  std::vector<StreamBatch> batches;
  for (const auto& waiting : retired_) take(*waiting, batches);
  retired_.clear();
  for (const auto& [stream, waiting] : by_stream_) take(*waiting, batches);
  waiting_ = 0;
  if (batches.empty()) return false;
  if (batches.size() == 1) {
    log_.append(batches.front().first, std::move(batches.front().second), std::move(done));
    return true;
  }
  // Shared by the callbacks of the appends, of which any may be the last.
  const auto outcome = std::make_shared<FlushOutcome>(batches.size(), std::move(done));
  for (auto& [stream, batch] : batches) {
    log_.append(stream, std::move(batch), [outcome](Result<> result) { outcome->answered(std::move(result)); });
  }
  return true;
}

}  // namespace tidegate::ingest
