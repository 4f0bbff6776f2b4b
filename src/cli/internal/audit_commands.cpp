// `tidegate audit ...`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "cli/internal/client_command.h"
#include "cli/internal/commands.h"
#include "cli/internal/device_commands.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

Result<> list_events(const ClientOptions& options, int limit) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value answer, connection.call("GET", fmt::format("/api/v1/audit?limit={}", limit)));
  const json::value& list = member(answer, "events");
  if (options.format != OutputFormat::kTable) {
    print(structured_text(options.format, list));
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json::value& event : list.get_array()) {
    const bool allowed = member(event, "allowed") == json::value(true);
    rows.push_back({cell_text(member(event, "time")), cell_text(member(event, "who")), cell_text(member(event, "what")),
                    cell_text(member(event, "target")), allowed ? "done" : "refused",
                    cell_text(member(event, "detail"))});
  }
  print(render_table({{"time"}, {"who"}, {"what"}, {"of"}, {"outcome"}, {"detail"}}, rows, "no events yet"));
  return {};
}

Result<> verify(const ClientOptions& options) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value answer, connection.call("GET", "/api/v1/audit/verification"));
  if (options.format != OutputFormat::kTable) {
    print(structured_text(options.format, answer));
    return {};
  }
  print(fmt::format("{} events, none of them changed, moved or taken out\n", cell_text(member(answer, "events"))));
  return {};
}

}  // namespace

void add_audit_commands(CLI::App& app, const ClientOptions& client, std::function<Result<int>()>& command) {
  const auto limit = std::make_shared<int>(50);
  CLI::App* group = app.add_subcommand("audit", "Who did what: changes, sessions and what was refused");
  group->require_subcommand(1);
  CLI::App* list = group->add_subcommand("list", "The newest events, newest first");
  list->add_option("--limit", *limit, "so many")->check(CLI::Range(1, 1000))->capture_default_str();
  on_use(list, command, [&client, limit] { return list_events(client, *limit); });
  on_use(group->add_subcommand("verify", "Read the whole audit log and check its seals and their chain"), command,
         [&client] { return verify(client); });
}

}  // namespace tidegate::cli
