// What the log's tests share: a log in a folder of its own with a manual clock, and batches with every type.
#pragma once

#include <bit>
#include <filesystem>
#include <string>
#include <vector>

#include "log/embedded_log.h"
// After base/check.h, whose CHECK it takes the place of.
#undef CHECK
#include <doctest/doctest.h>

namespace tidegate::log {

inline const StreamId kMeters{7};
inline const StreamId kTotals{8};

inline columnar::SchemaPtr all_types_schema() {
  using columnar::TypeKind;
  return std::make_shared<const columnar::Schema>(columnar::Schema{{{"device", TypeKind::kString, true},
                                                                    {"ts", TypeKind::kTimestampLtz, true},
                                                                    {"flag", TypeKind::kBoolean, true},
                                                                    {"small", TypeKind::kInt, true},
                                                                    {"large", TypeKind::kBigint, true},
                                                                    {"value", TypeKind::kDouble, true},
                                                                    {"note", TypeKind::kString, true}}});
}

// Shared as the log's face asks for it.
inline std::shared_ptr<catalog::StreamDefinition> definition_of(StreamId id, std::string name) {
  auto definition = std::make_shared<catalog::StreamDefinition>();
  definition->id = id;
  definition->name = std::move(name);
  definition->schema = all_types_schema();
  definition->time_column = 1;
  definition->device_column = 0;
  return definition;
}

// One row as text, so that whole streams compare as vectors of strings.
inline std::string row_text(const columnar::Batch& batch, size_t row) {
  std::string out = std::to_string(static_cast<int>(batch.kind(row)));
  for (const columnar::ColumnPtr& column : batch.columns) {
    out += '|';
    if (!column->valid(row)) {
      out += "NULL";
    } else if (column->type == columnar::TypeKind::kString) {
      out += column->string_at(row);
    } else if (column->type == columnar::TypeKind::kDouble) {
      out += std::to_string(std::bit_cast<int64_t>(column->values<double>()[row]));
    } else {
      out += std::to_string(column->integer_at(row));
    }
  }
  return out;
}

inline void append_texts(const columnar::Batch& batch, std::vector<std::string>& out) {
  for (size_t row = 0; row < batch.rows; ++row) out.push_back(row_text(batch, row));
}

// Random rows with NULLs in every column, extreme numbers, empty strings and, sometimes, all row kinds.
inline columnar::Batch random_batch(io::Random& random, columnar::StringPool& devices, size_t rows) {
  columnar::BatchBuilder builder(all_types_schema(), 0, &devices);
  const bool with_nulls = random.below(2) == 0;
  const auto null_here = [&] { return with_nulls && random.below(5) == 0; };
  const auto number = [&] {
    const int64_t extremes[] = {0, -1, INT64_MAX, INT64_MIN};
    const uint64_t choice = random.below(8);
    return choice < 4 ? extremes[choice] : static_cast<int64_t>(random.next_u64() >> random.below(64));
  };
  const bool wild = random.below(2) == 0;
  for (size_t row = 0; row < rows; ++row) {
    for (size_t at = 0; at < builder.column_count(); ++at) {
      columnar::ColumnBuilder& column = builder.column(at);
      if (null_here()) {
        column.append_null();
      } else if (at == 0) {
        column.append(devices.intern("meter-" + std::to_string(random.below(40)))->value);
      } else if (at == 2) {
        column.append(static_cast<uint8_t>(random.below(2)));
      } else if (at == 3) {
        column.append(static_cast<int32_t>(wild ? number() : static_cast<int64_t>(row) * 3));
      } else if (at == 5) {
        column.append(wild ? std::bit_cast<double>(random.next_u64()) : 20.0 + random.unit());
      } else if (at == 6) {
        column.append_string(std::string(random.below(12), 'x'));
      } else {
        column.append(wild ? number() : 1'750'000'000'000'000 + static_cast<int64_t>(row) * 1000);
      }
    }
    builder.end_row();
  }
  columnar::Batch batch = builder.finish();
  if (random.below(3) == 0) {
    for (size_t row = 0; row < rows; ++row) batch.kinds.push_back(static_cast<columnar::RowKind>(random.below(4)));
  }
  return batch;
}

class LogFixture {
 public:
  explicit LogFixture(const std::string& name, EmbeddedLogOptions options = manual_options())
      : folder_(std::filesystem::temp_directory_path() / ("tidegate_log_" + name)), options_(options) {
    std::filesystem::remove_all(folder_);
    reopen();
  }
  ~LogFixture() {
    log.reset();
    store.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  LogFixture(const LogFixture&) = delete;
  LogFixture& operator=(const LogFixture&) = delete;

  static EmbeddedLogOptions manual_options() {
    EmbeddedLogOptions options;
    options.manual = true;
    return options;
  }
  void close() {
    log.reset();
    store.reset();
    keys.reset();
  }
  void reopen() {
    close();
    store = store::Store::open(folder_ / "data").value();
    keys = crypto::KeyRing::open(folder_ / "keys", system_random).value();
    log = EmbeddedLog::open(*store, *keys, system_random, clock, devices, options_).value();
    REQUIRE(log->open_stream(meters));
    REQUIRE(log->open_stream(definition_of(kTotals, "totals")));
  }
  Result<> append(columnar::Batch rows, StreamId stream = kMeters) {
    Result<> outcome = fail(ErrorCode::Bug, "not called");
    log->append(stream, std::move(rows), [&](Result<> result) { outcome = std::move(result); });
    return outcome;
  }
  // All readable rows from `from` on.
  std::vector<std::string> rows_from(Offset from, StreamId stream = kMeters, size_t step = 1000) {
    std::vector<std::string> out;
    while (from < log->end(stream)) {
      from = log->next_readable(stream, from);
      if (from >= log->end(stream)) break;
      const auto read = log->read(stream, from, step);
      if (!read) {
        REQUIRE(read.error().code == ErrorCode::LogCorrupted);
        REQUIRE(log->next_readable(stream, from) > from);
        continue;
      }
      REQUIRE_FALSE(read->empty());
      for (const LogBatchPtr& batch : *read) {
        REQUIRE(batch->first == from);
        append_texts(batch->batch, out);
        from = batch->end();
      }
    }
    return out;
  }
  // The log's stored values of a kind ('b', 's', 'm', 'h') of `meters`, in order of their keys.
  std::vector<std::pair<std::string, std::string>> stored(char kind) {
    std::vector<std::pair<std::string, std::string>> found;
    const std::string begin = std::string(1, kind) + std::string("\0\0\0\x07", 4);
    const std::string end = std::string(1, kind) + std::string("\0\0\0\x08", 4);
    CHECK(store->scan(store::Family::kLog, begin, end, [&](std::string_view key, std::string_view value) {
      found.emplace_back(key, value);
      return true;
    }));
    return found;
  }
  void put_raw(const std::string& key, const std::string& value) {
    store::WriteBatch batch;
    batch.put(store::Family::kLog, key, value);
    CHECK(store->write(std::move(batch), store::Durability::kSynced));
  }

 private:
  const std::filesystem::path folder_;
  const EmbeddedLogOptions options_;

 public:
  io::ManualClock clock{1'750'000'000'000'000};
  io::SystemRandom system_random;
  columnar::StringPool devices;
  std::shared_ptr<catalog::StreamDefinition> meters = definition_of(kMeters, "meters");
  std::unique_ptr<store::Store> store;
  std::unique_ptr<crypto::KeyRing> keys;
  std::unique_ptr<EmbeddedLog> log;
};

}  // namespace tidegate::log
