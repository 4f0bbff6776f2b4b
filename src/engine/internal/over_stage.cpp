#include "engine/internal/over_stage.h"

#include <algorithm>
#include <unordered_map>

#include "base/check.h"
#include "engine/internal/ordered_rows.h"
#include "engine/internal/over_values.h"

namespace tidegate::engine {

namespace {

// Rows that one partition remembers at most; older ones are left out of its frames. A frame of a day at a reading a
// second would be more, and belongs into windows.
constexpr size_t kMaxFrameRows = 20'000;
// Partitions that are gone are looked for when there are so many, and twice as many as after the last look.
constexpr size_t kFirstPurge = 1024;
constexpr uint8_t kDeviceEntry = 1;
constexpr uint8_t kPartitionEntry = 4;  // kWaitingEntry is 3

// Immutable.
struct OverPlan {
  OverPlan(const sql::Over& over_node, const sql::PlanNode& node, const OperatorPlace& place)
      : over(over_node),
        ordered(node.inputs.front()->output, over_node.keys, over_node.time_column, place),
        arguments(*ordered.input, argument_columns(over_node)),
        order(*ordered.input, order_columns(over_node)),
        output(node.output) {
    for (const sql::OverCall& call : over.calls) {
      using enum sql::OverFunction;
      if (call.range_us) {
        longest_range_us = std::max(longest_range_us, *call.range_us);
      } else if (call.function != kRowNumber) {
        most_rows = std::max(most_rows, static_cast<size_t>(call.rows) + 1);
      }
    }
  }

  static std::vector<size_t> argument_columns(const sql::Over& over) {
    std::vector<size_t> all;
    for (const sql::OverCall& call : over.calls) all.push_back(call.argument);
    return all;
  }
  static std::vector<size_t> order_columns(const sql::Over& over) {
    std::vector<size_t> all;
    for (const sql::OrderKey& key : over.order) all.push_back(key.column);
    return all;
  }

  const sql::Over& over;
  OrderedPlan ordered;
  ValuePicker arguments;  // one per call
  ValuePicker order;
  columnar::SchemaPtr output;
  int64_t longest_range_us = -1;
  size_t most_rows = 0;
};

class OverStage final : public StatefulOperator, private OrderedSink {
 public:
  OverStage(const OverPlan& plan, DeviceTable& devices)
      : plan_(plan), devices_(devices), waiting_(plan.ordered, devices), results_(plan.output) {}

  void process(const columnar::Batch& input, const RowTimes& times, const StageTime& now) override {
    waiting_.take_in(input, times, now.shared_watermark, closes_time());
    if (plan_.ordered.own_watermarks) waiting_.fire_due(*this);
  }
  void fire_due(const StageTime&) override { waiting_.fire_due(*this); }
  void close_silent(int64_t clock_us) override {
    waiting_.close_silent(clock_us, *this);
    purge(-kNever);
  }
  [[nodiscard]] int64_t close_bound_us() const override { return waiting_.close_bound_us(); }
  void fire_shared(int64_t watermark, std::span<StatefulOperator* const> copies) override {
    for (StatefulOperator* copy : copies.subspan(1)) take_over(*static_cast<OverStage*>(copy));
    waiting_.fire_shared(watermark, *this);
    purge(watermark);
  }
  [[nodiscard]] bool has_open() const override { return !waiting_.empty(); }

  [[nodiscard]] columnar::BatchBuilder& results() override { return results_; }
  [[nodiscard]] std::vector<columnar::Batch>& late() override { return waiting_.late(); }
  [[nodiscard]] uint64_t fired() const override { return waiting_.fired(); }
  [[nodiscard]] uint64_t late_rows() const override { return waiting_.late_rows(); }

  [[nodiscard]] DirtyKeyGroups dirty() const override { return devices_.dirty() | waiting_.dirty(); }
  void mark_clean() override {
    devices_.dirty().reset();
    waiting_.dirty().reset();
  }
  void mark_dirty(uint16_t key_group) override { waiting_.dirty()[key_group] = true; }
  void write_state(const DirtyKeyGroups& which, const Entry& entry) const override;
  [[nodiscard]] bool read_state(ByteReader& in) override;
  void loaded(int64_t /*shared_watermark*/) override { devices_.loaded(); }
  [[nodiscard]] size_t memory_bytes() const override {
    return devices_.memory_bytes() + waiting_.memory_bytes() + results_.memory_bytes() + bytes_;
  }

 private:
  struct Partition {
    int64_t last_time = -kNever;
    uint64_t count = 0;
    uint32_t device = kNone;  // own watermarks
    uint16_t key_group = 0;
    std::deque<PastRow> rows;
  };
  using Partitions = std::unordered_map<std::string, Partition>;

