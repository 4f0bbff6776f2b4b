// Reads sample messages of a format that nobody has told: which it is, and what its fields are.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/internal/sample_fields.h"
#include "codec/proposal.h"

namespace tidegate::codec {

struct ReadSamples {
  std::string format;
  std::string preset;     // empty: none
  SourceOptions options;  // that reading them needs: 'csv.delimiter', 'records'
  SampleFields fields;
  bool positional = false;  // CSV without a header: fields are told by their place
  std::vector<std::string> notes;
  size_t unread = 0;  // samples that are not of this format to their end
};

// Each reads what it can; nothing when it can read none of the samples.
[[nodiscard]] std::optional<ReadSamples> read_json_samples(std::span<const Sample> samples);
[[nodiscard]] std::optional<ReadSamples> read_cbor_samples(std::span<const Sample> samples);
[[nodiscard]] std::optional<ReadSamples> read_csv_samples(std::span<const Sample> samples);
// "senml-json", "senml-cbor", "influx" or "sparkplug": read by their own decoder, a measurement a row.
[[nodiscard]] std::optional<ReadSamples> read_metric_samples(std::span<const Sample> samples, std::string_view format);

// The format that most samples are of.
[[nodiscard]] Result<ReadSamples> read_samples(std::span<const Sample> samples);

}  // namespace tidegate::codec
