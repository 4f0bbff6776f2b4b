// Columns added to a stream that is there.
#include <fmt/format.h>

#include <algorithm>

#include "base/letter_case.h"
#include "catalog/internal/names.h"
#include "catalog/internal/stored_catalog.h"

namespace tidegate::catalog {
namespace {

bool uses(const PipelineDocument& pipeline, std::string_view stream) {
  const auto same = [&](const std::string& read) { return to_lower(read) == stream; };
  return to_lower(pipeline.definition.target) == stream || std::ranges::any_of(pipeline.reads, same);
}

Result<> check_grown(const StreamDefinition& before, const StreamDefinition& after) {
  const auto& old_fields = before.schema->fields;
  const auto& fields = after.schema->fields;
  const bool starts_with =
      fields.size() >= old_fields.size() && std::equal(old_fields.begin(), old_fields.end(), fields.begin());
  if (!starts_with || before.time_column != after.time_column || before.device_column != after.device_column) {
    return fail(ErrorCode::SqlUnsupported,
                fmt::format("the columns of '{}' cannot change; only new ones can come behind them", before.name));
  }
  for (size_t at = old_fields.size(); at < fields.size(); ++at) {
    if (fields[at].nullable) continue;
    return fail(ErrorCode::SqlUnsupported,
                fmt::format("column '{}' cannot be NOT NULL: the records there are have no value", fields[at].name));
  }
  return {};
}

}  // namespace

Result<Catalog::StreamPtr> StoredCatalog::add_columns(StreamDefinition changed) {
  auto documents = documents_.lock();
  const std::string key = to_lower(changed.name);
  const auto found = documents->streams.find(key);
  if (found == documents->streams.end() || found->second->id != changed.id) return no_such("stream", changed.name);
  const StreamDefinition& before = *found->second;
  if (before.sql.empty() || is_system_stream(before)) {
    return fail(ErrorCode::InUse, fmt::format("'{}' is a stream of the server's own", before.name));
  }
  TRY(check_grown(before, changed));

  store::WriteBatch batch;
  put(batch, stream_key(changed.id), encode(changed));
  std::vector<PipelineDocument> noted;
  for (const auto& [name, pipeline] : documents->pipelines) {
    if (!uses(pipeline, key) || pipeline.definition.known_columns.contains(key)) continue;
    noted.push_back(pipeline);
    noted.back().definition.known_columns[key] = static_cast<uint32_t>(before.schema->fields.size());
    put(batch, pipeline_key(pipeline.definition.id), encode(noted.back()));
  }
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  for (PipelineDocument& pipeline : noted) {
    std::string name = to_lower(pipeline.definition.name);
    documents->pipelines[std::move(name)] = std::move(pipeline);
  }
  found->second = std::make_shared<const StreamDefinition>(std::move(changed));
  return found->second;
}

std::shared_ptr<const StreamDefinition> as_known(std::shared_ptr<const StreamDefinition> stream,
                                                 const std::map<std::string, uint32_t>& known_columns) {
  if (stream == nullptr || known_columns.empty()) return stream;
  const auto known = known_columns.find(to_lower(stream->name));
  if (known == known_columns.end() || known->second >= stream->schema->fields.size()) return stream;
  StreamDefinition narrower = *stream;
  columnar::Schema schema = *stream->schema;
  schema.fields.resize(known->second);
  narrower.schema = std::make_shared<const columnar::Schema>(std::move(schema));
  return std::make_shared<const StreamDefinition>(std::move(narrower));
}

}  // namespace tidegate::catalog
