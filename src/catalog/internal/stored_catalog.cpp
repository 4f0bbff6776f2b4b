#include "catalog/internal/stored_catalog.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/letter_case.h"
#include "catalog/internal/names.h"

namespace tidegate::catalog {
namespace {

constexpr std::string_view kPrefix = "catalog/";
constexpr std::string_view kEnd = "catalog0";  // the byte after '/'
const std::string kCounterKey = "catalog/ids";

std::string view_key(std::string_view name) { return fmt::format("catalog/view/{}", to_lower(name)); }

}  // namespace

Result<> StoredCatalog::load() {
  auto documents = documents_.lock();
  Result<> outcome;
  TRY(store_.scan(store::Family::kCatalog, kPrefix, kEnd, [&](std::string_view key, std::string_view sealed) {
    outcome = load_document(*documents, key, sealed);
    return outcome.has_value();
  }));
  return outcome;
}

Result<> StoredCatalog::load_document(Documents& documents, std::string_view key, std::string_view sealed) {
  TRY_ASSIGN(const std::string bytes, crypto::open_seal(key_, key, sealed));
  if (key == kCounterKey) {
    ByteReader in(bytes);
    documents.last_stream_id = in.fixed<uint32_t>();
    documents.last_pipeline_id = in.fixed<uint32_t>();
    if (in.remaining() > 0) documents.last_table_id = in.fixed<uint32_t>();  // absent before there were tables
  } else if (key.starts_with("catalog/table/")) {
    TRY_ASSIGN(TableDefinition table, decode_table(bytes));
    std::string name = to_lower(table.name);
    documents.tables[std::move(name)] = std::make_shared<const TableDefinition>(std::move(table));
  } else if (key.starts_with("catalog/stream/")) {
    TRY_ASSIGN(StreamDefinition stream, decode_stream(bytes));
    std::string name = to_lower(stream.name);
    documents.streams[std::move(name)] = std::make_shared<const StreamDefinition>(std::move(stream));
  } else if (key.starts_with("catalog/view/")) {
    TRY_ASSIGN(ViewDefinition view, decode_view(bytes));
    std::string name = to_lower(view.name);
    documents.views[std::move(name)] = std::move(view);
  } else if (key.starts_with("catalog/pipeline/")) {
    TRY_ASSIGN(PipelineDocument pipeline, decode_pipeline(bytes));
    std::string name = to_lower(pipeline.definition.name);
    documents.pipelines[std::move(name)] = std::move(pipeline);
  } else {
    return fail(ErrorCode::FormatUnknown, fmt::format("the catalog holds an unknown document '{}'", key),
                "it was written by a newer version; start that version");
  }
  return {};
}

void StoredCatalog::put(store::WriteBatch& batch, const std::string& key, std::string_view document) {
  batch.put(store::Family::kCatalog, key, crypto::seal(key_, random_, key, document));
}

void StoredCatalog::put_counters(store::WriteBatch& batch, const Documents& documents) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(documents.last_stream_id);
  out.fixed(documents.last_pipeline_id);
  out.fixed(documents.last_table_id);
  put(batch, kCounterKey, bytes);
}

Catalog::StreamPtr StoredCatalog::find_stream(std::string_view name) const {
  const auto documents = documents_.lock();
  const auto found = documents->streams.find(to_lower(name));
  return found == documents->streams.end() ? nullptr : found->second;
}

Catalog::StreamPtr StoredCatalog::find_stream(StreamId id) const {
  const auto documents = documents_.lock();
  for (const auto& [name, stream] : documents->streams) {
    if (stream->id == id) return stream;
  }
  return nullptr;
}

std::optional<ViewDefinition> StoredCatalog::find_view(std::string_view name) const {
  const auto documents = documents_.lock();
  const auto found = documents->views.find(to_lower(name));
  return found == documents->views.end() ? std::nullopt : std::optional(found->second);
}

std::optional<PipelineDefinition> StoredCatalog::find_pipeline(std::string_view name) const {
  const auto documents = documents_.lock();
  const auto found = documents->pipelines.find(to_lower(name));
  return found == documents->pipelines.end() ? std::nullopt : std::optional(found->second.definition);
}

std::vector<Catalog::StreamPtr> StoredCatalog::streams() const {
  const auto documents = documents_.lock();
  std::vector<StreamPtr> all;
  for (const auto& [name, stream] : documents->streams) all.push_back(stream);
  return all;
}

std::vector<ViewDefinition> StoredCatalog::views() const {
  const auto documents = documents_.lock();
  std::vector<ViewDefinition> all;
  for (const auto& [name, view] : documents->views) all.push_back(view);
  return all;
}

std::vector<PipelineDefinition> StoredCatalog::pipelines() const {
  const auto documents = documents_.lock();
  std::vector<PipelineDefinition> all;
  for (const auto& [name, pipeline] : documents->pipelines) all.push_back(pipeline.definition);
  return all;
}

