#include "runner/platform.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <future>
#include <map>

#include "engine/late.h"
#include "io/file.h"
#include "log/embedded_log.h"

namespace tidegate::streams {

class Platform::CatalogNames final : public sql::Names {
 public:
  CatalogNames(const catalog::Catalog& catalog, const registry::Registry& registry,
               std::map<std::string, uint32_t> known_columns = {})
      : catalog_(catalog), registry_(registry), known_columns_(std::move(known_columns)) {}
  std::shared_ptr<const catalog::StreamDefinition> find_stream(std::string_view name) const override {
    return catalog::as_known(catalog_.find_stream(name), known_columns_);
  }
  std::optional<catalog::ViewDefinition> find_view(std::string_view name) const override {
    return catalog_.find_view(name);
  }
  catalog::TablePtr find_table(std::string_view name) const override { return catalog_.find_table(name); }
  std::string time_zone(std::string_view pipeline) const override {
    const auto found = pipeline.empty() ? std::nullopt : catalog_.find_pipeline(pipeline);
    return found ? found->time_zone : registry_.site_time_zone();
  }

 private:
  const catalog::Catalog& catalog_;
  const registry::Registry& registry_;
  const std::map<std::string, uint32_t> known_columns_;
};

Platform::Platform(std::filesystem::path folder, int64_t clock_us, const Settings& settings)
    : folder_(std::move(folder)), settings_(settings), clock_(clock_us) {}

// The engine first: its last epoch needs the log.
Platform::~Platform() {
  engine_.reset();
  lane_.reset();
  ingest_.reset();
  log_.reset();
}

Result<std::unique_ptr<Platform>> Platform::open(const std::filesystem::path& folder, int64_t clock_us,
                                                 const Settings& settings) {
  std::unique_ptr<Platform> platform(new Platform(folder, clock_us, settings));
  TRY(platform->open_parts());
  TRY(platform->resume());
  return platform;
}

Result<> Platform::open_parts() {
  TRY_ASSIGN(keys_, crypto::KeyRing::open(folder_ / "keys", random_));
  TRY_ASSIGN(store_, store::Store::open(folder_ / "store"));
  TRY_ASSIGN(catalog_, catalog::Catalog::open(*store_, *keys_, random_));
  log::EmbeddedLogOptions log_options;
  log_options.manual = true;
  TRY_ASSIGN(log_, log::EmbeddedLog::open(*store_, *keys_, random_, clock_, devices_, log_options));
  std::error_code ignored;
  std::filesystem::create_directories(folder_ / "lookups", ignored);
  TRY_ASSIGN(registry_, registry::Registry::open(*store_, *keys_, random_, clock_));
  names_ = std::make_unique<CatalogNames>(*catalog_, *registry_);
  TRY_ASSIGN(tables_, lookup::Tables::open({.store = *store_,
                                            .keys = *keys_,
                                            .random = random_,
                                            .clock = clock_,
                                            .folders = {folder_ / "lookups", {}},
                                            .registry = registry_.get()},
                                           true));
  TRY(catalog_->add_system_table(lookup::devices_definition()));
  ingest_ = ingest::Ingest::create(*log_, clock_, devices_);
  lane_ = ingest_->open_lane();
  engine::EngineOptions options;
  options.threads = settings_.threads;
  options.max_batch_rows = settings_.max_batch_rows;
  options.spill_state_bytes = settings_.spill ? 1 : 0;
  options.manual = true;
  options.tables = tables_.get();
  engine_ = engine::Engine::create(*log_, clock_, devices_, options);
  return {};
}

// What the catalog says was there before.
Result<> Platform::resume() {
  for (const auto& stream : catalog_->streams()) TRY(open_stream(stream));
  for (const auto& stream : catalog_->streams()) TRY(connect(stream));
  for (const auto& table : catalog_->tables()) TRY(tables_->restore(table));
  for (const catalog::PipelineDefinition& pipeline : catalog_->pipelines()) {
    TRY_ASSIGN(sql::InsertInto insert, analyze_insert(pipeline));
    TRY(start(pipeline, std::move(insert)));
  }
  return {};
}

Result<> Platform::open_stream(const catalog::Catalog::StreamPtr& stream) { return log_->open_stream(stream); }

// Lets records in, if the stream takes any from outside.
Result<> Platform::connect(const catalog::Catalog::StreamPtr& stream) {
  const auto dead_letters = catalog_->find_stream(catalog::dead_letter_name(stream->name));
  if (dead_letters != nullptr) ingest_->add_stream(stream, dead_letters);
  return {};
}

Result<> Platform::execute(std::string_view script, const std::string& pipeline) {
  TRY_ASSIGN(const std::vector<sql::StatementText> statements, sql::split_script(script));
  sql::ScriptSettings settings;
  for (const sql::StatementText& text : statements) {
    TRY_ASSIGN(std::optional<sql::Statement> statement, sql::analyze(text, *names_, settings));
    if (statement) TRY(apply(std::move(*statement), pipeline));
  }
  return {};
}

Result<> Platform::apply(sql::Statement statement, const std::string& pipeline) {
  if (auto* table = std::get_if<sql::CreateTable>(&statement)) {
    if (table->if_not_exists && catalog_->find_stream(table->definition.name) != nullptr) return {};
    TRY_ASSIGN(const auto stream, catalog_->add_stream(std::move(table->definition)));
    TRY(open_stream(stream));
    const auto dead_letters = catalog_->find_stream(catalog::dead_letter_name(stream->name));
    if (dead_letters != nullptr) TRY(open_stream(dead_letters));
    return connect(stream);
  }
  if (auto* altered = std::get_if<sql::AlterTable>(&statement)) {
    if (altered->nothing) return {};
    TRY(open_stream(std::make_shared<const catalog::StreamDefinition>(altered->definition)));
    TRY_ASSIGN(const auto stream, catalog_->add_columns(std::move(altered->definition)));
    return connect(stream);
  }
  if (auto* lookup = std::get_if<sql::CreateLookupTable>(&statement)) return add_table(std::move(*lookup));
  if (auto* view = std::get_if<sql::CreateView>(&statement)) {
    if (view->if_not_exists && catalog_->find_view(view->definition.name)) return {};
    return catalog_->add_view(std::move(view->definition));
  }
  if (auto* insert = std::get_if<sql::InsertInto>(&statement)) {
    const std::string name = pipeline.empty() ? insert->pipeline : pipeline;
    return add_pipeline(std::move(*insert), name);
  }
  if (const auto* dropped = std::get_if<sql::Drop>(&statement)) return drop(*dropped);
  columnar::SchemaPtr ignored;
  if (auto* select = std::get_if<sql::Select>(&statement)) TRY(rows_of(std::move(select->plan), ignored));
  return {};
}

namespace {

void collect_sources(const sql::PlanNode& node, std::vector<std::string>& names) {
  if (const auto* scan = std::get_if<sql::Scan>(&node.node)) names.push_back(scan->stream->name);
  if (const auto* join = std::get_if<sql::LookupJoin>(&node.node)) names.push_back(join->table->name);
  for (const auto& input : node.inputs) collect_sources(*input, names);
}

}  // namespace

Result<> Platform::add_table(sql::CreateLookupTable statement) {
  if (statement.if_not_exists && catalog_->find_table(statement.definition.name) != nullptr) return {};
  TRY(tables_->check(statement.definition));
  TRY_ASSIGN(const auto table, catalog_->add_table(std::move(statement.definition)));
  Result<> added = tables_->add(table);
  if (!added) TRY(catalog_->drop_table(table->name));
  return added;
}

Result<> Platform::write_file(const std::string& name, const std::string& content) {
  return io::write_file_atomic(folder_ / "lookups" / name, content, io::FilePrivacy::kOwnerOnly);
}

Result<> Platform::reload(std::string_view name) {
  const auto table = catalog_->find_table(name);
  if (table == nullptr) return fail(ErrorCode::NotFound, fmt::format("there is no lookup table '{}'", name));
  TRY(tables_->reload(table->id));
  return {};
}

Result<> Platform::put_site(const std::string& name, const std::string& zone) {
  registry::Place site;
  site.path = name;
  site.time_zone = zone;
  TRY(registry_->add_place(std::move(site)));
  return {};
}

Result<> Platform::put_device(const std::string& json) {
  namespace bj = boost::json;
  std::error_code problem;
  const bj::value parsed = bj::parse(json, problem);
  const bj::object* members = problem ? nullptr : parsed.if_object();
  if (members == nullptr) return fail(ErrorCode::UsageError, fmt::format("'{}' is no JSON object", json));
  const auto text = [&](const char* name) {
    const bj::value* found = members->if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  registry::Device device;
  device.name = text("name");
  device.type = text("type");
  device.place = text("place");
  if (const bj::value* labels = members->if_contains("labels"); labels != nullptr && labels->is_object()) {
    for (const auto& [name, value] : labels->get_object()) device.labels[name] = value.as_string();
  }
  for (size_t end = device.place.find('/'); !device.place.empty(); end = device.place.find('/', end + 1)) {
    registry::Place place;
    place.path = device.place.substr(0, end);
    if (place.path.find('/') == std::string::npos) place.time_zone = "UTC";
    if (registry_->find_place(place.path) == nullptr) TRY(registry_->add_place(std::move(place)));
    if (end == std::string::npos) break;
  }
  if (registry_->find_device(device.name) == nullptr) {
    TRY(registry_->add_devices({device}, {}));
  } else {
    TRY(registry_->change_device(device.name, {}, [&](registry::Device& present) -> Result<> {
      present.type = device.type;
      present.place = device.place;
      present.labels = device.labels;
      return {};
    }));
  }
  tables_->look();
  return {};
}

Result<> Platform::add_pipeline(sql::InsertInto insert, const std::string& name) {
  std::vector<std::string> reads;
  collect_sources(*insert.plan.root, reads);
  catalog::PipelineDefinition definition;
  definition.name = name;
  definition.target = insert.target->name;
  definition.sql = insert.sql;
  definition.time_zone = insert.time_zone;
  const columnar::SchemaPtr late_schema = engine::late_schema(insert.plan);
  TRY_ASSIGN(definition, catalog_->add_pipeline(std::move(definition), std::move(reads), late_schema));
  if (late_schema != nullptr) TRY(open_stream(catalog_->find_stream(catalog::late_name(name))));
  return start(definition, std::move(insert));
}

Result<> Platform::start(const catalog::PipelineDefinition& definition, sql::InsertInto insert) {
  const auto late = catalog_->find_stream(catalog::late_name(definition.name));
  const auto dead_letters = catalog_->find_stream(catalog::dead_letter_name(insert.target->name));
  return engine_->start({definition, std::move(insert.plan), insert.target, late, dead_letters});
}

Result<sql::InsertInto> Platform::analyze_insert(const catalog::PipelineDefinition& pipeline) const {
  sql::ScriptSettings settings{.pipeline_name = pipeline.name};
  const CatalogNames names(*catalog_, *registry_, pipeline.known_columns);
  TRY_ASSIGN(std::optional<sql::Statement> statement, sql::analyze({pipeline.sql, {}}, names, settings));
  auto* insert = statement ? std::get_if<sql::InsertInto>(&*statement) : nullptr;
  if (insert == nullptr) return fail(ErrorCode::Bug, fmt::format("the catalog holds no INSERT INTO: {}", pipeline.sql));
  return std::move(*insert);
}

Result<> Platform::drop(const sql::Drop& drop) {
  switch (drop.kind) {
    case sql::DropKind::kTable:
      if (const auto table = catalog_->find_table(drop.name)) {
        TRY(catalog_->drop_table(drop.name));
        return tables_->drop(table->id);
      }
      return catalog_->drop_stream(drop.name);
    case sql::DropKind::kView: return catalog_->drop_view(drop.name);
    case sql::DropKind::kPipeline: break;
  }
  const auto pipeline = catalog_->find_pipeline(drop.name);
  if (!pipeline) return fail(ErrorCode::NotFound, fmt::format("there is no pipeline '{}'", drop.name));
  TRY(engine_->stop(pipeline->id));
  TRY(catalog_->drop_pipeline(drop.name));
  return log_->drop_state(pipeline->id);
}

Result<std::string> Platform::explain(std::string_view statement) {
  TRY_ASSIGN(const std::vector<sql::StatementText> statements, sql::split_script(statement));
  if (statements.size() != 1) return fail(ErrorCode::UsageError, "explain takes one statement");
  sql::StatementText text = statements.front();
  text.text = "EXPLAIN " + text.text;
  sql::ScriptSettings settings;
  TRY_ASSIGN(std::optional<sql::Statement> analyzed, sql::analyze(text, *names_, settings));
  if (!analyzed || !std::holds_alternative<sql::Explain>(*analyzed)) {
    return fail(ErrorCode::UsageError, "this statement has no plan");
  }
  return std::get<sql::Explain>(*analyzed).text;
}

Result<std::vector<columnar::Batch>> Platform::select(std::string_view statement, columnar::SchemaPtr& schema) {
  TRY_ASSIGN(const std::vector<sql::StatementText> statements, sql::split_script(statement));
  if (statements.size() != 1) return fail(ErrorCode::UsageError, "select takes one statement");
  sql::ScriptSettings settings;
  TRY_ASSIGN(std::optional<sql::Statement> analyzed, sql::analyze(statements.front(), *names_, settings));
  auto* select = analyzed ? std::get_if<sql::Select>(&*analyzed) : nullptr;
  if (select == nullptr) return fail(ErrorCode::UsageError, "select takes a SELECT");
  return rows_of(std::move(select->plan), schema);
}

Result<std::vector<columnar::Batch>> Platform::rows_of(sql::Plan plan, columnar::SchemaPtr& schema) {
  TRY_ASSIGN(const auto query, engine_->open_bounded(std::move(plan), {}));
  schema = query->schema();
  std::vector<columnar::Batch> rows;
  while (true) {
    TRY(run());
    engine::BoundedUpdate update = query->take();
    rows.insert(rows.end(), update.batches.begin(), update.batches.end());
    if (update.error) return fail(std::move(*update.error));
    if (update.ended) return rows;
  }
}

Result<catalog::Catalog::StreamPtr> Platform::stream(std::string_view name) const {
  auto found = catalog_->find_stream(name);
  if (found == nullptr) return fail(ErrorCode::NotFound, fmt::format("there is no stream '{}'", name));
  return found;
}

Result<> Platform::push(std::string_view name, const Push& push) {
  TRY_ASSIGN(const auto target, stream(name));
  if (!push.topic.empty() && ingest_->route(push.topic) != target->id) {
    return fail(ErrorCode::UsageError, fmt::format("the topic '{}' does not lead to '{}'", push.topic, name));
  }
  security::Principal sender{security::PrincipalKind::kService, "tests", false};
  if (!push.device.empty()) sender = {security::PrincipalKind::kDevice, push.device, false};
  std::vector<std::string> payloads;
  if (settings_.one_row_per_flush && !push.whole) {
    payloads = push.lines;
  } else {
    payloads.push_back(fmt::format("{}", fmt::join(push.lines, "\n")));
  }
  for (const std::string& payload : payloads) {
    ingest::Arrival arrival;
    arrival.payload = payload;
    arrival.topic = push.topic;
    arrival.principal = &sender;
    TRY(lane_->accept(target->id, arrival));
    TRY(flush(*lane_));
  }
  return {};
}

Result<> Platform::flush(ingest::Lane& lane) {
  std::promise<Result<>> committed;
  auto outcome = committed.get_future();
  if (!lane.flush([&committed](Result<> result) { committed.set_value(std::move(result)); })) return {};
  return outcome.get();
}

Result<std::vector<columnar::Batch>> Platform::read(std::string_view name, Offset& from) {
  constexpr size_t kRowsAtOnce = 10'000;
  TRY_ASSIGN(const auto source, stream(name));
  std::vector<columnar::Batch> batches;
  while (from < log_->end(source->id)) {
    TRY_ASSIGN(const auto found, log_->read(source->id, from, kRowsAtOnce));
    for (const auto& part : found) {
      batches.push_back(part->batch);
      from = part->end();
    }
  }
  return batches;
}

namespace {

namespace fs = std::filesystem;
using Listing = std::map<std::string, std::pair<uintmax_t, fs::file_time_type>>;

Listing list_files(const fs::path& folder) {
  Listing files;
  std::error_code gone;
  for (const auto& entry : fs::recursive_directory_iterator(folder, gone)) {
    if (!entry.is_regular_file(gone)) continue;
    files[fs::relative(entry.path(), folder)] = {entry.file_size(gone), entry.last_write_time(gone)};
  }
  return files;
}

}  // namespace

// The log is idle, so every acknowledged byte is in the files; the store may still be tidying up behind its own back,
// so the copy counts only if nothing changed while it was made.
Result<> Platform::crash_image(const fs::path& target) const {
  constexpr int kAttempts = 100;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::error_code problem;
    fs::remove_all(target, problem);
    const Listing before = list_files(folder_);
    fs::copy(folder_, target, fs::copy_options::recursive, problem);
    if (!problem && list_files(folder_) == before) return {};
  }
  return fail(ErrorCode::DataFolderUnusable, fmt::format("cannot copy {} while it stands still", folder_.string()));
}

}  // namespace tidegate::streams
