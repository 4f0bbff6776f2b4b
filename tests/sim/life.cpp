#include "life.h"

#include "engine/late.h"
#include "store/store_on_env.h"

namespace tidegate::simulation {

namespace {

constexpr const char* kDefinitions = R"sql(
CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3) NOT NULL, id BIGINT NOT NULL, n BIGINT NOT NULL,
  note STRING, WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('device' = 'device');
CREATE TABLE fleeting (device STRING NOT NULL, id BIGINT NOT NULL, note STRING)
  WITH ('device' = 'device', 'retention' = '2 min');
CREATE TABLE totals (device STRING, start_time TIMESTAMP_LTZ(3), records BIGINT, total BIGINT);
CREATE TABLE large (device STRING, id BIGINT, n BIGINT);
CREATE TABLE rates (device STRING, rate BIGINT, PRIMARY KEY (device) NOT ENFORCED)
  WITH ('connector' = 'filesystem', 'path' = 'rates.csv', 'format' = 'csv');
CREATE TABLE rated (id BIGINT, start_time TIMESTAMP_LTZ(3), records BIGINT, rate BIGINT);
INSERT INTO totals SELECT device, window_start, COUNT(*), SUM(n)
  FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY device, window_start, window_end;
INSERT INTO rated SELECT id, window_start, COUNT(*), SUM(rate)
  FROM TABLE(HOP(TABLE (SELECT r.device, r.ts, r.id, t.rate FROM readings AS r
    JOIN rates FOR SYSTEM_TIME AS OF r.ts AS t ON r.device = t.device),
  DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '20' SECOND)) GROUP BY device, id, window_start, window_end;
INSERT INTO large SELECT device, id, n FROM readings WHERE n > 50;
)sql";

std::string text_of(const columnar::Column& column, size_t row) {
  if (!column.valid(row)) return "NULL";
  if (column.type == columnar::TypeKind::kString) return std::string(column.string_at(row));
  return std::to_string(column.integer_at(row));
}

void collect_sources(const sql::PlanNode& node, std::vector<std::string>& names) {
  if (const auto* scan = std::get_if<sql::Scan>(&node.node)) names.push_back(scan->stream->name);
  if (const auto* join = std::get_if<sql::LookupJoin>(&node.node)) names.push_back(join->table->name);
  for (const auto& input : node.inputs) collect_sources(*input, names);
}

}  // namespace

void Rates::change(const std::vector<std::string>& devices) {
  auto version = std::make_shared<lookup::TableVersion>();
  version->number = version_ == nullptr ? 1 : version_->number + 1;
  columnar::BatchBuilder rows(schema());
  for (const std::string& device : devices) {
    rows.column(0).append_string(device);
    rows.column(1).append(static_cast<int64_t>(version->number));
    rows.end_row();
  }
  version->rows = rows.finish();
  version_ = std::move(version);
}

lookup::TableVersionPtr Rates::current(catalog::TableId) const { return version_; }

columnar::SchemaPtr Rates::schema() {
  using columnar::TypeKind;
  static const columnar::SchemaPtr kSchema = std::make_shared<const columnar::Schema>(
      columnar::Schema{{{"device", TypeKind::kString, false}, {"rate", TypeKind::kBigint, true}}});
  return kSchema;
}

class Life::Names final : public sql::Names {
 public:
  explicit Names(const catalog::Catalog& catalog) : catalog_(catalog) {}
  std::shared_ptr<const catalog::StreamDefinition> find_stream(std::string_view name) const override {
    return catalog_.find_stream(name);
  }
  std::optional<catalog::ViewDefinition> find_view(std::string_view name) const override {
    return catalog_.find_view(name);
  }
  catalog::TablePtr find_table(std::string_view name) const override { return catalog_.find_table(name); }

 private:
  const catalog::Catalog& catalog_;
};

// Keys from names: key files are no part of what is simulated.
class Life::Keys final : public crypto::KeyRing {
 public:
  Result<crypto::Key> data_key(std::string_view name) override {
    uint64_t seed = 1;
    for (const char letter : name) seed = seed * 131 + static_cast<uint8_t>(letter);
    io::SeededRandom random(seed);
    return crypto::Key::generate(random);
  }
};