Result<Catalog::StreamPtr> StoredCatalog::add_stream(StreamDefinition definition) {
  auto documents = documents_.lock();
  const std::string dead_letters = dead_letter_name(definition.name);
  TRY(check_relation_is_free(*documents, definition.name));
  TRY(check_relation_is_free(*documents, dead_letters));
  const uint32_t last_id = documents->last_stream_id;
  definition.id = StreamId{++documents->last_stream_id};
  StreamDefinition dead = dead_letter_stream(dead_letters, StreamId{++documents->last_stream_id});

  store::WriteBatch batch;
  put(batch, stream_key(definition.id), encode(definition));
  put(batch, stream_key(dead.id), encode(dead));
  put_counters(batch, *documents);
  if (auto written = store_.write(std::move(batch), store::Durability::kSynced); !written) {
    documents->last_stream_id = last_id;
    return fail(std::move(written.error()));
  }
  auto added = std::make_shared<const StreamDefinition>(std::move(definition));
  documents->streams[to_lower(added->name)] = added;
  documents->streams[to_lower(dead_letters)] = std::make_shared<const StreamDefinition>(std::move(dead));
  return added;
}

Result<Catalog::StreamPtr> StoredCatalog::add_system_stream(StreamDefinition definition) {
  auto documents = documents_.lock();
  const auto present = documents->streams.find(to_lower(definition.name));
  if (present != documents->streams.end() && is_system_stream(*present->second)) return present->second;
  TRY(check_relation_is_free(*documents, definition.name));
  definition.options[kSystemOption] = "true";
  definition.id = StreamId{++documents->last_stream_id};
  store::WriteBatch batch;
  put(batch, stream_key(definition.id), encode(definition));
  put_counters(batch, *documents);
  if (auto written = store_.write(std::move(batch), store::Durability::kSynced); !written) {
    --documents->last_stream_id;
    return fail(std::move(written.error()));
  }
  auto made = std::make_shared<const StreamDefinition>(std::move(definition));
  documents->streams[to_lower(made->name)] = made;
  return made;
}

Result<> StoredCatalog::add_view(ViewDefinition definition) {
  auto documents = documents_.lock();
  TRY(check_relation_is_free(*documents, definition.name));
  store::WriteBatch batch;
  put(batch, view_key(definition.name), encode(definition));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  documents->views[to_lower(definition.name)] = std::move(definition);
  return {};
}

Catalog::StreamPtr StoredCatalog::put_late(store::WriteBatch& batch, Documents& documents, std::string name,
                                           columnar::SchemaPtr schema) {
  StreamDefinition made;
  made.id = StreamId{++documents.last_stream_id};
  made.name = std::move(name);
  made.schema = std::move(schema);
  put(batch, stream_key(made.id), encode(made));
  return std::make_shared<const StreamDefinition>(std::move(made));
}

Result<PipelineDefinition> StoredCatalog::add_pipeline(PipelineDefinition definition, std::vector<std::string> reads,
                                                       columnar::SchemaPtr late_schema) {
  auto documents = documents_.lock();
  TRY(check_pipeline_is_free(*documents, definition.name));
  const std::string late = late_name(definition.name);
  if (late_schema) TRY(check_relation_is_free(*documents, late));
  const uint32_t last_stream_id = documents->last_stream_id;
  definition.id = PipelineId{++documents->last_pipeline_id};

  store::WriteBatch batch;
  StreamPtr late_stream;
  if (late_schema) late_stream = put_late(batch, *documents, late, std::move(late_schema));
  PipelineDocument document{definition, std::move(reads)};
  put(batch, pipeline_key(definition.id), encode(document));
  put_counters(batch, *documents);
  if (auto written = store_.write(std::move(batch), store::Durability::kSynced); !written) {
    documents->last_stream_id = last_stream_id;
    --documents->last_pipeline_id;
    return fail(std::move(written.error()));
  }
  if (late_stream) documents->streams[to_lower(late)] = std::move(late_stream);
  documents->pipelines[to_lower(definition.name)] = std::move(document);
  return definition;
}

Result<> StoredCatalog::replace_view(ViewDefinition definition) {
  auto documents = documents_.lock();
  const auto found = documents->views.find(to_lower(definition.name));
  if (found == documents->views.end()) return no_such("view", definition.name);
  store::WriteBatch batch;
  put(batch, view_key(definition.name), encode(definition));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  found->second = std::move(definition);
  return {};
}

Result<PipelineDefinition> StoredCatalog::replace_pipeline(std::string_view name, std::string sql,
                                                           std::vector<std::string> reads, bool as_known) {
  auto documents = documents_.lock();
  const auto found = documents->pipelines.find(to_lower(name));
  if (found == documents->pipelines.end()) return no_such("pipeline", name);
  PipelineDocument changed = found->second;
  changed.definition.sql = std::move(sql);
  if (!as_known) changed.definition.known_columns.clear();
  changed.reads = std::move(reads);
  store::WriteBatch batch;
  put(batch, pipeline_key(changed.definition.id), encode(changed));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  found->second = std::move(changed);
  return found->second.definition;
}

