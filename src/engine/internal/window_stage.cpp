#include "engine/internal/window_stage.h"

#include <numeric>

#include "engine/internal/window_merger.h"
#include "engine/internal/window_operator.h"

namespace tidegate::engine {

namespace {

// A window of more slices costs too much to put together each time it closes.
constexpr int64_t kMaxSlicesPerWindow = 100'000;

Result<> check_window(const sql::WindowSpec& window) {
  if (window.kind == sql::WindowKind::kCalendar || window.kind == sql::WindowKind::kAll) return {};
  const int64_t far = kFarTime / 4;
  if (window.slide_us <= 0 || window.size_us < window.slide_us || window.size_us > far || window.offset_us < -far ||
      window.offset_us > far) {
    return fail(ErrorCode::SqlInvalidWindow, "a window's slide must be positive and at most its size");
  }
  if (window.size_us / std::gcd(window.size_us, window.slide_us) > kMaxSlicesPerWindow) {
    return fail(ErrorCode::SqlInvalidWindow, "the window's size and slide have too small a common divisor",
                "choose a slide that divides the size");
  }
  return {};
}

class WindowStage final : public StatefulOperator {
 public:
  WindowStage(const WindowPlan& plan, DeviceTable& devices, bool merges)
      : devices_(devices),
        window_(plan, devices),
        gathers_(merges && plan.gathers_sessions()),
        nothing_(columnar::BatchBuilder(plan.input).finish()),
        merger_(merges ? std::make_unique<WindowMerger>(plan) : nullptr) {}

  void process(const columnar::Batch& input, const RowTimes& times, const StageTime& now) override {
    window_.process(input, times, now.shared_watermark);
  }
  void fire_due(const StageTime& now) override { process(nothing_, no_times_, now); }
  void close_silent(int64_t clock_us) override { window_.close_silent(clock_us); }
  [[nodiscard]] int64_t close_bound_us() const override { return window_.close_bound_us(); }
  void fire_shared(int64_t watermark, std::span<StatefulOperator* const> copies) override {
    if (watermark == kEndOfTime) window_.close_empty();
    for (StatefulOperator* copy : copies) {
      if (gathers_ && copy != this) window_.adopt_sessions(static_cast<WindowStage*>(copy)->window_);
    }
    fire_spilled_shared(watermark, copies);
    for (StatefulOperator* copy : copies) {
      static_cast<WindowStage*>(copy)->window_.fire_shared(watermark, merger_.get());
    }
    if (merger_ != nullptr) window_.add_merged(*merger_);
  }
  [[nodiscard]] Pace pace(size_t results) const override { return window_.pace(results); }
  [[nodiscard]] bool has_open() const override { return window_.has_open_windows(); }

  [[nodiscard]] columnar::BatchBuilder& results() override { return window_.results(); }
  [[nodiscard]] std::vector<columnar::Batch>& late() override { return window_.late(); }
  [[nodiscard]] uint64_t fired() const override { return window_.fired(); }
  [[nodiscard]] uint64_t late_rows() const override { return window_.late_rows(); }
  [[nodiscard]] uint64_t errors() const override { return window_.overflows(); }

  // The devices it goes by are stored with its windows.
  [[nodiscard]] DirtyKeyGroups dirty() const override { return devices_.dirty() | window_.dirty(); }
  void mark_clean() override {
    devices_.dirty().reset();
    window_.dirty().reset();
  }
  void mark_dirty(uint16_t key_group) override { devices_.dirty()[key_group] = true; }
  void write_state(const DirtyKeyGroups& which, const Entry& entry) const override {
    window_.write_state(which, entry);
  }
  [[nodiscard]] bool read_state(ByteReader& in) override { return window_.read_state(in); }
  void loaded(int64_t shared_watermark) override {
    devices_.loaded();
    window_.loaded(shared_watermark);
  }
  [[nodiscard]] size_t memory_bytes() const override { return devices_.memory_bytes() + window_.memory_bytes(); }
  [[nodiscard]] size_t spillable_bytes() const override { return window_.spillable_bytes(); }
  void spill(SpilledState& stored) override { window_.spill(stored); }
  void rejoined(const DirtyKeyGroups& which) override { window_.rejoined(which); }
  [[nodiscard]] Result<> fire_spilled() override { return window_.fire_spilled(); }

 private:
  // A key group after the other, of all copies, so that no more than one of them has to be in memory as a whole.
  void fire_spilled_shared(int64_t watermark, std::span<StatefulOperator* const> copies) {
    DirtyKeyGroups due;
    for (StatefulOperator* copy : copies) due |= static_cast<WindowStage*>(copy)->window_.spilled_due(watermark);
    if (due.none()) return;
    for (StatefulOperator* copy : copies) static_cast<WindowStage*>(copy)->window_.list_groups(due);
    for (uint16_t key_group = 0; key_group < kKeyGroups; ++key_group) {
      if (!due[key_group]) continue;
      for (StatefulOperator* copy : copies) {
        static_cast<WindowStage*>(copy)->window_.fire_key_group(key_group, watermark, merger_.get());
      }
      if (merger_ != nullptr) window_.add_merged(*merger_);
    }
  }

  DeviceTable& devices_;
  WindowOperator window_;
  const bool gathers_;
  const columnar::Batch nothing_;
  const RowTimes no_times_;
  std::unique_ptr<WindowMerger> merger_;  // only with several workers
};

class WindowStagePlan final : public OperatorPlan {
 public:
  WindowStagePlan(const sql::PlanNode& node, const OperatorPlace& place)
      : plan_(std::get<sql::WindowAggregate>(node.node), node.inputs.front()->output, node.output, place.own_watermarks,
              place.close_after_us) {}
  [[nodiscard]] std::unique_ptr<StatefulOperator> make(DeviceTable& devices, int workers) const override {
    return std::make_unique<WindowStage>(plan_, devices, workers > 1);
  }

 private:
  const WindowPlan plan_;
};

}  // namespace

Result<std::unique_ptr<OperatorPlan>> plan_window(const sql::PlanNode& node, const OperatorPlace& place) {
  TRY(check_window(std::get<sql::WindowAggregate>(node.node).window));
  return std::make_unique<WindowStagePlan>(node, place);
}

}  // namespace tidegate::engine
