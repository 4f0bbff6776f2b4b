#include "api/internal/stream_proposal.h"

#include <fmt/format.h>

#include "sql/identifier.h"

namespace tidegate::api {
namespace {

std::string statement_text(const std::string& name, const codec::Proposal& proposal) {
  std::string out = fmt::format("CREATE TABLE {} (\n", sql::quote_identifier(name));
  size_t width = 0;
  for (const auto& column : proposal.columns) width = std::max(width, sql::quote_identifier(column.name).size());
  for (const auto& column : proposal.columns) {
    out += fmt::format("  {:<{}} {}{},\n", sql::quote_identifier(column.name), width, columnar::type_name(column.type),
                       column.nullable ? "" : " NOT NULL");
  }
  const std::string time = sql::quote_identifier(proposal.columns[proposal.time].name);
  out += fmt::format("  WATERMARK FOR {0} AS {0} - {1}\n) WITH (\n", time,
                     sql::interval_text(proposal.watermark_delay_us));
  codec::SourceOptions options = proposal.options;
  if (proposal.device) options["device"] = proposal.columns[*proposal.device].name;
  bool first = true;
  for (const auto& [key, value] : options) {
    out += fmt::format("{}  {} = {}", first ? "" : ",\n", sql::quote_string(key), sql::quote_string(value));
    first = false;
  }
  return out + "\n);\n";
}

Result<catalog::StreamDefinition> planned(const std::string& text, const sql::Names& names) {
  TRY_ASSIGN(const auto statements, sql::split_script(text));
  sql::ScriptSettings settings;
  for (const auto& part : statements) {
    TRY_ASSIGN(auto statement, sql::analyze(part, names, settings));
    if (!statement) continue;
    if (auto* table = std::get_if<sql::CreateTable>(&*statement)) return std::move(table->definition);
  }
  return fail(ErrorCode::BadRequest, "a proposed statement is no CREATE TABLE");
}

}  // namespace

Result<StreamProposal> propose_stream(const std::string& name, std::span<const codec::Sample> samples,
                                      const sql::Names& names, int64_t now_us) {
  StreamProposal out;
  TRY_ASSIGN(out.proposal, codec::propose(samples));
  out.sql = statement_text(name, out.proposal);
  TRY_ASSIGN(const catalog::StreamDefinition stream, planned(out.sql, names));
  auto format = codec::parse_source_format(stream.options, {*stream.schema, stream.device_column, stream.time_column});
  if (!format) return fail(std::move(format.error().error));
  out.preview = codec::preview(*format, stream.schema, stream.device_column, stream.time_column, samples, now_us);
  return out;
}

}  // namespace tidegate::api
