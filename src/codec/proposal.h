// A schema proposed from messages that devices have sent: what their format is, which columns they fill, which of them
// is the device and which the event time, and why. Pure: nothing is kept. docs/formats/proposals.md says what is
// guessed.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/source_format.h"

namespace tidegate::codec {

// What a proposal looks at, at most: a person shows some messages, and a guess gets no better by more.
inline constexpr size_t kMaxSamples = 1000;
inline constexpr size_t kMaxSampleBytes = 8U << 20;  // of all samples together
inline constexpr size_t kMaxProposedColumns = 200;   // more are told of, and left out
inline constexpr size_t kMaxSampleRecords = 20'000;  // of all samples together; the rest is not looked at

struct Sample {
  std::string topic;  // empty: it did not come by MQTT
  std::string payload;
};

enum class ColumnRole : uint8_t { kValue, kDevice, kTime };

struct ProposedColumn {
  std::string name;  // letters, digits and '_'; no two alike, whatever their case
  columnar::TypeKind type = columnar::TypeKind::kString;
  bool nullable = true;
  ColumnRole role = ColumnRole::kValue;
  bool sure = true;  // false: somebody who knows the device should look
  std::string why;   // for people, one sentence
};

struct Proposal {
  std::string format;  // as the option 'format' has it
  std::vector<ProposedColumn> columns;
  std::optional<size_t> device;
  size_t time = 0;                 // there is always one: when nothing in the messages is, the time of arrival
  int64_t watermark_delay_us = 0;  // how late messages came among the samples, rounded up
  SourceOptions options;           // all that CREATE TABLE needs besides 'device'
  std::vector<std::string> notes;  // for people, about all of it
};

// BadRequest, saying what the samples look like, when they are of no format that can be told, and when there are none.
[[nodiscard]] Result<Proposal> propose(std::span<const Sample> samples);

// The schema of a proposal.
[[nodiscard]] columnar::SchemaPtr schema_of(const Proposal& proposal);

}  // namespace tidegate::codec