  void rows_due(uint32_t device, int64_t time, std::vector<OrderedRow>& rows) override {
    if (!plan_.over.order.empty()) return rank(rows);
    for (const OrderedRow& row : rows) number(device, time, row);
  }
  [[nodiscard]] bool closes_time() const override { return !plan_.over.order.empty(); }
  void number(uint32_t device, int64_t time, const OrderedRow& row);
  void rank(std::vector<OrderedRow>& rows);
  void remember(Partition& partition, int64_t time, const OrderedRow& row);
  [[nodiscard]] Value value_of(const sql::OverCall& call, size_t place, const Partition& partition) const;
  void take_over(OverStage& other);
  void purge(int64_t shared_watermark);
  void write_partition(const std::string& key, const Partition& partition, ByteWriter& out) const;
  [[nodiscard]] bool read_partition(ByteReader& in);
  [[nodiscard]] static size_t bytes_of(const PastRow& row) { return row.bytes.capacity() + sizeof(PastRow) + 64; }

  const OverPlan& plan_;
  DeviceTable& devices_;
  OrderedRows waiting_;
  Partitions partitions_;
  columnar::BatchBuilder results_;
  size_t purge_at_ = kFirstPurge;
  size_t bytes_ = 0;
};

void OverStage::number(uint32_t device, int64_t time, const OrderedRow& row) {
  const auto [found, added] = partitions_.try_emplace(row.key);
  Partition& partition = found->second;
  if (added) {
    partition.device = device;
    partition.key_group = waiting_.key_group_of_row(device, row.key);
    bytes_ += sizeof(Partition) + row.key.capacity() + 64;
  } else if (plan_.over.ttl_us > 0 && time - partition.last_time > plan_.over.ttl_us) {
    for (const PastRow& past : partition.rows) bytes_ -= bytes_of(past);
    partition.rows.clear();
    partition.count = 0;
  }
  waiting_.dirty()[partition.key_group] = true;
  partition.last_time = time;
  ++partition.count;
  remember(partition, time, row);
  CHECK(plan_.ordered.rows.decode(row.bytes, results_));
  const size_t first = plan_.ordered.input->fields.size();
  for (size_t at = 0; at < plan_.over.calls.size(); ++at) {
    append_value(value_of(plan_.over.calls[at], at, partition), results_.column(first + at));
  }
  results_.end_row();
}

// Rows of closed windows: each partition's are all here.
void OverStage::rank(std::vector<OrderedRow>& rows) {
  struct Ranked {
    OrderedRow* row;
    std::vector<Value> order;
  };
  std::vector<Ranked> ranked;
  for (OrderedRow& row : rows) ranked.push_back({&row, plan_.order.pick(row.bytes)});
  const auto before = [this](const Ranked& a, const Ranked& b) {
    if (a.row->key != b.row->key) return a.row->key < b.row->key;
    for (size_t at = 0; at < plan_.over.order.size(); ++at) {
      const bool down = plan_.over.order[at].descending;
      if (less(a.order[at], b.order[at])) return !down;
      if (less(b.order[at], a.order[at])) return down;
    }
    return a.row->bytes < b.row->bytes;
  };
  std::ranges::sort(ranked, before);
  const size_t first = plan_.ordered.input->fields.size();
  int64_t number = 0;
  for (size_t at = 0; at < ranked.size(); ++at) {
    number = at > 0 && ranked[at].row->key == ranked[at - 1].row->key ? number + 1 : 1;
    CHECK(plan_.ordered.rows.decode(ranked[at].row->bytes, results_));
    for (size_t call = 0; call < plan_.over.calls.size(); ++call) results_.column(first + call).append<int64_t>(number);
    results_.end_row();
  }
}

void OverStage::remember(Partition& partition, int64_t time, const OrderedRow& row) {
  std::deque<PastRow>& rows = partition.rows;
  if (plan_.most_rows == 0 && plan_.longest_range_us < 0) return;
  rows.push_back({time, row.bytes, plan_.arguments.pick(row.bytes)});
  bytes_ += bytes_of(rows.back());
  const int64_t earliest = time - plan_.longest_range_us;
  const auto is_old = [&] {
    const bool in_range = plan_.longest_range_us >= 0 && rows.front().time >= earliest;
    return rows.size() > kMaxFrameRows || (rows.size() > plan_.most_rows && !in_range);
  };
  while (is_old()) {
    bytes_ -= bytes_of(rows.front());
    rows.pop_front();
  }
}

Value OverStage::value_of(const sql::OverCall& call, size_t place, const Partition& partition) const {
  if (call.function == sql::OverFunction::kRowNumber) return static_cast<int64_t>(partition.count);
  if (call.function != sql::OverFunction::kLag) {
    const columnar::Type& argument = plan_.ordered.input->fields[call.argument].type;
    return aggregate_frame(call, argument, place, partition.rows, frame_begin(call, partition.rows));
  }
  const auto back = static_cast<size_t>(call.rows);
  if (partition.rows.size() > back) return partition.rows[partition.rows.size() - 1 - back].values[place];
  if (const auto* integer = std::get_if<int64_t>(&call.otherwise)) return *integer;
  if (const auto* number = std::get_if<double>(&call.otherwise)) return *number;
  if (const auto* text = std::get_if<std::string>(&call.otherwise)) return *text;
  if (const auto* decimal = std::get_if<columnar::Decimal>(&call.otherwise)) return *decimal;
  if (const auto* flag = std::get_if<bool>(&call.otherwise)) return int64_t{*flag};
  return {};
}

void OverStage::take_over(OverStage& other) {
  waiting_.take_over(other.waiting_);
  for (auto& [key, partition] : other.partitions_) {
    other.waiting_.dirty()[partition.key_group] = true;
    waiting_.dirty()[partition.key_group] = true;
    partitions_[key] = std::move(partition);
  }
  other.partitions_.clear();
  bytes_ += std::exchange(other.bytes_, 0);
}

// Nothing that comes can still reach these: a row that is not late is further away than the TTL.
void OverStage::purge(int64_t shared_watermark) {
  if (plan_.over.ttl_us <= 0 || partitions_.size() < purge_at_) return;
  std::erase_if(partitions_, [&](const auto& each) {
    const Partition& partition = each.second;
    const int64_t watermark = plan_.ordered.own_watermarks ? devices_.at(partition.device).watermark : shared_watermark;
    if (watermark <= -kFarTime || watermark - partition.last_time <= plan_.over.ttl_us) return false;
    waiting_.dirty()[partition.key_group] = true;
    bytes_ -= sizeof(Partition) + each.first.capacity() + 64;
    for (const PastRow& past : partition.rows) bytes_ -= bytes_of(past);
    return true;
  });
  purge_at_ = std::max(kFirstPurge, partitions_.size() * 2);
}

void OverStage::write_state(const DirtyKeyGroups& which, const Entry& entry) const {
  std::string bytes;
  for (uint32_t index = 0; index < devices_.size(); ++index) {
    if (!which[devices_.at(index).key_group]) continue;
    bytes.clear();
    ByteWriter out(bytes);
    out.fixed(kDeviceEntry);
    devices_.write(index, out);
    entry(devices_.at(index).key_group, bytes);
  }
  waiting_.write(which, entry);
  for (const auto& [key, partition] : partitions_) {
    if (!which[partition.key_group]) continue;
    bytes.clear();
    ByteWriter out(bytes);
    write_partition(key, partition, out);
    entry(partition.key_group, bytes);
  }
}

void OverStage::write_partition(const std::string& key, const Partition& partition, ByteWriter& out) const {
  out.fixed(kPartitionEntry);
  if (plan_.ordered.own_watermarks) devices_.write_name(partition.device, out);
  out.text(key);
  out.zigzag(partition.last_time);
  out.varint(partition.count);
  out.varint(partition.rows.size());
  for (const PastRow& row : partition.rows) {
    out.zigzag(row.time);
    out.text(row.bytes);
  }
}

bool OverStage::read_state(ByteReader& in) {
  switch (in.fixed<uint8_t>()) {
    case kDeviceEntry: return devices_.read(in);
    case kWaitingEntry: return waiting_.read(in);
    case kPartitionEntry: return read_partition(in);
    default: return false;
  }
}

bool OverStage::read_partition(ByteReader& in) {
  Partition partition;
  if (plan_.ordered.own_watermarks) partition.device = devices_.find_or_add(DeviceTable::read_name(in));
  const std::string key(in.text());
  partition.last_time = in.zigzag();
  partition.count = in.varint();
  const uint64_t rows = in.varint();
  if (!in.ok() || !plan_.ordered.keys.valid(key) || rows > kMaxFrameRows || !usable_time(partition.last_time)) {
    return false;
  }
  for (uint64_t at = 0; at < rows; ++at) {
    PastRow row{in.zigzag(), std::string(in.text()), {}};
    if (!in.ok() || !usable_time(row.time) || !plan_.ordered.rows.valid(row.bytes)) return false;
    row.values = plan_.arguments.pick(row.bytes);
    bytes_ += bytes_of(row);
    partition.rows.push_back(std::move(row));
  }
  partition.key_group = waiting_.key_group_of_row(partition.device, key);
  bytes_ += sizeof(Partition) + key.capacity() + 64;
  partitions_[key] = std::move(partition);
  return true;
}

class OverStagePlan final : public OperatorPlan {
 public:
  OverStagePlan(const sql::PlanNode& node, const OperatorPlace& place)
      : plan_(std::get<sql::Over>(node.node), node, place) {}
  [[nodiscard]] std::unique_ptr<StatefulOperator> make(DeviceTable& devices, int) const override {
    return std::make_unique<OverStage>(plan_, devices);
  }

 private:
  const OverPlan plan_;
};

}  // namespace

Result<std::unique_ptr<OperatorPlan>> plan_over(const sql::PlanNode& node, const OperatorPlace& place) {
  return std::make_unique<OverStagePlan>(node, place);
}

}  // namespace tidegate::engine
