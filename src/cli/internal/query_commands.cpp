// `sql`, `tail` and `explain`.
#include "cli/internal/command_line.h"
#include "cli/internal/commands.h"
#include "sim/profile.h"

namespace tidegate::cli {
namespace {

constexpr const char* kMoments =
    "earliest, latest, a time such as 2026-11-24T10:00:00Z, or how long ago: 30min, 2h, 7d";

Result<int64_t> duration(const std::string& text) {
  if (text.empty()) return 0;
  return sim::parse_duration(text);
}

void add_follow_options(CLI::App& command, CommandLine& line) {
  CLI::Option* from = command.add_option("--from", line.query.from, std::string("begin at ") + kMoments);
  command.add_flag("--from-start", line.from_start, "the same as --live --from earliest")->excludes(from);
  command.add_option("--for", line.for_text, "follow for this time: 10s, 5m");
  command.add_option("--limit", line.query.limit, "end after so many rows");
}

Result<LiveOptions> live_options(const CommandLine& line) {
  LiveOptions live;
  live.from = line.from_start ? "earliest" : line.query.from;
  TRY_ASSIGN(live.for_us, duration(line.for_text));
  live.limit = line.query.limit.value_or(0);
  return live;
}

Result<int> run_sql(CommandLine& line) {
  const bool live = line.live || line.from_start || !line.for_text.empty();
  const bool bounded = !line.query.to.empty() || !line.timeout_text.empty();
  if (!is_query(line.query.sql)) {
    if (live || bounded || line.query.limit || !line.query.from.empty()) {
      return fail(ErrorCode::UsageError, "these options are for a SELECT");
    }
    TRY(run_statements(line.client, line.query.sql));
    return 0;
  }
  if (!live) {
    TRY_ASSIGN(line.query.timeout_us, duration(line.timeout_text));
    return run_stored_query(line.client, line.query);
  }
  if (bounded)
    return fail(ErrorCode::UsageError, "--to and --timeout are for a query over what is stored, not for a live one");
  TRY_ASSIGN(const LiveOptions options, live_options(line));
  TRY(follow_query(line.client, line.query.sql, options));
  return 0;
}

void add_sql(CLI::App& app, CommandLine& line) {
  CLI::App* sql = app.add_subcommand("sql", "Run SQL: a SELECT over what is stored, or with --live over what comes");
  sql->add_option("statement", line.query.sql)->required();
  sql->add_flag("--live", line.live, "show what comes, until Ctrl-C");
  add_follow_options(*sql, line);
  sql->get_option("--from")->description(std::string("records that arrived from then on: ") + kMoments);
  sql->get_option("--for")->description("with --live: for this time: 10s, 5m");
  sql->add_option("--to", line.query.to, "records that arrived before: as --from");
  sql->add_option("--timeout", line.timeout_text, "give up after this time (60s, at most 10m)");
  sql->callback([&line] { line.command = [&line] { return run_sql(line); }; });
}

}  // namespace

void add_queries(CLI::App& app, CommandLine& line) {
  add_sql(app, line);
  CLI::App* tail = app.add_subcommand("tail", "Show the records of a stream as they come");
  tail->add_option("stream", line.name)->required();
  add_follow_options(*tail, line);
  tail->callback([&line] {
    line.command = client_command([&line]() -> Result<> {
      TRY_ASSIGN(const LiveOptions options, live_options(line));
      return tail_stream(line.client, line.name, options);
    });
  });
  CLI::App* explain = app.add_subcommand("explain", "Show how a query would run");
  explain->add_option("query", line.query.sql)->required();
  explain->callback([&line] {
    line.command = client_command([&line] { return run_statements(line.client, "EXPLAIN " + line.query.sql); });
  });
}

}  // namespace tidegate::cli
