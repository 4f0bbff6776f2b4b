// The last values of one stream: a row of cells for each device, found by the device's dense number.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "catalog/definitions.h"
#include "log/log.h"
#include "registry/last_values.h"

namespace tidegate::registry {

// One thread at a time; LastValues holds its lock.
class ValueTable {
 public:
  explicit ValueTable(std::shared_ptr<const catalog::StreamDefinition> stream);

  // The same stream with columns more at the end: what is kept of the others stays.
  void add_columns(std::shared_ptr<const catalog::StreamDefinition> stream);
  // `room` is how many bytes the table may still take; devices that need more are counted and left out.
  void take(const log::LogBatch& batch, size_t room);
  // Fills offset, seen_us, row and times; false when nothing is known of the device.
  bool fill(StringCode device, StreamState& state) const;
  // Ingest time of the device's last record.
  [[nodiscard]] std::optional<int64_t> seen_us(StringCode device) const;

  [[nodiscard]] const std::shared_ptr<const catalog::StreamDefinition>& definition() const { return stream_; }
  [[nodiscard]] size_t bytes() const;
  [[nodiscard]] size_t devices() const { return rows_.size(); }
  [[nodiscard]] uint64_t refused() const { return refused_; }
  [[nodiscard]] static bool can_follow(const catalog::StreamDefinition& stream);

 private:
  static constexpr int64_t kNoTime = std::numeric_limits<int64_t>::min();
  static constexpr uint32_t kNoRow = 0;

  struct Row {
    int64_t offset = -1;
    int64_t seen_us = 0;
    // Of the batch being taken: the row of the batch with the greatest event time.
    uint64_t batch = 0;
    uint32_t winner = 0;
    int64_t winner_time_us = 0;
  };
  struct Cell {
    int64_t time_us = kNoTime;
    uint64_t bits = 0;  // a value of up to 64 bits, or an index into texts_ + 1
  };
  enum class Kept : uint8_t { kNot, kFixed, kText, kBytes };
  struct ColumnPlan {
    size_t column = 0;
    Kept kept = Kept::kNot;
  };

  // The device's row, made if there is room; null otherwise.
  Row* row_of(uint32_t code);
  void plan_columns(size_t first);
  [[nodiscard]] size_t cost_of_row(uint32_t code) const;
  void find_winners(const log::LogBatch& batch);
  void put(const columnar::Column& column, size_t plan, size_t source_row, size_t row, int64_t time_us);
  [[nodiscard]] int64_t event_time(const log::LogBatch& batch, size_t row) const;
  [[nodiscard]] columnar::ColumnPtr cell_column(const ColumnPlan& plan, const Cell& cell) const;

  std::shared_ptr<const catalog::StreamDefinition> stream_;  // shared with the catalog
  columnar::Batch nothing_;                                  // one row of NULLs
  std::vector<ColumnPlan> plans_;
  std::vector<uint32_t> row_of_code_;  // index into rows_ + 1, by the device's number
  std::vector<Row> rows_;
  std::vector<Cell> cells_;  // rows x plans
  std::vector<std::string> texts_;
  size_t text_bytes_ = 0;
  std::vector<uint32_t> touched_;  // rows of the batch being taken
  size_t room_ = 0;                // of the batch being taken
  uint64_t batches_ = 0;
  uint64_t refused_ = 0;
};

}  // namespace tidegate::registry
