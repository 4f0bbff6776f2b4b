// `tidegate device twin ...` and `tidegate device command ...`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "base/ids.h"
#include "cli/internal/client_command.h"
#include "cli/internal/commands.h"
#include "cli/internal/device_commands.h"
#include "cli/internal/registry_calls.h"
#include "sim/profile.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

struct TwinWords {
  std::string name;
  std::string document;
  std::string payload;
  std::string timeout = "30s";
};

std::string path_of(const TwinWords& words, std::string_view what) {
  return fmt::format("/api/v1/devices/{}/{}", net::percent_encode(words.name), what);
}

Result<> show_twin(const ClientOptions& options, const TwinWords& words) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value twin, connection.call("GET", path_of(words, "twin")));
  if (options.format != OutputFormat::kTable) {
    print(structured_text(options.format, twin));
    return {};
  }
  print(fmt::format("desired   revision {}  {}\nreported  revision {}  {}\ndelta     {}\n",
                    cell_text(member(twin, "desired_revision")), cell_text(member(twin, "desired")),
                    cell_text(member(twin, "reported_revision")), cell_text(member(twin, "reported")),
                    cell_text(member(twin, "delta"))));
  return {};
}

Result<> set_twin(const ClientOptions& options, const TwinWords& words) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value twin, connection.call("PATCH", path_of(words, "twin"), words.document));
  if (options.format != OutputFormat::kTable) {
    print(structured_text(options.format, twin));
  } else {
    print(fmt::format("{} is to be {}, at revision {}\n", printable(words.name), cell_text(member(twin, "desired")),
                      cell_text(member(twin, "desired_revision"))));
  }
  return {};
}

Result<> send_command(const ClientOptions& options, const TwinWords& words) {
  TRY_ASSIGN(const int64_t timeout_us, sim::parse_duration(words.timeout));
  TRY_ASSIGN(Connection connection, Connection::open(options));
  const json::object body{{"payload", words.payload}, {"timeout_ms", timeout_us / kMicrosPerMilli}};
  TRY_ASSIGN(const json::value command, connection.call("POST", path_of(words, "commands"), json::serialize(body)));
  if (options.format != OutputFormat::kTable) {
    print(structured_text(options.format, command));
  } else {
    print(fmt::format("sent command {} to {}; `tidegate device command list {}` shows what becomes of it\n",
                      cell_text(member(command, "id")), printable(words.name), printable(words.name)));
  }
  return {};
}

Result<> list_commands(const ClientOptions& options, const TwinWords& words) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value answer, connection.call("GET", path_of(words, "commands")));
  const json::value& list = member(answer, "commands");
  if (options.format != OutputFormat::kTable) {
    print(structured_text(options.format, list));
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json::value& command : list.get_array()) {
    std::vector<std::string> row;
    for (const char* name : {"id", "status", "payload", "answer", "sender"})
      row.push_back(cell_text(member(command, name)));
    rows.push_back(std::move(row));
  }
  print(render_table({{"command"}, {"status"}, {"payload"}, {"answer"}, {"sent by"}}, rows, "no commands yet"));
  return {};
}

}  // namespace

void add_twin_commands(CLI::App& device, const ClientOptions& client, std::function<Result<int>()>& command) {
  const auto words = std::make_shared<TwinWords>();
  const auto one = [&](CLI::App* group, const char* word, const char* description) {
    CLI::App* made = group->add_subcommand(word, description);
    made->add_option("name", words->name)->required();
    return made;
  };
  CLI::App* twin = device.add_subcommand("twin", "What a device is to be, and what it says it is");
  twin->require_subcommand(1);
  on_use(one(twin, "get", "Both documents and what is still to change"), command,
         [&client, words] { return show_twin(client, *words); });
  CLI::App* set = one(twin, "set", "Change what a device is to be");
  set->add_option("patch", words->document, "JSON merge patch: '{\"interval_s\": 30, \"old\": null}'")->required();
  on_use(set, command, [&client, words] { return set_twin(client, *words); });
  CLI::App* commands = device.add_subcommand("command", "Commands to a device");
  commands->require_subcommand(1);
  CLI::App* send = one(commands, "send", "Send a command; kept until it is answered or its time is over");
  send->add_option("payload", words->payload, "what the device gets")->required();
  send->add_option("--timeout", words->timeout, "30s, 5m; 7d at most")->capture_default_str();
  on_use(send, command, [&client, words] { return send_command(client, *words); });
  on_use(one(commands, "list", "The commands of a device, newest first"), command,
         [&client, words] { return list_commands(client, *words); });
}

}  // namespace tidegate::cli
