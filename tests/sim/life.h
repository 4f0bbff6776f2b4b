// One life of the program on the machine, from its start to a stop, a kill or a power cut: the real store, catalog,
// SQL, ingest, log and engine, wired as the server wires them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "engine/engine.h"
#include "ingest/ingest.h"
#include "log/embedded_log.h"
#include "lookup/table_version.h"
#include "machine.h"
#include "sql/sql.h"

namespace tidegate::simulation {

// A lookup table whose content a simulation changes while it runs: for every device of `devices` one number, which is
// the version's. It outlives the lives, as a file does; that versions are durable before they count is lookup/'s.
class Rates final : public lookup::TableReader {
 public:
  void change(const std::vector<std::string>& devices);
  [[nodiscard]] lookup::TableVersionPtr current(catalog::TableId table) const override;
  // The schema: device STRING, rate BIGINT.
  [[nodiscard]] static columnar::SchemaPtr schema();

 private:
  lookup::TableVersionPtr version_;
};

struct LifeOptions {
  const lookup::TableReader* rates = nullptr;  // must outlive the life
  size_t memtable_bytes = 64U << 10;
  size_t tail_bytes = 32U << 20;
  size_t max_epoch_rows = 1000;
  size_t max_batch_rows = 100;
  bool spills = false;  // pipelines let go of what state they can after every epoch
};

// A committed record.
struct Row {
  int64_t offset = 0;
  std::vector<std::string> values;  // as text, in the order of the columns; "NULL"
  bool operator==(const Row&) const = default;
};

class Life {
 public:
  // Opens what is on the disk, and makes the streams and pipelines that are not there yet.
  [[nodiscard]] static Result<std::unique_ptr<Life>> begin(Machine& machine, uint64_t seed, const LifeOptions& options);
  // A clean stop, unless the disk is off.
  ~Life();
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  // Records of a stream, one JSON object a line.
  struct Parcel {
    std::string stream;
    std::string lines;
    std::vector<int64_t> ids = {};
    Result<> outcome = {};  // durable, or why not
  };
  // The first parcel is a group commit by itself; the others, handed in while it reports back, are one together.
  void append(std::vector<Parcel>& parcels);
  [[nodiscard]] Result<> run() { return engine_->run_until_idle(); }
  [[nodiscard]] Result<> maintain() { return log_->maintain(); }
  [[nodiscard]] Result<std::vector<Row>> read(const std::string& stream) const;
  // The same, stepping over what the log says is lost; `told` becomes true if it says so.
  [[nodiscard]] Result<std::vector<Row>> read_around_damage(const std::string& stream, bool& told) const;
  [[nodiscard]] log::LogStats stats() const { return log_->stats(); }
  [[nodiscard]] store::StoreDamage damage() const { return store_->damage(); }
  [[nodiscard]] std::vector<engine::PipelineStatus> pipelines() const { return engine_->status(); }

 private:
  class Names;
  class Keys;

  Life(Machine& machine, uint64_t seed);
  [[nodiscard]] Result<> open(const LifeOptions& options);
  [[nodiscard]] Result<> resume();
  [[nodiscard]] Result<> make_definitions();
  [[nodiscard]] Result<> add_stream(sql::CreateTable table);
  [[nodiscard]] Result<> add_pipeline(const sql::InsertInto& insert);
  [[nodiscard]] Result<> start_pipeline(const catalog::PipelineDefinition& definition);
  [[nodiscard]] Result<sql::Statement> analyze(const std::string& text) const;
  void submit(std::vector<Parcel>& parcels, size_t at);
  [[nodiscard]] Result<> read_some(StreamId stream, Offset& from, std::vector<Row>& rows) const;

  Machine& machine_;
  io::SeededRandom random_;
  columnar::StringPool devices_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<crypto::KeyRing> keys_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<Names> names_;
  std::unique_ptr<log::EmbeddedLog> log_;
  std::unique_ptr<ingest::Ingest> ingest_;
  std::vector<std::unique_ptr<ingest::Lane>> lanes_;  // one a parcel
  std::unique_ptr<engine::Engine> engine_;
};

}  // namespace tidegate::simulation
