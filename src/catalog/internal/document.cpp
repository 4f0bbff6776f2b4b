#include "catalog/internal/document.h"

#include <algorithm>

#include "base/bytes.h"

namespace tidegate::catalog {

using columnar::TypeKind;

namespace {

constexpr uint8_t kVersion = 1;
// Of a stream whose columns have types with parameters; a server that does not know them must not take it for one of
// version 1.
constexpr uint8_t kTypedVersion = 2;
// Of a pipeline that does not know all columns of its streams.
constexpr uint8_t kKnowingVersion = 2;
// Of a pipeline that does not begin at the oldest records.
constexpr uint8_t kStartingVersion = 3;
// Of a pipeline whose days are not UTC's.
constexpr uint8_t kZonedVersion = 4;
// Types inside each other, as deep as the parser takes them and more.
constexpr int kMaxTypeDepth = 64;

std::unexpected<Error> unknown_format(const char* what) {
  return fail(ErrorCode::FormatUnknown, std::string("a stored ") + what + " has an unknown format",
              "it was written by a newer version; start that version, or restore a backup");
}

void write_column(ByteWriter& out, std::optional<size_t> column) { out.varint(column ? *column + 1 : 0); }

std::optional<size_t> read_column(ByteReader& in) {
  const uint64_t stored = in.varint();
  return stored == 0 ? std::nullopt : std::optional<size_t>(stored - 1);
}

void write_fields(ByteWriter& out, const std::vector<columnar::Field>& fields) {
  out.varint(fields.size());
  for (const columnar::Field& field : fields) {
    out.text(field.name);
    out.fixed(static_cast<uint8_t>(field.type.kind));
    out.fixed(static_cast<uint8_t>(field.nullable));
    if (field.type == TypeKind::kDecimal) {
      out.fixed(field.type.precision);
      out.fixed(field.type.scale);
    } else if (field.type.is_nested()) {
      write_fields(out, *field.type.fields);
    }
  }
}

std::optional<std::vector<columnar::Field>> read_fields(ByteReader& in, int depth);

// What follows the kind.
bool read_parameters(ByteReader& in, columnar::Type& type, int depth) {
  if (type == TypeKind::kDecimal) {
    const auto precision = in.fixed<uint8_t>();
    const auto scale = in.fixed<uint8_t>();
    if (precision < 1 || precision > columnar::kMaxPrecision || scale > precision) return false;
    type = columnar::Type::decimal(precision, scale);
  } else if (type.is_nested()) {
    auto fields = read_fields(in, depth + 1);
    if (!fields || fields->empty() || (type == TypeKind::kArray && fields->size() != 1)) return false;
    type.fields = std::make_shared<const std::vector<columnar::Field>>(std::move(*fields));
  }
  return true;
}

std::optional<std::vector<columnar::Field>> read_fields(ByteReader& in, int depth) {
  if (depth > kMaxTypeDepth) return std::nullopt;
  std::vector<columnar::Field> fields;
  const uint64_t count = in.varint();
  for (uint64_t at = 0; at < count && in.ok(); ++at) {
    columnar::Field field;
    field.name = in.text();
    field.type = static_cast<TypeKind>(in.fixed<uint8_t>());
    field.nullable = in.fixed<uint8_t>() != 0;
    if (field.type.kind > TypeKind::kRow || !read_parameters(in, field.type, depth)) return std::nullopt;
    fields.push_back(std::move(field));
  }
  return fields;
}

uint8_t version_of(const columnar::Schema& schema) {
  const auto newer = [](const columnar::Field& field) { return field.type.kind > TypeKind::kInterval; };
  return std::ranges::any_of(schema.fields, newer) ? kTypedVersion : kVersion;
}

void write_options(ByteWriter& out, const std::map<std::string, std::string>& options) {
  out.varint(options.size());
  for (const auto& [name, value] : options) {
    out.text(name);
    out.text(value);
  }
}

std::map<std::string, std::string> read_options(ByteReader& in) {
  std::map<std::string, std::string> options;
  const uint64_t count = in.varint();
  for (uint64_t at = 0; at < count && in.ok(); ++at) {
    std::string name(in.text());
    options[std::move(name)] = in.text();
  }
  return options;
}

bool columns_exist(const StreamDefinition& stream) {
  const size_t count = stream.schema->fields.size();
  return (!stream.time_column || *stream.time_column < count) &&
         (!stream.device_column || *stream.device_column < count);
}

}  // namespace

std::string encode(const StreamDefinition& stream) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(version_of(*stream.schema));
  out.fixed(stream.id.value);
  out.text(stream.name);
  write_fields(out, stream.schema->fields);
  write_column(out, stream.time_column);
  write_column(out, stream.device_column);
  out.fixed(stream.watermark_delay_us);
  out.fixed(static_cast<uint8_t>(stream.connector));
  out.fixed(static_cast<uint8_t>(stream.watermark_scope));
  out.fixed(stream.max_skew_us);
  out.fixed(stream.idle_timeout_us);
  out.fixed(stream.close_after_us);
  out.text(stream.mqtt_topic);
  write_options(out, stream.options);
  out.text(stream.sql);
  return bytes;
}