Result<std::unique_ptr<Life>> Life::begin(Machine& machine, uint64_t seed, const LifeOptions& options) {
  std::unique_ptr<Life> life(new Life(machine, seed));
  TRY(life->open(options));
  TRY(life->resume());
  TRY(life->make_definitions());
  return life;
}

Life::Life(Machine& machine, uint64_t seed) : machine_(machine), random_(seed) {}

Life::~Life() {
  engine_.reset();
  lanes_.clear();
  ingest_.reset();
  log_.reset();
}

Result<> Life::open(const LifeOptions& options) {
  TRY_ASSIGN(store_, store::open_store_on(machine_.env(), "/store", {options.memtable_bytes}));
  keys_ = std::make_unique<Keys>();
  TRY_ASSIGN(catalog_, catalog::Catalog::open(*store_, *keys_, random_));
  names_ = std::make_unique<Names>(*catalog_);
  log::EmbeddedLogOptions log_options;
  log_options.manual = true;
  log_options.tail_bytes = options.tail_bytes;
  log_options.rebatch_age_us = 20 * kMicrosPerSecond;
  TRY_ASSIGN(log_, log::EmbeddedLog::open(*store_, *keys_, random_, machine_.clock, devices_, log_options));
  ingest_ = ingest::Ingest::create(*log_, machine_.clock, devices_);
  engine::EngineOptions engine_options;
  engine_options.snapshot_commit_bytes = 600;  // most snapshots go in parts
  engine_options.spill_state_bytes = options.spills ? 1 : 0;
  engine_options.manual = true;
  engine_options.tables = options.rates;
  engine_options.max_epoch_rows = options.max_epoch_rows;
  engine_options.max_batch_rows = options.max_batch_rows;
  engine_ = engine::Engine::create(*log_, machine_.clock, devices_, engine_options);
  return {};
}

Result<> Life::resume() {
  for (const auto& stream : catalog_->streams()) TRY(log_->open_stream(stream));
  for (const auto& stream : catalog_->streams()) {
    const auto dead_letters = catalog_->find_stream(catalog::dead_letter_name(stream->name));
    if (dead_letters != nullptr) ingest_->add_stream(stream, dead_letters);
  }
  for (const catalog::PipelineDefinition& pipeline : catalog_->pipelines()) TRY(start_pipeline(pipeline));
  return {};
}

// Some of it may be there already: an earlier life may have ended in the middle of this.
Result<> Life::make_definitions() {
  TRY_ASSIGN(const auto statements, sql::split_script(kDefinitions));
  for (const sql::StatementText& text : statements) {
    TRY_ASSIGN(sql::Statement statement, analyze(text.text));
    if (auto* table = std::get_if<sql::CreateTable>(&statement)) {
      if (catalog_->find_stream(table->definition.name) == nullptr) TRY(add_stream(std::move(*table)));
    } else if (auto* lookup = std::get_if<sql::CreateLookupTable>(&statement)) {
      if (catalog_->find_table(lookup->definition.name) == nullptr) {
        TRY(catalog_->add_table(std::move(lookup->definition)));
      }
    } else if (const auto* insert = std::get_if<sql::InsertInto>(&statement)) {
      if (!catalog_->find_pipeline(insert->pipeline)) TRY(add_pipeline(*insert));
    }
  }
  return {};
}

Result<> Life::add_stream(sql::CreateTable table) {
  TRY_ASSIGN(const auto stream, catalog_->add_stream(std::move(table.definition)));
  TRY(log_->open_stream(stream));
  const auto dead_letters = catalog_->find_stream(catalog::dead_letter_name(stream->name));
  if (dead_letters == nullptr) return {};
  TRY(log_->open_stream(dead_letters));
  ingest_->add_stream(stream, dead_letters);
  return {};
}

Result<> Life::add_pipeline(const sql::InsertInto& insert) {
  std::vector<std::string> reads;
  collect_sources(*insert.plan.root, reads);
  catalog::PipelineDefinition definition;
  definition.name = insert.pipeline;
  definition.target = insert.target->name;
  definition.sql = insert.sql;
  const columnar::SchemaPtr late_schema = engine::late_schema(insert.plan);
  TRY_ASSIGN(definition, catalog_->add_pipeline(std::move(definition), std::move(reads), late_schema));
  if (late_schema != nullptr) TRY(log_->open_stream(catalog_->find_stream(catalog::late_name(definition.name))));
  return start_pipeline(definition);
}

