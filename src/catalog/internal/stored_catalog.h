// The catalog over the embedded store. docs/formats/catalog.md has the keys.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "catalog/catalog.h"
#include "catalog/internal/document.h"
#include "crypto/sealing.h"

namespace tidegate::catalog {

// Names in lower case, which is how they compare.
struct Documents {
  std::map<std::string, Catalog::StreamPtr> streams;
  std::map<std::string, ViewDefinition> views;
  std::map<std::string, PipelineDocument> pipelines;
  std::map<std::string, TablePtr> tables;
  uint32_t last_stream_id = 0;
  uint32_t last_pipeline_id = 0;
  uint32_t last_table_id = 0;
};

// Any thread: everything is in memory behind one lock, which is held over the durable write of a change, so that the
// order on disk is the order in memory.
class StoredCatalog final : public Catalog {
 public:
  StoredCatalog(store::Store& store, const crypto::Key& key, io::Random& random)
      : store_(store), key_(key), random_(random) {}
  [[nodiscard]] Result<> load();

  [[nodiscard]] StreamPtr find_stream(std::string_view name) const override;
  [[nodiscard]] StreamPtr find_stream(StreamId id) const override;
  [[nodiscard]] std::optional<ViewDefinition> find_view(std::string_view name) const override;
  [[nodiscard]] std::optional<PipelineDefinition> find_pipeline(std::string_view name) const override;
  [[nodiscard]] std::vector<StreamPtr> streams() const override;
  [[nodiscard]] std::vector<ViewDefinition> views() const override;
  [[nodiscard]] std::vector<PipelineDefinition> pipelines() const override;
  [[nodiscard]] Result<StreamPtr> add_stream(StreamDefinition definition) override;
  [[nodiscard]] Result<StreamPtr> add_system_stream(StreamDefinition definition) override;
  [[nodiscard]] Result<StreamPtr> add_columns(StreamDefinition changed) override;  // stored_columns.cpp
  [[nodiscard]] Result<> add_view(ViewDefinition definition) override;
  [[nodiscard]] Result<PipelineDefinition> add_pipeline(PipelineDefinition definition, std::vector<std::string> reads,
                                                        columnar::SchemaPtr late_schema) override;
  [[nodiscard]] Result<> set_pipeline_wanted(std::string_view name, PipelineState wanted) override;
  [[nodiscard]] Result<> drop_stream(std::string_view name) override;
  [[nodiscard]] Result<> replace_view(ViewDefinition definition) override;
  [[nodiscard]] Result<PipelineDefinition> replace_pipeline(std::string_view name, std::string sql,
                                                            std::vector<std::string> reads, bool as_known) override;
  [[nodiscard]] Result<PipelineDefinition> restart_pipeline(PipelineDefinition definition,
                                                            std::vector<std::string> reads,
                                                            columnar::SchemaPtr late_schema) override;
  [[nodiscard]] Result<> drop_view(std::string_view name) override;
  [[nodiscard]] Result<> drop_pipeline(std::string_view name) override;

  // stored_tables.cpp
  [[nodiscard]] TablePtr find_table(std::string_view name) const override;
  [[nodiscard]] std::vector<TablePtr> tables() const override;
  [[nodiscard]] Result<TablePtr> add_table(TableDefinition definition) override;
  [[nodiscard]] Result<TablePtr> add_system_table(TableDefinition definition) override;
  [[nodiscard]] Result<> drop_table(std::string_view name) override;

 private:
  [[nodiscard]] Result<> load_document(Documents& documents, std::string_view key, std::string_view sealed);
  [[nodiscard]] Result<TablePtr> write_table(Documents& documents, TableDefinition definition);
  void put(store::WriteBatch& batch, const std::string& key, std::string_view document);
  [[nodiscard]] StreamPtr put_late(store::WriteBatch& batch, Documents& documents, std::string name,
                                   columnar::SchemaPtr schema);
  void put_counters(store::WriteBatch& batch, const Documents& documents);

  store::Store& store_;
  const crypto::Key key_;
  io::Random& random_;
  Guarded<Documents> documents_;
};

}  // namespace tidegate::catalog
