#include "sql/internal/table_options.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "catalog/remote_connectors.h"
#include "codec/presets.h"
#include "codec/source_format.h"
#include "io/time_zone.h"
#include "sql/internal/bind_query.h"
#include "sql/internal/computed_columns.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using catalog::StreamDefinition;

namespace {

std::unexpected<Error> bad_value(const OptionDefinition& option, std::string_view wanted) {
  return fail_at(ErrorCode::SqlInvalidOption, option.value_position,
                 fmt::format("'{}' cannot be '{}'", option.key, option.value), fmt::format("It takes {}", wanted));
}

std::vector<std::string> column_names(const StreamDefinition& stream) {
  std::vector<std::string> names;
  for (const columnar::Field& field : stream.schema->fields) names.push_back(field.name);
  return names;
}

std::optional<size_t> find(const StreamDefinition& stream, std::string_view name) {
  if (const auto exact = stream.schema->index_of(name)) return exact;
  for (size_t at = 0; at < stream.schema->fields.size(); ++at) {
    if (equal_ignoring_case(stream.schema->fields[at].name, name)) return at;
  }
  return std::nullopt;
}

Result<> set_device(StreamDefinition& stream, const OptionDefinition& option) {
  const auto column = find(stream, option.value);
  if (!column) {
    return fail_at(ErrorCode::SqlUnknownColumn, option.value_position,
                   fmt::format("unknown column '{}' for 'device'", option.value),
                   did_you_mean(option.value, column_names(stream)));
  }
  if (stream.schema->fields[*column].type != columnar::TypeKind::kString) {
    return fail_at(ErrorCode::SqlTypeMismatch, option.value_position,
                   fmt::format("the device column '{}' must be STRING", option.value));
  }
  stream.device_column = column;
  return {};
}

Result<> set_connector(StreamDefinition& stream, const OptionDefinition& option) {
  if (option.value == "stream") {
    stream.connector = catalog::Connector::kStream;
  } else if (option.value == "mqtt") {
    stream.connector = catalog::Connector::kMqtt;
  } else if (option.value == "file") {
    stream.connector = catalog::Connector::kFile;
  } else if (option.value == "webhook") {
    stream.connector = catalog::kWebhookConnector;
  } else if (option.value == "email") {
    stream.connector = catalog::kEmailConnector;
  } else {
    return bad_value(option, "'stream', 'mqtt', 'file', 'webhook', 'email', or 'filesystem' for a lookup table");
  }
  return {};
}

Result<> set_topic(StreamDefinition& stream, const OptionDefinition& option) {
  constexpr size_t kMaxTopicBytes = 65'535;  // MQTT 5, section 1.5.4
  if (option.value.empty() || option.value.size() > kMaxTopicBytes) return bad_value(option, "an MQTT topic");
  std::string_view rest = option.value;
  while (true) {
    const size_t end = rest.find('/');
    const std::string_view level = rest.substr(0, end);
    const bool last = end == std::string_view::npos;
    const bool bad_hash = level.find('#') != std::string_view::npos && (level != "#" || !last);
    const bool bad_plus = level.find('+') != std::string_view::npos && level != "+";
    if (bad_hash || bad_plus) return bad_value(option, "a topic filter; + and # stand for whole levels, # last");
    if (last) break;
    rest.remove_prefix(end + 1);
  }
  stream.mqtt_topic = option.value;
  return {};
}

Result<> set_scope(StreamDefinition& stream, const OptionDefinition& option) {
  if (option.value == "device") {
    stream.watermark_scope = catalog::WatermarkScope::kDevice;
  } else if (option.value == "partition") {
    stream.watermark_scope = catalog::WatermarkScope::kPartition;
  } else {
    return bad_value(option, "'device' or 'partition'");
  }
  return {};
}

Result<> set_duration(StreamDefinition& stream, const OptionDefinition& option) {
  const auto duration = parse_duration(option.value);
  if (!duration || *duration == 0) return bad_value(option, "a duration such as '5 min', '24 h', '500 ms' or '7 d'");
  if (option.key == "max_skew") stream.max_skew_us = *duration;
  if (option.key == "idle_timeout") stream.idle_timeout_us = *duration;
  if (option.key == "close_after") stream.close_after_us = *duration;
  return {};
}

Result<> set_zone(StreamDefinition& /*stream*/, const OptionDefinition& option) {
  if (io::find_time_zone(option.value) == nullptr) return bad_value(option, "an IANA time zone such as 'Europe/Paris'");
  return {};
}

Result<> take_as_is(StreamDefinition& /*stream*/, const OptionDefinition& option) {
  if (option.value.empty()) return bad_value(option, "a text");
  return {};
}

struct KnownOption {
  std::string_view key;
  Result<> (*set)(StreamDefinition&, const OptionDefinition&);
};
constexpr std::array kOptions = {KnownOption{"device", set_device},        KnownOption{"connector", set_connector},
                                 KnownOption{"topic", set_topic},          KnownOption{"mqtt.topic", set_topic},
                                 KnownOption{"path", take_as_is},          KnownOption{"watermark.scope", set_scope},
                                 KnownOption{"max_skew", set_duration},    KnownOption{"idle_timeout", set_duration},
                                 KnownOption{"close_after", set_duration}, KnownOption{"retention", set_duration},
                                 KnownOption{"state.ttl", set_duration},   KnownOption{"time_zone", set_zone},
                                 KnownOption{"description", take_as_is}};

Result<> set_twice(const OptionDefinition& option) {
  return fail_at(ErrorCode::SqlInvalidOption, option.key_position, fmt::format("'{}' is set twice", option.key));
}

// What it means is found out when all options are there.
Result<> keep_source_option(StreamDefinition& stream, const OptionDefinition& option) {
  return stream.options.emplace(option.key, option.value).second ? Result<>() : set_twice(option);
}

// Of webhooks and mail; sinks/ reads them.
constexpr std::array kSinkOptions = {KnownOption{"url", take_as_is},           KnownOption{"secret", take_as_is},
                                     KnownOption{"bearer.secret", take_as_is}, KnownOption{"batch.rows", take_as_is},
                                     KnownOption{"max_attempts", take_as_is},  KnownOption{"timeout", set_duration},
                                     KnownOption{"ca.file", take_as_is},       KnownOption{"user", take_as_is},
                                     KnownOption{"from", take_as_is},          KnownOption{"to", take_as_is},
                                     KnownOption{"subject", take_as_is},       KnownOption{"body", take_as_is},
                                     KnownOption{"digest", set_duration},      KnownOption{"max_per_hour", take_as_is}};

const KnownOption* find_option(std::string_view key) {
  for (const KnownOption& known : kOptions) {
    if (known.key == key) return &known;
  }
  for (const KnownOption& known : kSinkOptions) {
    if (known.key == key) return &known;
  }
  return nullptr;
}

Result<> set_option(StreamDefinition& stream, const OptionDefinition& option) {
  if (const KnownOption* known = find_option(option.key)) {
    if (!stream.options.emplace(option.key, option.value).second) return set_twice(option);
    return known->set(stream, option);
  }
  if (codec::is_source_option(option.key)) return keep_source_option(stream, option);
  std::vector<std::string> keys = codec::source_option_names();
  for (const KnownOption& known : kOptions) keys.emplace_back(known.key);
  for (const KnownOption& known : kSinkOptions) keys.emplace_back(known.key);
  std::string hint = did_you_mean(option.key, keys);
  if (hint.empty()) hint = fmt::format("Options are {}", fmt::join(keys, ", "));
  return fail_at(ErrorCode::SqlInvalidOption, option.key_position, fmt::format("unknown option '{}'", option.key),
                 std::move(hint));
}

std::unexpected<Error> refuse(codec::BadOption bad, const CreateTableAst& table) {
  for (const OptionDefinition& option : table.options) {
    if (option.key == bad.key) bad.error.position = option.value_position;
  }
  return fail(std::move(bad.error));
}

// The column of the event time, if it is a computed one.
const ColumnDefinition* event_time_of(const CreateTableAst& table) {
  for (const ColumnDefinition& column : table.columns) {
    const bool is_time = table.watermark && equal_ignoring_case(column.name.text, table.watermark->column.text);
    if (is_time && column.computed) return &column;
  }
  return nullptr;
}

// The columns that are stored: those that records bring, and a computed event time.
Result<columnar::SchemaPtr> stored_columns(const CreateTableAst& table) {
  auto schema = std::make_shared<columnar::Schema>();
  for (const ColumnDefinition& column : table.columns) {
    if (!column.computed) schema->fields.push_back({column.name.text, column.type, column.nullable});
  }
  if (schema->fields.empty()) {
    return fail_at(ErrorCode::SqlSyntax, table.name.position, "a stream needs a column that is not computed");
  }
  const ColumnDefinition* time = event_time_of(table);
  if (time == nullptr) return schema;
  size_t nodes = 0;
  TRY_ASSIGN(const Expression expression, bind_computed(*time, *schema, table.name.text, nodes));
  const auto before = std::count_if(table.columns.data(), time, [](const auto& column) { return !column.computed; });
  schema->fields.insert(schema->fields.begin() + before, {time->name.text, expression.type, true});
  return schema;
}

// The options about payloads, each by itself and together.
Result<> check_source(StreamDefinition& stream, const CreateTableAst& table) {
  const codec::SourceColumns columns{*stream.schema, stream.device_column, stream.time_column,
                                     event_time_of(table) != nullptr};
  auto preset = codec::expand_preset(stream.options, columns);
  if (!preset) return refuse(std::move(preset.error()), table);
  if (const auto topic = preset->find("mqtt.topic"); topic != preset->end()) stream.mqtt_topic = topic->second;
  stream.options.merge(std::move(*preset));
  auto format = codec::parse_source_format(stream.options, columns);
  if (format) {
    if (stream.connector == catalog::Connector::kStream && !stream.mqtt_topic.empty()) {
      stream.mqtt_topic = codec::TopicPattern::parse(stream.mqtt_topic)->filter();
    }
    return {};
  }
  return refuse(std::move(format.error()), table);
}

Result<> check_together(const StreamDefinition& stream, TextPosition position) {
  if (stream.connector == catalog::Connector::kMqtt && stream.mqtt_topic.empty()) {
    return fail_at(ErrorCode::SqlInvalidOption, position, "'connector' = 'mqtt' needs a topic",
                   "Add 'topic' = 'alerts/overload'");
  }
  if (stream.connector == catalog::Connector::kMqtt && stream.mqtt_topic.find_first_of("+#") != std::string::npos) {
    return fail_at(ErrorCode::SqlInvalidOption, position, "a topic to publish to cannot contain + or #");
  }
  const auto format = stream.options.find("format");
  if (stream.connector != catalog::Connector::kStream && format != stream.options.end() && format->second != "json") {
    return fail_at(ErrorCode::SqlInvalidOption, position, "records are delivered as 'format' = 'json' only");
  }
  if (stream.connector == catalog::Connector::kFile && !stream.options.contains("path")) {
    return fail_at(ErrorCode::SqlInvalidOption, position, "'connector' = 'file' needs a path",
                   "Add 'path' = 'alerts.ndjson'");
  }
  if (stream.connector == catalog::kWebhookConnector && !stream.options.contains("url")) {
    return fail_at(ErrorCode::SqlInvalidOption, position, "'connector' = 'webhook' needs an address",
                   "Add 'url' = 'https://hooks.example.org/alarms'");
  }
  return {};
}

Result<> check_names(const std::vector<ColumnDefinition>& columns) {
  for (size_t at = 0; at < columns.size(); ++at) {
    for (size_t before = 0; before < at; ++before) {
      if (!equal_ignoring_case(columns[before].name.text, columns[at].name.text)) continue;
      return fail_at(ErrorCode::SqlAmbiguousColumn, columns[at].name.position,
                     fmt::format("column '{}' is there already", columns[at].name.text));
    }
  }
  return {};
}

Result<> set_watermark(StreamDefinition& stream, const CreateTableAst& table) {
  const WatermarkDefinition& watermark = *table.watermark;
  const Name& name = watermark.column;
  const auto column = find(stream, name.text);
  if (!column) {
    return fail_at(ErrorCode::SqlUnknownColumn, name.position, fmt::format("unknown column '{}'", name.text),
                   did_you_mean(name.text, column_names(stream)));
  }
  const columnar::Type type = stream.schema->fields[*column].type;
  if (!columnar::is_timestamp(type)) {
    return fail_at(ErrorCode::SqlTypeMismatch, name.position,
                   fmt::format("the time column '{}' is {}", name.text, columnar::type_name(type)),
                   columnar::is_integer(type)
                       ? "It must be TIMESTAMP(3) or TIMESTAMP_LTZ(3): add a column such as event_time AS "
                         "TO_TIMESTAMP_LTZ(milliseconds, 3)"
                       : "It must be TIMESTAMP(3) or TIMESTAMP_LTZ(3)");
  }
  stream.time_column = column;
  stream.watermark_delay_us = watermark.delay_us;
  return {};
}

}  // namespace

Result<StreamDefinition> define_stream(const CreateTableAst& table, std::string sql) {
  StreamDefinition stream;
  stream.name = table.name.text;
  stream.sql = std::move(sql);
  if (table.key) {
    return fail_at(ErrorCode::SqlUnsupported, table.key->position, "PRIMARY KEY is not supported",
                   "Every stream is append-only in this version; leave the key out. A lookup table has 'connector' = "
                   "'filesystem'");
  }
  if (table.columns.empty()) return fail_at(ErrorCode::SqlSyntax, table.name.position, "a stream needs a column");
  if (table.columns.size() > kMaxColumns) {
    return fail_at(ErrorCode::SqlTooComplex, table.name.position, fmt::format("more than {} columns", kMaxColumns));
  }
  TRY(check_names(table.columns));
  TRY_ASSIGN(stream.schema, stored_columns(table));
  if (table.watermark) TRY(set_watermark(stream, table));
  for (const OptionDefinition& option : table.options) TRY(set_option(stream, option));
  TRY(check_together(stream, table.name.position));
  TRY(check_source(stream, table));
  return stream;
}

}  // namespace tidegate::sql
