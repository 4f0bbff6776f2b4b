// SourceFormat: what the options of a stream say about the payloads that it takes in. docs/formats/payloads.md
// describes each format, docs/sql.md the options.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/internal/record_path.h"
#include "codec/record_decoder.h"
#include "codec/time_format.h"
#include "codec/topic_pattern.h"

namespace tidegate::codec {

enum class WireFormat : uint8_t { kJson, kCsv, kCbor, kSenmlJson, kSenmlCbor, kInflux, kSparkplug };

// Of the timestamps that a format has of its own.
enum class TimePrecision : uint8_t { kDefault, kSeconds, kMillis, kMicros, kNanos };

struct CsvFormat {
  char delimiter = ',';
  bool header = false;                         // the first record of each payload names the columns
  std::vector<std::optional<size_t>> columns;  // of each field without a header; none: the field is left out
  std::string null_text;                       // means NULL, as an empty field does
};

// Where a column's value stands in messages with nested values.
struct FieldPath {
  size_t column = 0;
  RecordPath path;
};

// The name under which a flat format has the value of a column.
struct FieldName {
  std::string name;
  size_t column = 0;
};

class SparkplugNodes;

struct SourceFormat {
  WireFormat wire = WireFormat::kJson;
  std::optional<RecordPath> records;  // where the records of a message stand; else the message is one
  std::vector<FieldPath> fields;      // the columns that are not filled by their name
  std::vector<FieldName> names;       // the same for formats without paths
  bool metrics_as_rows = false;       // each measurement is a row, not a column
  TimePrecision precision = TimePrecision::kDefault;
  // Shared by the decoders of all threads: what edge nodes said at birth holds whichever connection says more.
  std::shared_ptr<SparkplugNodes> sparkplug;
  std::vector<TimeFormat> times;  // of each column; of the timestamps among them it counts
  bool arrival_is_time = false;   // a missing event time is when the record arrived
  CsvFormat csv;
  std::vector<TopicColumn> topic_columns;  // filled from the levels of the topic
  ValueRulesPtr values;                    // null: nothing is said about values
};

// The columns of the stream, as far as options name them.
struct SourceColumns {
  const columnar::Schema& schema;
  std::optional<size_t> device;
  std::optional<size_t> time;
  bool time_is_computed = false;  // from the other columns, so that no payload has it

  // The column that no option can name.
  [[nodiscard]] std::optional<size_t> unnamed() const { return time_is_computed ? time : std::nullopt; }
};

// An option that cannot be used, and why.
struct BadOption {
  std::string key;
  Error error;
};

using SourceOptions = std::map<std::string, std::string>;

// Whether options of this name are for parse_source_format().
[[nodiscard]] bool is_source_option(std::string_view key);
// Their names, for hints.
[[nodiscard]] std::vector<std::string> source_option_names();
// Options of other names are passed over.
[[nodiscard]] std::expected<SourceFormat, BadOption> parse_source_format(const SourceOptions& options,
                                                                         const SourceColumns& columns);
[[nodiscard]] std::unique_ptr<RecordDecoder> make_decoder(const SourceFormat& format, DecoderTarget target);

}  // namespace tidegate::codec
