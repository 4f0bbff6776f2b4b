#include "engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/guarded.h"
#include "engine/internal/bounded_query.h"
#include "engine/internal/live_query.h"
#include "engine/internal/pipeline.h"
#include "engine/internal/scheduler.h"
#include "engine/late.h"

namespace tidegate::engine {

namespace {

// Each holds operators and a queue; people's screens need dozens.
constexpr size_t kMaxLiveQueries = 256;

// Queries over what is stored that are open at once: each may hold BoundedOptions::max_memory_bytes.
constexpr size_t kMaxBoundedQueries = 16;
// Of all of them together: what a small machine can spare.
constexpr size_t kMaxBoundedBytes = 1024U << 20;

bool same_types(const columnar::Schema& a, const columnar::Schema& b) {
  return std::ranges::equal(a.fields, b.fields, {}, &columnar::Field::type, &columnar::Field::type);
}

// Pipelines take turns on one scheduler's thread, with the workers of `pool_` beside it; live queries on another's,
// so that many readers never slow a pipeline; queries over what is stored on a third that gives way to all others.
class EngineImpl final : public Engine {
 public:
  EngineImpl(log::Log& log, const io::Clock& clock, columnar::StringPool& devices, EngineOptions options)
      : log_(log),
        clock_(clock),
        devices_(devices),
        options_(options),
        pool_(options.threads, options.manual),
        inline_pool_(1, true),
        pipeline_scheduler_(clock, options.manual,
                            {[this] { return step_pipelines(); }, [this] { return next_pipeline_us(); }}),
        live_scheduler_(clock, options.manual, {[this] { return step_live(); }, [this] { return next_live_us(); }}),
        bounded_scheduler_(clock, options.manual,
                           {[this] { return step_bounded(); }, [this] { return next_bounded_us(); }}, true) {}

  ~EngineImpl() override {
    bounded_scheduler_.stop();
    live_scheduler_.stop();
    pipeline_scheduler_.stop();
    for (const auto& task : live_) task->end_with("the engine stops");
    live_.clear();
    for (const auto& task : bounded_) task->end_with(Error{ErrorCode::ShuttingDown, "the engine stops", "", {}});
    bounded_.clear();
    for (auto& [id, pipeline] : *pipelines_.lock()) {
      if (options_.clean_stop) pipeline->stop();
    }
    pipelines_.lock()->clear();
  }

  EngineImpl(const EngineImpl&) = delete;
  EngineImpl& operator=(const EngineImpl&) = delete;

  Result<> start(PipelineSpec spec) override {
    const PipelineId id = spec.definition.id;
    if (pipelines_.lock()->contains(id.value)) {
      return fail(ErrorCode::AlreadyExists, fmt::format("pipeline '{}' is running already", spec.definition.name));
    }
    TRY(check_targets(spec));
    TRY_ASSIGN(auto graph, GraphPlan::build(std::move(spec.plan)));
    TRY_ASSIGN(OutputCheck check, OutputCheck::create(spec.target, spec.dead_letters, spec.definition.name));
    auto pipeline =
        std::make_unique<Pipeline>(PipelineContext{log_, clock_, devices_, options_}, std::move(spec), std::move(graph),
                                   std::move(check), [this] { pipeline_scheduler_.wake(); });
    WorkerPool recovery_pool(pool_.size(), options_.manual);  // the engine's own is busy with the pipelines that run
    TRY(pipeline->recover(recovery_pool));
    pipeline_scheduler_.call([&] { pipelines_.lock()->emplace(id.value, std::move(pipeline)); });
    pipeline_scheduler_.wake();
    return {};
  }

  Result<> stop(PipelineId id) override {
    bool found = false;
    pipeline_scheduler_.call([&] {
      Pipeline* pipeline = find(id);
      found = pipeline != nullptr;
      if (!found) return;
      pipeline->stop();
      pipelines_.lock()->erase(id.value);
    });
    if (!found) return fail(ErrorCode::NotFound, fmt::format("pipeline {} is not running", id.value));
    return {};
  }

  Result<std::unique_ptr<LiveQuery>> open_live(sql::Plan plan, LiveOptions options) override {
    TRY_ASSIGN(auto graph, GraphPlan::build(std::move(plan)));
    const columnar::SchemaPtr schema = graph->output();
    const std::vector<SourceStart> starts = std::move(options.starts);
    const auto wake = [this] { live_scheduler_.wake(); };
    auto queue = std::make_shared<LiveQueue>(std::move(options), wake);  // shared: see LiveTask
    auto task = std::make_unique<LiveTask>(log_, clock_, devices_, options_, std::move(graph), queue, starts, wake);
    bool room = false;
    live_scheduler_.call([&] {
      forget_finished();
      room = live_.size() < kMaxLiveQueries;
      if (room) live_.push_back(std::move(task));
    });
    if (!room) {
      return fail(ErrorCode::LimitReached, fmt::format("{} live queries are open already", kMaxLiveQueries),
                  "close some of them");
    }
    live_scheduler_.wake();
    return std::make_unique<LiveHandle>(std::move(queue), schema);
  }

