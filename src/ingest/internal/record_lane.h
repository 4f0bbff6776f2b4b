// RecordLane: the lane behind ingest.h. One network thread's.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "codec/record_decoder.h"
#include "ingest/ingest.h"
#include "ingest/internal/computed_time.h"
#include "ingest/internal/dead_letters.h"
#include "ingest/internal/gateway_allowance.h"
#include "ingest/internal/stream_registry.h"
#include "ingest/internal/topic_values.h"

namespace tidegate::ingest {

class RecordLane final : public Lane {
 public:
  RecordLane(log::Log& log, const io::Clock& clock, columnar::StringPool& devices, const StreamRegistry& streams)
      : log_(log), clock_(clock), devices_(devices), streams_(streams), gateway_(devices) {}

  Result<Accepted> accept(StreamId stream, const Arrival& arrival) override;
  Result<bool> refuse(StreamId stream, const Arrival& arrival, const Error& reason) override;
  bool flush(log::Committed done) override;
  [[nodiscard]] size_t waiting_rows() const override { return waiting_; }

 private:
  // Rows and dead letters of one stream that wait for the flush.
  struct Waiting {
    Waiting(StreamEntryPtr entry_ptr, columnar::StringPool& devices);
    StreamEntryPtr entry;
    std::optional<ComputedTime> computed_time;  // before the decoder, which uses it
    std::unique_ptr<codec::RecordDecoder> decoder;
    TopicValues topic_values;
    columnar::BatchBuilder rows;
    std::optional<DeadLetters> dead_letters;
    uint64_t bytes = 0;
    uint64_t dead = 0;

    [[nodiscard]] bool empty() const { return rows.rows() == 0 && (!dead_letters || dead_letters->empty()); }
  };
  using StreamBatch = std::pair<StreamId, columnar::Batch>;
  // The clock is read at the first message after a flush and again after so many: event times are checked against it
  // with a tolerance of minutes.
  static constexpr uint32_t kMessagesPerClockReading = 1024;

  [[nodiscard]] Waiting* find(StreamId stream);
  void forget_removed();
  void take(Waiting& waiting, std::vector<StreamBatch>& batches) const;
  void read_clock();
  Result<codec::RowRules> rules_for(const catalog::StreamDefinition& stream, const security::Principal* principal);
  std::optional<StringCode> device_of(const security::Principal* principal);

  log::Log& log_;
  const io::Clock& clock_;
  columnar::StringPool& devices_;
  const StreamRegistry& streams_;
  std::unordered_map<StreamId, std::unique_ptr<Waiting>> by_stream_;
  std::vector<std::unique_ptr<Waiting>> retired_;  // with rows, of streams no longer in the registry
  uint64_t seen_version_ = 0;
  Waiting* last_ = nullptr;
  size_t waiting_ = 0;
  int64_t now_us_ = 0;
  uint32_t messages_on_clock_ = 0;
  // The sender of the last message: messages of one connection come together.
  GatewayAllowance gateway_;
  std::string last_device_;
  std::optional<StringCode> last_device_code_;
};

}  // namespace tidegate::ingest
