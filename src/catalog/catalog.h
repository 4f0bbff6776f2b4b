// The catalog: streams, lookup tables, views and pipelines, durable and sealed, each with a revision.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "catalog/definitions.h"
#include "catalog/table_definition.h"
#include "crypto/key_ring.h"
#include "store/store.h"

namespace tidegate::catalog {

// Lookups are from memory; changes are durable on return. Any thread. Names compare without regard to case.
// Changes fail with SqlAlreadyExists, NotFound, InUse (a pipeline or view still reads or writes it; the hint names
// it), or the store's errors.
class Catalog {
 public:
  // SealBroken or FormatUnknown when a stored document cannot be read.
  [[nodiscard]] static Result<std::unique_ptr<Catalog>> open(store::Store& store, crypto::KeyRing& keys,
                                                             io::Random& random);
  virtual ~Catalog() = default;

  // Shared, because running pipelines keep a definition that is dropped meanwhile.
  using StreamPtr = std::shared_ptr<const StreamDefinition>;
  [[nodiscard]] virtual StreamPtr find_stream(std::string_view name) const = 0;
  [[nodiscard]] virtual StreamPtr find_stream(StreamId id) const = 0;
  [[nodiscard]] virtual std::optional<ViewDefinition> find_view(std::string_view name) const = 0;
  [[nodiscard]] virtual std::optional<PipelineDefinition> find_pipeline(std::string_view name) const = 0;
  [[nodiscard]] virtual TablePtr find_table(std::string_view name) const = 0;
  [[nodiscard]] virtual std::vector<TablePtr> tables() const = 0;
  [[nodiscard]] virtual std::vector<StreamPtr> streams() const = 0;
  [[nodiscard]] virtual std::vector<ViewDefinition> views() const = 0;
  [[nodiscard]] virtual std::vector<PipelineDefinition> pipelines() const = 0;

  // Gives the definition its id. Makes the system streams that go with it in the same write: for every stream that
  // takes records from outside `<name>_dead_letters` (dead_letter_schema()).
  [[nodiscard]] virtual Result<StreamPtr> add_stream(StreamDefinition definition) = 0;
  // A stream of the server's own: nothing comes from outside, and it cannot be dropped. The one there is, if it was
  // made so; SqlAlreadyExists if a user's has the name.
  [[nodiscard]] virtual Result<StreamPtr> add_system_stream(StreamDefinition definition) = 0;
  // `changed` is the stream of that id with columns more at the end, which may be NULL, and their options. In the same
  // write every pipeline that reads or writes it notes how many columns it knows, unless it has already. NotFound;
  // InUse for streams that no statement made; SqlUnsupported for any other change of the columns.
  [[nodiscard]] virtual Result<StreamPtr> add_columns(StreamDefinition changed) = 0;
  [[nodiscard]] virtual Result<> add_view(ViewDefinition definition) = 0;
  // Gives the definition its id.
  [[nodiscard]] virtual Result<TablePtr> add_table(TableDefinition definition) = 0;
  // The one of the server's own, which cannot be dropped: the one there is, if it is the same but for its id, else it
  // is replaced and keeps the id. SqlAlreadyExists if something of a user's has the name.
  [[nodiscard]] virtual Result<TablePtr> add_system_table(TableDefinition definition) = 0;
  // Gives the definition its id; `late_schema`, if any, makes `<pipeline name>_late` with it in the same write.
  // `reads` are the names of the streams and views it reads.
  [[nodiscard]] virtual Result<PipelineDefinition> add_pipeline(PipelineDefinition definition,
                                                                std::vector<std::string> reads,
                                                                columnar::SchemaPtr late_schema) = 0;
  // The definition that is there under this name gives way to another one; pipelines that read a view are the caller's
  // to start anew. A pipeline keeps its id, target and late stream; unless `as_known`, it knows all columns that there
  // are now. NotFound.
  [[nodiscard]] virtual Result<> replace_view(ViewDefinition definition) = 0;
  [[nodiscard]] virtual Result<PipelineDefinition> replace_pipeline(std::string_view name, std::string sql,
                                                                    std::vector<std::string> reads, bool as_known) = 0;
  // The pipeline of the definition's name gives way to it in one write, under a new id and so without state. The late
  // stream stays if it has that schema already; else another takes its place, and the caller drops the old one's
  // records. As wanted as it was. NotFound.
  [[nodiscard]] virtual Result<PipelineDefinition> restart_pipeline(PipelineDefinition definition,
                                                                    std::vector<std::string> reads,
                                                                    columnar::SchemaPtr late_schema) = 0;
  [[nodiscard]] virtual Result<> set_pipeline_wanted(std::string_view name, PipelineState wanted) = 0;
  [[nodiscard]] virtual Result<> drop_stream(std::string_view name) = 0;  // and its system streams
  [[nodiscard]] virtual Result<> drop_view(std::string_view name) = 0;
  [[nodiscard]] virtual Result<> drop_table(std::string_view name) = 0;
  [[nodiscard]] virtual Result<> drop_pipeline(std::string_view name) = 0;  // and its late stream
};

// time TIMESTAMP_LTZ(3) (when it arrived), device STRING, topic STRING, code INT (error number), reason STRING,
// payload STRING. `device` is its device column.
[[nodiscard]] columnar::SchemaPtr dead_letter_schema();
// A stream of the server's own: the first column names the device, the second is the event time. With the statement
// that would make it.
[[nodiscard]] StreamDefinition own_stream(std::string name, std::vector<columnar::Field> fields,
                                          std::map<std::string, std::string> options = {});
// Of a stream made by add_system_stream().
[[nodiscard]] bool is_system_stream(const StreamDefinition& stream);
[[nodiscard]] bool is_system_table(const TableDefinition& table);
[[nodiscard]] std::string dead_letter_name(std::string_view stream);  // <stream>_dead_letters
[[nodiscard]] std::string late_name(std::string_view pipeline);       // <pipeline>_late

}  // namespace tidegate::catalog