Result<> Life::start_pipeline(const catalog::PipelineDefinition& definition) {
  TRY_ASSIGN(sql::Statement statement, analyze(definition.sql));
  auto* insert = std::get_if<sql::InsertInto>(&statement);
  if (insert == nullptr) return fail(ErrorCode::Bug, "the catalog holds no INSERT INTO");
  const auto late = catalog_->find_stream(catalog::late_name(definition.name));
  const auto dead_letters = catalog_->find_stream(catalog::dead_letter_name(insert->target->name));
  return engine_->start({definition, std::move(insert->plan), insert->target, late, dead_letters});
}

Result<sql::Statement> Life::analyze(const std::string& text) const {
  sql::ScriptSettings settings;
  TRY_ASSIGN(std::optional<sql::Statement> statement, sql::analyze({text, {}}, *names_, settings));
  if (!statement) return fail(ErrorCode::Bug, "not a statement: " + text);
  return std::move(*statement);
}

void Life::append(std::vector<Parcel>& parcels) {
  while (lanes_.size() < parcels.size()) lanes_.push_back(ingest_->open_lane());
  submit(parcels, 0);
}

void Life::submit(std::vector<Parcel>& parcels, size_t at) {
  Parcel& parcel = parcels[at];
  parcel.outcome = fail(ErrorCode::Bug, "the log did not answer");
  const security::Principal sender{security::PrincipalKind::kService, "simulation", false};
  ingest::Arrival arrival;
  arrival.payload = parcel.lines;
  arrival.principal = &sender;
  const auto target = catalog_->find_stream(parcel.stream);
  const Result<ingest::Accepted> accepted = lanes_[at]->accept(target->id, arrival);
  if (!accepted || accepted->dead > 0) {
    parcel.outcome = fail(ErrorCode::Bug, accepted ? "a dead letter: " + accepted->first_reason : "no such stream");
    return;
  }
  lanes_[at]->flush([this, &parcels, at](Result<> result) {
    parcels[at].outcome = std::move(result);
    for (size_t next = 1; at == 0 && next < parcels.size(); ++next) submit(parcels, next);
  });
}

Result<> Life::read_some(StreamId stream, Offset& from, std::vector<Row>& rows) const {
  constexpr size_t kRowsAtOnce = 200;
  TRY_ASSIGN(const auto found, log_->read(stream, from, kRowsAtOnce));
  for (const log::LogBatchPtr& part : found) {
    for (size_t row = 0; row < part->batch.rows; ++row) {
      Row copy{part->first.value + static_cast<int64_t>(row), {}};
      for (const columnar::ColumnPtr& column : part->batch.columns) copy.values.push_back(text_of(*column, row));
      rows.push_back(std::move(copy));
    }
    from = part->end();
  }
  return {};
}

Result<std::vector<Row>> Life::read(const std::string& stream) const {
  std::vector<Row> rows;
  const auto source = catalog_->find_stream(stream);
  if (source == nullptr) return rows;
  Offset from = log_->begin(source->id);
  while (from < log_->end(source->id)) TRY(read_some(source->id, from, rows));
  return rows;
}

Result<std::vector<Row>> Life::read_around_damage(const std::string& stream, bool& told) const {
  std::vector<Row> rows;
  const auto source = catalog_->find_stream(stream);
  if (source == nullptr) return fail(ErrorCode::NotFound, "the catalog lost the stream " + stream);
  Offset from = log_->begin(source->id);
  while (true) {
    const Offset readable = log_->next_readable(source->id, from);
    told = told || readable > from;
    from = readable;
    if (from >= log_->end(source->id)) return rows;
    const Result<> read = read_some(source->id, from, rows);
    if (read) continue;
    told = true;
    if (read.error().code != ErrorCode::LogCorrupted || log_->next_readable(source->id, from) == from) {
      return std::unexpected(read.error());
    }
  }
}

}  // namespace tidegate::simulation
