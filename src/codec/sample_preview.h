// What becomes of sample messages under a schema: the rows, and the dead letters with their reasons. Nothing is kept.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "codec/proposal.h"
#include "codec/source_format.h"

namespace tidegate::codec {

struct PreviewLetter {
  size_t sample = 0;  // from 0
  size_t record = 0;  // of the sample, from 0
  ErrorCode code = ErrorCode::RecordMalformed;
  std::string reason;
  std::string text;  // of the record, cut when it is long
};

struct SamplePreview {
  std::vector<std::string> rows;            // the first as JSON objects
  std::vector<PreviewLetter> dead_letters;  // the first
  size_t good = 0;
  size_t dead = 0;
  uint64_t unknown_names = 0;  // values for which there is no column
};

// Shown at most, of each kind: a page for a person.
inline constexpr size_t kMaxPreviewRows = 100;

// Decoded by the decoders that would take the messages in. `now_us` is the time of arrival; a record that names no
// device belongs to "(sender)", as it would to the device that sent it.
[[nodiscard]] SamplePreview preview(const SourceFormat& format, const columnar::SchemaPtr& schema,
                                    std::optional<size_t> device, std::optional<size_t> time,
                                    std::span<const Sample> samples, int64_t now_us);

}  // namespace tidegate::codec