Result<PipelineDefinition> StoredCatalog::restart_pipeline(PipelineDefinition definition,
                                                           std::vector<std::string> reads,
                                                           columnar::SchemaPtr late_schema) {
  auto documents = documents_.lock();
  const auto found = documents->pipelines.find(to_lower(definition.name));
  if (found == documents->pipelines.end()) return no_such("pipeline", definition.name);
  const PipelineDefinition& before = found->second.definition;
  definition.name = before.name;
  definition.wanted = before.wanted;
  const std::string late = late_name(definition.name);
  const auto late_before = documents->streams.find(to_lower(late));
  const bool had_late = late_before != documents->streams.end();
  const bool same_late = had_late && late_schema && *late_before->second->schema == *late_schema;
  if (had_late && !same_late) TRY(check_unused(*documents, late));

  const uint32_t last_stream_id = documents->last_stream_id;
  definition.id = PipelineId{++documents->last_pipeline_id};
  store::WriteBatch batch;
  batch.erase(store::Family::kCatalog, pipeline_key(before.id));
  StreamPtr late_stream = same_late ? late_before->second : nullptr;
  if (had_late && !same_late) batch.erase(store::Family::kCatalog, stream_key(late_before->second->id));
  if (late_schema && !same_late) late_stream = put_late(batch, *documents, late, std::move(late_schema));
  PipelineDocument document{definition, std::move(reads)};
  put(batch, pipeline_key(definition.id), encode(document));
  put_counters(batch, *documents);
  if (auto written = store_.write(std::move(batch), store::Durability::kSynced); !written) {
    documents->last_stream_id = last_stream_id;
    --documents->last_pipeline_id;
    return fail(std::move(written.error()));
  }
  documents->streams.erase(to_lower(late));
  if (late_stream) documents->streams[to_lower(late)] = std::move(late_stream);
  found->second = std::move(document);
  return definition;
}

Result<> StoredCatalog::set_pipeline_wanted(std::string_view name, PipelineState wanted) {
  auto documents = documents_.lock();
  const auto found = documents->pipelines.find(to_lower(name));
  if (found == documents->pipelines.end()) return no_such("pipeline", name);
  PipelineDocument changed = found->second;
  changed.definition.wanted = wanted;
  store::WriteBatch batch;
  put(batch, pipeline_key(changed.definition.id), encode(changed));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  found->second = std::move(changed);
  return {};
}

Result<> StoredCatalog::drop_stream(std::string_view name) {
  auto documents = documents_.lock();
  const auto found = documents->streams.find(to_lower(name));
  if (found == documents->streams.end()) return no_such("stream", name);
  if (is_system_stream(*found->second)) {
    return fail(ErrorCode::InUse, fmt::format("'{}' is a stream of the server's own", found->second->name));
  }
  TRY(check_unused(*documents, name));
  const auto dead = documents->streams.find(to_lower(dead_letter_name(name)));
  store::WriteBatch batch;
  batch.erase(store::Family::kCatalog, stream_key(found->second->id));
  if (dead != documents->streams.end()) {
    TRY(check_unused(*documents, dead->second->name));
    batch.erase(store::Family::kCatalog, stream_key(dead->second->id));
  }
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  if (dead != documents->streams.end()) documents->streams.erase(dead);
  documents->streams.erase(to_lower(name));
  return {};
}

Result<> StoredCatalog::drop_view(std::string_view name) {
  auto documents = documents_.lock();
  if (!documents->views.contains(to_lower(name))) return no_such("view", name);
  TRY(check_unused(*documents, name));
  store::WriteBatch batch;
  batch.erase(store::Family::kCatalog, view_key(name));
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  documents->views.erase(to_lower(name));
  return {};
}

Result<> StoredCatalog::drop_pipeline(std::string_view name) {
  auto documents = documents_.lock();
  const auto found = documents->pipelines.find(to_lower(name));
  if (found == documents->pipelines.end()) return no_such("pipeline", name);
  const std::string late = to_lower(late_name(name));
  const auto late_stream = documents->streams.find(late);
  store::WriteBatch batch;
  batch.erase(store::Family::kCatalog, pipeline_key(found->second.definition.id));
  if (late_stream != documents->streams.end()) {
    TRY(check_unused(*documents, late));
    batch.erase(store::Family::kCatalog, stream_key(late_stream->second->id));
  }
  TRY(store_.write(std::move(batch), store::Durability::kSynced));
  documents->streams.erase(late);
  documents->pipelines.erase(to_lower(name));
  return {};
}

Result<std::unique_ptr<Catalog>> Catalog::open(store::Store& store, crypto::KeyRing& keys, io::Random& random) {
  TRY_ASSIGN(crypto::Key key, keys.data_key("catalog"));
  auto catalog = std::make_unique<StoredCatalog>(store, std::move(key), random);
  TRY(catalog->load());
  return catalog;
}

}  // namespace tidegate::catalog
