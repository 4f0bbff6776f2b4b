// `tidegate gateway ...`.
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

struct GatewayWords {
  std::string name;
  std::vector<std::string> devices;
};

std::string path_of(const GatewayWords& words) {
  return fmt::format("/api/v1/gateways/{}", net::percent_encode(words.name));
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

Result<> call_and_say(const ClientOptions& options, std::string_view method, const std::string& path,
                      const json::object& body, const std::string& text) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value answer,
             connection.call(method, path, body.empty() ? std::string() : json::serialize(body)));
  if (options.format != OutputFormat::kTable) {
    if (!answer.is_null()) print(structured_text(options.format, answer));
    return {};
  }
  print(text);
  if (const json::value& token = member(answer, "token"); token.is_string()) {
    print(fmt::format(
        "token  {}\n\nIt is shown only now. MQTT: the gateway's name as user name, the token as password.\n",
        cell_text(token)));
  }
  return {};
}

std::string devices_text(const json::value& gateway) {
  std::string out;
  const json::value& devices = member(gateway, "devices");
  if (!devices.is_array()) return out;
  for (const json::value& one : devices.get_array()) out += (out.empty() ? "" : ", ") + cell_text(one);
  return out;
}

Result<> list_gateways(const ClientOptions& options) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value answer, connection.call("GET", "/api/v1/gateways"));
  const json::value& list = member(answer, "gateways");
  if (options.format != OutputFormat::kTable) {
    print(structured_text(options.format, list));
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json::value& gateway : list.get_array()) {
    rows.push_back({cell_text(member(gateway, "name")), devices_text(gateway)});
  }
  print(render_table({{"gateway"}, {"sends for"}}, rows, "no gateways yet"));
  return {};
}

Result<> show_gateway(const ClientOptions& options, const GatewayWords& words) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value answer, connection.call("GET", path_of(words)));
  print(options.format != OutputFormat::kTable ? structured_text(options.format, answer) : object_lines(answer));
  return {};
}

}  // namespace

void add_gateway_commands(CLI::App& app, const ClientOptions& client, std::function<Result<int>()>& command) {
  const auto words = std::make_shared<GatewayWords>();
  CLI::App* group = app.add_subcommand("gateway", "Gateways: who sends for other devices");
  group->require_subcommand(1);
  on_use(group->add_subcommand("list", "All gateways"), command, [&client] { return list_gateways(client); });
  const auto one = [&](const char* word, const char* description) {
    CLI::App* made = group->add_subcommand(word, description);
    made->add_option("name", words->name)->required();
    return made;
  };
  on_use(one("get", "One gateway in full"), command, [&client, words] { return show_gateway(client, *words); });
  CLI::App* add = one("add", "Register a gateway; prints its token once");
  CLI::App* set = one("set", "Say anew which devices a gateway sends for");
  for (CLI::App* word : {add, set}) {
    word->add_option("--devices", words->devices, "a name or pattern ('pump-*'); several with commas, or repeated")
        ->required()
        ->delimiter(',')
        ->allow_extra_args(false);
  }
  on_use(add, command, [&client, words] {
    return call_and_say(client, "POST", "/api/v1/gateways",
                        {{"name", words->name}, {"devices", array_of(words->devices)}},
                        fmt::format("added gateway {}\n", printable(words->name)));
  });
  on_use(set, command, [&client, words] {
    return call_and_say(client, "PATCH", path_of(*words), {{"devices", array_of(words->devices)}},
                        fmt::format("changed gateway {}\n", printable(words->name)));
  });
  on_use(one("token", "Give a gateway a new token; the old one ends"), command,
         [&client, words] { return call_and_say(client, "POST", path_of(*words) + "/token", {}, ""); });
  on_use(one("delete", "Delete a gateway; what it sends is taken no more"), command, [&client, words] {
    return call_and_say(client, "DELETE", path_of(*words), {},
                        fmt::format("deleted gateway {}\n", printable(words->name)));
  });
}

}  // namespace tidegate::cli
