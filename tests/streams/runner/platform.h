// The real parts wired together over a store in a folder: catalog, SQL, ingest, log and engine, on a clock that stands
// still until told to move.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "engine/engine.h"
#include "ingest/ingest.h"
#include "io/clock.h"
#include "io/random.h"
#include "lookup/tables.h"
#include "sql/sql.h"

namespace tidegate::streams {

struct Settings {
  size_t max_batch_rows = 8192;
  bool one_row_per_flush = false;
  int threads = 1;
  bool restart_after_push = false;
  bool spill = false;  // pipelines let go of what state they can after every epoch
};

// What arrives.
struct Push {
  std::vector<std::string> lines;
  bool whole = false;  // the lines are one payload under every setting
  std::string device;  // that authenticated; empty: a service that may speak for all of them
  std::string topic;   // must be the stream's; empty: none, as over HTTP
};

// One process's life on a data folder. Destroying it is a clean stop; a crash is simulated by copying the folder
// first (crash_image) and opening the copy.
class Platform {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Platform>> open(const std::filesystem::path& folder, int64_t clock_us,
                                                              const Settings& settings);
  ~Platform();

  // Runs the statements of a script, a SELECT over what is stored and without looking at its rows. `pipeline` names its
  // INSERT INTO; empty: as SQL says.
  [[nodiscard]] Result<> execute(std::string_view script, const std::string& pipeline);
  // What EXPLAIN prints.
  [[nodiscard]] Result<std::string> explain(std::string_view statement);
  // What a SELECT over what is stored gives, in its order.
  [[nodiscard]] Result<std::vector<columnar::Batch>> select(std::string_view statement, columnar::SchemaPtr& schema);
  // Messages that arrive together, durable on return.
  [[nodiscard]] Result<> push(std::string_view stream, const Push& push);
  // Writes a file where lookup tables have theirs.
  [[nodiscard]] Result<> write_file(const std::string& name, const std::string& content);
  // Reads a lookup table's file again.
  [[nodiscard]] Result<> reload(std::string_view table);
  // Lets lookup tables look for changes.
  void look_at_tables() { tables_->look(); }
  // Adds a device, or replaces what is said of it: {"name", "type", "place", "labels": {}}.
  [[nodiscard]] Result<> put_device(const std::string& json);
  [[nodiscard]] Result<> put_site(const std::string& name, const std::string& zone);
  // Runs the pipelines until nothing is left to do.
  [[nodiscard]] Result<> run() { return engine_->run_until_idle(); }
  // Committed records of a stream from `from` on; `from` moves to its end.
  [[nodiscard]] Result<std::vector<columnar::Batch>> read(std::string_view stream, Offset& from);
  [[nodiscard]] Result<catalog::Catalog::StreamPtr> stream(std::string_view name) const;

  [[nodiscard]] io::ManualClock& clock() { return clock_; }
  // Copies what the disk would hold if the process died now.
  [[nodiscard]] Result<> crash_image(const std::filesystem::path& target) const;

 private:
  class CatalogNames;

  Platform(std::filesystem::path folder, int64_t clock_us, const Settings& settings);
  Result<> open_parts();
  Result<> resume();
  Result<> open_stream(const catalog::Catalog::StreamPtr& stream);
  Result<> connect(const catalog::Catalog::StreamPtr& stream);
  Result<std::vector<columnar::Batch>> rows_of(sql::Plan plan, columnar::SchemaPtr& schema);
  Result<> apply(sql::Statement statement, const std::string& pipeline);
  Result<> add_table(sql::CreateLookupTable statement);
  Result<> add_pipeline(sql::InsertInto insert, const std::string& name);
  Result<> drop(const sql::Drop& drop);
  Result<> start(const catalog::PipelineDefinition& definition, sql::InsertInto insert);
  Result<sql::InsertInto> analyze_insert(const catalog::PipelineDefinition& pipeline) const;
  Result<> flush(ingest::Lane& lane);

  const std::filesystem::path folder_;
  const Settings settings_;
  io::SystemRandom random_;
  io::ManualClock clock_;
  columnar::StringPool devices_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<crypto::KeyRing> keys_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<CatalogNames> names_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<lookup::Tables> tables_;
  std::unique_ptr<ingest::Ingest> ingest_;
  std::unique_ptr<ingest::Lane> lane_;
  std::unique_ptr<engine::Engine> engine_;
};

}  // namespace tidegate::streams