  Result<std::unique_ptr<BoundedQuery>> open_bounded(sql::Plan plan, BoundedOptions options) override {
    TRY_ASSIGN(auto graph, GraphPlan::build(std::move(plan)));
    const columnar::SchemaPtr schema = visible_schema(graph->plan());
    auto queue =
        std::make_shared<ResultQueue>(options.max_queued_rows, options.max_queued_bytes, std::move(options.on_ready),
                                      [this] { bounded_scheduler_.wake(); });  // shared: see BoundedTask
    auto task = std::make_unique<BoundedTask>(log_, clock_, devices_, options_, std::move(graph), options, queue);
    bool room = false;
    bounded_scheduler_.call([&] {
      std::erase_if(bounded_, [](const std::unique_ptr<BoundedTask>& other) { return other->over(); });
      room = bounded_.size() < kMaxBoundedQueries;
      if (room) bounded_.push_back(std::move(task));
    });
    if (!room) {
      return fail(ErrorCode::LimitReached, fmt::format("{} queries are under way already", kMaxBoundedQueries),
                  "Wait for one to end, or cancel one.");
    }
    bounded_scheduler_.wake();
    return std::make_unique<BoundedHandle>(std::move(queue), schema);
  }

  std::vector<PipelineStatus> status() const override {
    std::vector<PipelineStatus> all;
    const auto pipelines = pipelines_.lock();
    for (const auto& [id, pipeline] : *pipelines) all.push_back(pipeline->status());
    return all;
  }

  Result<> run_until_idle() override {
    CHECK(options_.manual);
    for (bool progress = true; progress;) {
      // All take their turn before any commit is waited for, so that the log makes many epochs durable at once.
      progress = step_pipelines();
      for (Pipeline* pipeline : running()) TRY(pipeline->wait_commit());
      progress = step_live() || progress;
      progress = step_bounded() || progress;
    }
    return {};
  }

 private:
  static Result<> check_targets(const PipelineSpec& spec) {
    if (spec.plan.root == nullptr) return fail(ErrorCode::BadRequest, "the pipeline has no query");
    if (spec.target != nullptr && !same_types(*spec.plan.root->output, *spec.target->schema)) {
      return fail(ErrorCode::SqlInsertMismatch,
                  fmt::format("the query's columns do not fit stream '{}'", spec.target->name));
    }
    const columnar::SchemaPtr late = late_schema(spec.plan);
    if (spec.late != nullptr && (late == nullptr || !same_types(*late, *spec.late->schema))) {
      return fail(
          ErrorCode::SqlInsertMismatch,
          fmt::format("late records of pipeline '{}' do not fit stream '{}'", spec.definition.name, spec.late->name),
          "drop the stream, or let late records go to another one");
    }
    return {};
  }

  // Only the pipelines' thread changes the map, so what this points to stays while it works.
  std::vector<Pipeline*> running() {
    std::vector<Pipeline*> all;
    for (auto& [id, pipeline] : *pipelines_.lock()) all.push_back(pipeline.get());
    return all;
  }

  Pipeline* find(PipelineId id) {
    for (Pipeline* pipeline : running()) {
      if (pipeline->id() == id) return pipeline;
    }
    return nullptr;
  }

  bool step_pipelines() {
    bool progress = false;
    for (Pipeline* pipeline : running()) progress = pipeline->step(pool_) || progress;
    return progress;
  }

  int64_t next_pipeline_us() {
    int64_t next_us = kNever;
    for (const Pipeline* pipeline : running()) next_us = std::min(next_us, pipeline->next_step_us());
    return next_us;
  }

  void forget_finished() {
    std::erase_if(live_, [](const std::unique_ptr<LiveTask>& task) { return task->over(); });
  }

  bool step_live() {
    forget_finished();
    bool progress = false;
    for (const auto& task : live_) progress = task->step(inline_pool_) || progress;
    return progress;
  }

  int64_t next_live_us() {
    int64_t next_us = kNever;
    for (const auto& task : live_) next_us = std::min(next_us, task->next_step_us());
    return next_us;
  }

  bool step_bounded() {
    std::erase_if(bounded_, [](const std::unique_ptr<BoundedTask>& task) { return task->over(); });
    bool progress = false;
    for (const auto& task : bounded_) {
      progress = task->step(inline_pool_) || progress;
      keep_bounded_memory();
    }
    return progress;
  }

  // The largest query ends when all of them take too much.
  void keep_bounded_memory() {
    size_t bytes = 0;
    BoundedTask* largest = nullptr;
    for (const auto& task : bounded_) {
      if (task->over()) continue;
      bytes += task->memory_bytes();
      if (largest == nullptr || task->memory_bytes() > largest->memory_bytes()) largest = task.get();
    }
    if (bytes <= kMaxBoundedBytes) return;
    largest->end_with(Error{ErrorCode::QueryTooLarge,
                            fmt::format("all queries together need more than {} MB of memory", kMaxBoundedBytes >> 20),
                            "Try again when others have ended, or ask for less.",
                            {}});
  }

  int64_t next_bounded_us() {
    int64_t next_us = kNever;
    for (const auto& task : bounded_) next_us = std::min(next_us, task->next_step_us());
    return next_us;
  }

  log::Log& log_;
  const io::Clock& clock_;
  columnar::StringPool& devices_;
  const EngineOptions options_;
  WorkerPool pool_;
  WorkerPool inline_pool_;                                            // of the queries, which have one worker each
  Guarded<std::map<uint32_t, std::unique_ptr<Pipeline>>> pipelines_;  // by id; changed by the pipelines' thread only
  std::vector<std::unique_ptr<LiveTask>> live_;                       // the live thread's
  std::vector<std::unique_ptr<BoundedTask>> bounded_;                 // the query thread's
  Scheduler pipeline_scheduler_;
  Scheduler live_scheduler_;
  Scheduler bounded_scheduler_;
};

}  // namespace

std::unique_ptr<Engine> Engine::create(log::Log& log, const io::Clock& clock, columnar::StringPool& devices,
                                       EngineOptions options) {
  return std::make_unique<EngineImpl>(log, clock, devices, options);
}

}  // namespace tidegate::engine