Result<StreamDefinition> decode_stream(std::string_view bytes) {
  ByteReader in(bytes);
  StreamDefinition stream;
  const auto version = in.fixed<uint8_t>();
  if (version != kVersion && version != kTypedVersion) return unknown_format("stream");
  stream.id = StreamId{in.fixed<uint32_t>()};
  stream.name = in.text();
  auto fields = read_fields(in, 0);
  if (!fields) return unknown_format("stream");
  stream.schema = std::make_shared<const columnar::Schema>(columnar::Schema{std::move(*fields)});
  stream.time_column = read_column(in);
  stream.device_column = read_column(in);
  stream.watermark_delay_us = in.fixed<int64_t>();
  stream.connector = static_cast<Connector>(in.fixed<uint8_t>());
  stream.watermark_scope = static_cast<WatermarkScope>(in.fixed<uint8_t>());
  stream.max_skew_us = in.fixed<int64_t>();
  stream.idle_timeout_us = in.fixed<int64_t>();
  stream.close_after_us = in.fixed<int64_t>();
  stream.mqtt_topic = in.text();
  stream.options = read_options(in);
  stream.sql = in.text();
  if (!in.finished() || !columns_exist(stream)) return unknown_format("stream");
  return stream;
}

std::string encode(const ViewDefinition& view) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kVersion);
  out.text(view.name);
  out.text(view.query);
  out.text(view.sql);
  return bytes;
}

Result<ViewDefinition> decode_view(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.fixed<uint8_t>() != kVersion) return unknown_format("view");
  ViewDefinition view;
  view.name = in.text();
  view.query = in.text();
  view.sql = in.text();
  if (!in.finished()) return unknown_format("view");
  return view;
}

std::string encode(const PipelineDocument& pipeline) {
  std::string bytes;
  ByteWriter out(bytes);
  const auto& known = pipeline.definition.known_columns;
  const auto& starts = pipeline.definition.starts;
  const std::string& zone = pipeline.definition.time_zone;
  const uint8_t version = !zone.empty()     ? kZonedVersion
                          : !starts.empty() ? kStartingVersion
                          : !known.empty()  ? kKnowingVersion
                                            : kVersion;
  out.fixed(version);
  out.fixed(pipeline.definition.id.value);
  out.text(pipeline.definition.name);
  out.text(pipeline.definition.target);
  out.text(pipeline.definition.sql);
  out.fixed(static_cast<uint8_t>(pipeline.definition.wanted));
  out.varint(pipeline.reads.size());
  for (const std::string& name : pipeline.reads) out.text(name);
  if (version == kVersion) return bytes;
  out.varint(known.size());
  for (const auto& [name, columns] : known) {
    out.text(name);
    out.varint(columns);
  }
  if (version == kKnowingVersion) return bytes;
  out.varint(starts.size());
  for (const auto& [stream, from] : starts) {
    out.fixed(stream.value);
    out.fixed(from.value);
  }
  if (version == kZonedVersion) out.text(zone);
  return bytes;
}

Result<PipelineDocument> decode_pipeline(std::string_view bytes) {
  ByteReader in(bytes);
  const auto version = in.fixed<uint8_t>();
  if (version < kVersion || version > kZonedVersion) return unknown_format("pipeline");
  PipelineDocument pipeline;
  pipeline.definition.id = PipelineId{in.fixed<uint32_t>()};
  pipeline.definition.name = in.text();
  pipeline.definition.target = in.text();
  pipeline.definition.sql = in.text();
  pipeline.definition.wanted = static_cast<PipelineState>(in.fixed<uint8_t>());
  const uint64_t reads = in.varint();
  for (uint64_t at = 0; at < reads && in.ok(); ++at) pipeline.reads.emplace_back(in.text());
  const uint64_t streams = version == kVersion ? 0 : in.varint();
  for (uint64_t at = 0; at < streams && in.ok(); ++at) {
    std::string name(in.text());
    pipeline.definition.known_columns[std::move(name)] = static_cast<uint32_t>(in.varint());
  }
  const uint64_t starts = version < kStartingVersion ? 0 : in.varint();
  for (uint64_t at = 0; at < starts && in.ok(); ++at) {
    const StreamId stream{in.fixed<uint32_t>()};
    pipeline.definition.starts.emplace_back(stream, Offset{in.fixed<int64_t>()});
  }
  if (version == kZonedVersion) pipeline.definition.time_zone = in.text();
  if (!in.finished()) return unknown_format("pipeline");
  return pipeline;
}

std::string encode(const TableDefinition& table) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kVersion);
  out.fixed(table.id.value);
  out.text(table.name);
  write_fields(out, table.schema->fields);
  out.fixed(static_cast<uint8_t>(table.source));
  out.varint(table.key.size());
  for (const size_t column : table.key) out.varint(column);
  write_column(out, table.version_column);
  write_options(out, table.options);
  out.text(table.sql);
  return bytes;
}

Result<TableDefinition> decode_table(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.fixed<uint8_t>() != kVersion) return unknown_format("lookup table");
  TableDefinition table;
  table.id = TableId{in.fixed<uint32_t>()};
  table.name = in.text();
  auto fields = read_fields(in, 0);
  if (!fields) return unknown_format("lookup table");
  table.schema = std::make_shared<const columnar::Schema>(columnar::Schema{std::move(*fields)});
  table.source = static_cast<TableSource>(in.fixed<uint8_t>());
  const uint64_t keys = in.varint();
  for (uint64_t at = 0; at < keys && in.ok(); ++at) table.key.push_back(in.varint());
  table.version_column = read_column(in);
  table.options = read_options(in);
  table.sql = in.text();
  const size_t count = table.schema->fields.size();
  const bool columns = std::ranges::all_of(table.key, [&](size_t column) { return column < count; }) &&
                       (!table.version_column || *table.version_column < count);
  if (!in.finished() || !columns) return unknown_format("lookup table");
  return table;
}

}  // namespace tidegate::catalog
