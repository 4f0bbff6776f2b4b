#include "cli/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <csignal>

#include "cli/internal/command_line.h"
#include "cli/internal/commands.h"
#include "cli/internal/device_commands.h"
#include "cli/internal/mistyped.h"
#include "cli/internal/sim_command.h"
#include "io/time_zone.h"
#include "sim/profile.h"

namespace tidegate::cli {
namespace {

Result<std::optional<ListenAddress>> address_or_off(const std::string& text) {
  if (text == "off") return std::nullopt;
  TRY_ASSIGN(ListenAddress address, parse_listen_address(text));
  return address;
}

Result<ServeOptions> serve_options(const CommandLine& line) {
  ServeOptions options = line.serve;
  options.data = line.client.data;
  TRY_ASSIGN(options.http, parse_listen_address(line.http));
  TRY_ASSIGN(options.mqtt, address_or_off(line.mqtt));
  TRY_ASSIGN(options.mqtts, address_or_off(line.mqtts));
  if (!options.time_zone.empty() && io::find_time_zone(options.time_zone) == nullptr) {
    return fail(ErrorCode::UsageError, fmt::format("there is no time zone '{}'", options.time_zone),
                "Name it as in the IANA database: --time-zone Europe/Paris");
  }
  options.log_format = line.log_json ? LogFormat::kJson : LogFormat::kText;
  options.log_level = line.log_level == "debug"   ? LogLevel::kDebug
                      : line.log_level == "warn"  ? LogLevel::kWarn
                      : line.log_level == "error" ? LogLevel::kError
                                                  : LogLevel::kInfo;
  return options;
}

void add_serve(CLI::App& app, CommandLine& line, const std::function<int(const ServeOptions&)>& serve) {
  CLI::App* command = app.add_subcommand("serve", "Run the server");
  command->add_option("--http", line.http, "HTTPS address (REST, live queries)")->capture_default_str();
  command->add_option("--mqtt", line.mqtt, "plain MQTT address, loopback only, or off")->capture_default_str();
  command->add_option("--mqtts", line.mqtts, "MQTT over TLS address, or off")->capture_default_str();
  command->add_option("--threads", line.serve.threads, "worker threads of the engine")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command
      ->add_option("--max-connections", line.serve.max_connections,
                   "MQTT connections taken at most; without it: what open files allow, up to 100,000")
      ->check(CLI::Range(1, 1'000'000));
  command
      ->add_option("--pipeline-memory", line.serve.pipeline_memory,
                   "state that one pipeline may have in memory, half of it before windows are moved to the store: 2GB; "
                   "without it: half of the memory")
      ->transform(CLI::AsSizeValue(false));
  command->add_option("--sink-folder", line.serve.sink_folders, "file sinks may write below it too; may be repeated");
  command->add_option("--lookup-folder", line.serve.lookup_folders,
                      "lookup tables may be read from files below it too; may be repeated");
  command->add_option("--time-zone", line.serve.time_zone,
                      "whose days, months and shifts new queries go by; without it: that of the sites, or UTC");
  command->add_flag("--insecure-dev", line.serve.insecure_dev, "no TLS and no authentication, loopback only");
  command
      ->add_option("--allow-target", line.serve.allowed_targets,
                   "a server that webhooks and mail may go to, HOST[:PORT]; may be given again; without it: none")
      ->envname("TIDEGATE_ALLOW_TARGETS")
      ->delimiter(',');
  command->add_flag("--log-json", line.log_json, "log lines as JSON");
  command->add_option("--log-level", line.log_level)
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  command->callback([&line, &serve] {
    line.command = [&line, &serve]() -> Result<int> {
      TRY_ASSIGN(const ServeOptions options, serve_options(line));
      return serve(options);
    };
  });
}

void add_sim(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("sim", "Replay a data file as MQTT devices");
  command->add_option("--profile", line.sim.profile, "JSON file of settings (src/sim/README.md)");
  command->add_option("--set", line.sim.settings, "a setting of the profile: --set devices=100 --set speed=0");
  command->add_option("--mqtt", line.sim.mqtt, "MQTT server host:port; the data folder's server if left out");
  command->add_flag("--plain", line.sim.plain, "no TLS (loopback only)");
  command->add_option("--qos", line.sim.qos, "0, 1 or 2")->check(CLI::Range(0, 2))->capture_default_str();
  command->add_option("--window", line.sim.window, "messages in flight per device")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_option("--tokens", line.sim.tokens, "JSON file device -> token; new devices are added to it");
  command->add_option("--record", line.sim.record, "write what was sent, and whether it was acknowledged, as NDJSON");
  command->add_option("--limit", line.sim.limit, "stop after so many messages");
  command->add_flag("--resume", line.sim.resume, "go on where the last run on this data folder stopped");
  command->add_flag("--quiet", line.sim.quiet, "print nothing but errors");
  command->callback(
      [&line] { line.command = client_command([&line] { return run_simulation(line.client, line.sim); }); });
}

// `tidegate stream list|get|delete`, and the same for pipelines.
CLI::App* add_resource(CLI::App& app, CommandLine& line, const std::string& word, Resource resource) {
  CLI::App* group = app.add_subcommand(word, fmt::format("List, show and delete {}s", word));
  group->require_subcommand(1);
  group->add_subcommand("list", fmt::format("All {}s", word))->callback([&line, resource] {
    line.command = client_command([&line, resource] { return list_resources(line.client, resource); });
  });
  CLI::App* get = group->add_subcommand("get", fmt::format("One {} in full", word));
  get->add_option("name", line.name)->required();
  get->callback([&line, resource] {
    line.command = client_command([&line, resource] { return show_resource(line.client, resource, line.name); });
  });
  CLI::App* remove = group->add_subcommand("delete", fmt::format("Delete a {}", word));
  remove->add_option("name", line.name)->required();
  remove->callback([&line, resource] {
    line.command = client_command([&line, resource] { return delete_resource(line.client, resource, line.name); });
  });
  return group;
}

void add_propose(CLI::App& group, CommandLine& line) {
  CLI::App* command = group.add_subcommand("propose", "Propose a stream from messages that devices have sent");
  ProposeOptions& propose = line.propose;
  command->add_option("-f,--file", propose.files, "a file with one message, or - for standard input; may be repeated");
  command->add_option("--topic", propose.topic,
                      "capture messages on this topic filter; with -f the topic of the files");
  command->add_option("--capture", propose.messages, "so many messages")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--for", line.for_text, "wait so long for them: 30s");
  command->add_option("--name", propose.name, "name of the stream")->capture_default_str();
  command->add_flag("--apply", propose.apply, "create it");
  command->callback([&line] {
    line.command = client_command([&line]() -> Result<> {
      if (!line.for_text.empty()) {
        TRY_ASSIGN(line.propose.wait_us, sim::parse_duration(line.for_text));
      }
      return propose_stream(line.client, line.propose);
    });
  });
}

void add_resources(CLI::App& app, CommandLine& line) {
  add_propose(*add_resource(app, line, "stream", Resource::kStream), line);
  CLI::App* tables = add_resource(app, line, "table", Resource::kTable);
  CLI::App* reload = tables->add_subcommand("reload", "Read a lookup table's file again, now");
  reload->add_option("name", line.name)->required();
  reload->callback(
      [&line] { line.command = client_command([&line] { return reload_table(line.client, line.name); }); });
  CLI::App* pipelines = add_resource(app, line, "pipeline", Resource::kPipeline);
  for (const bool running : {false, true}) {
    CLI::App* command = pipelines->add_subcommand(running ? "start" : "stop", running ? "Run it again" : "Let it rest");
    command->add_option("name", line.name)->required();
    command->callback([&line, running] {
      line.command = client_command([&line, running] { return set_pipeline_running(line.client, line.name, running); });
    });
  }
  CLI::App* restart = pipelines->add_subcommand("restart", "Begin anew from a time; what it has written stays");
  restart->add_option("name", line.name)->required();
  restart
      ->add_option("--from", line.site.from,
                   "earliest, latest, a time such as 2026-11-24T10:00:00Z, or how long ago: 2h")
      ->required();
  restart->add_flag("--dry-run", line.site.dry_run, "only say what that would mean");
  restart->callback([&line] {
    line.command =
        client_command([&line] { return restart_pipeline(line.client, line.name, line.site.from, line.site.dry_run); });
  });
  add_plan(*pipelines, line, true);
}

void add_apply(CLI::App& app, CommandLine& line) {
  CLI::App* apply = app.add_subcommand("apply", "Run a file of SQL statements, or make the site what a folder says");
  apply->add_option("-f,--file", line.site.path, "file, folder, or - for standard input")->required();
  add_site_options(*apply, line);
  apply->callback([&line] {
    line.command = [&line]() -> Result<int> {
      std::error_code ignored;
      if (std::filesystem::is_directory(line.site.path, ignored)) return run_site(line.client, line.site);
      if (line.site.prune || !line.site.from.empty()) {
        return fail(ErrorCode::UsageError, "--prune and --from are for a folder of definitions");
      }
      TRY(apply_file(line.client, line.site.path));
      return 0;
    };
  });
  add_plan(app, line, false);
}

void add_client_options(CLI::App& app, CommandLine& line) {
  line.data_option = app.add_option("--data", line.client.data, "data folder of the server")
                         ->envname("TIDEGATE_DATA")
                         ->capture_default_str();
  app.add_option("--context", line.client.context, "a server by name: tidegate context list")
      ->envname("TIDEGATE_CONTEXT");
  app.add_option("--server", line.client.server, "https://host:port of a server elsewhere")->envname("TIDEGATE_SERVER");
  app.add_option("--token", line.client.token, "API token")->envname("TIDEGATE_TOKEN");
  app.add_option("--ca", line.client.ca_file, "authority that signed the server's certificate (PEM)")
      ->envname("TIDEGATE_CA");
  app.add_option("-o,--output", line.output, "table, json or yaml")
      ->check(CLI::IsMember({"table", "json", "yaml"}))
      ->capture_default_str();
}

int report(const Error& error) {
  if (!error.message.empty()) fmt::print(stderr, "tidegate: {}\n", error.to_string());
  return error.code == ErrorCode::UsageError ? 2 : 1;
}

}  // namespace

void add_site_options(CLI::App& command, CommandLine& line) {
  command.add_flag("--prune", line.site.prune, "delete what no file mentions");
  command.add_option(
      "--from", line.site.from,
      "where a changed pipeline starts anew if it cannot keep its state: earliest, latest, a time such as "
      "2026-11-24T10:00:00Z, how long ago (2h), or current with empty windows; else that is refused");
}

void add_plan(CLI::App& app, CommandLine& line, bool pipelines_only) {
  CLI::App* plan = app.add_subcommand(
      "plan", pipelines_only ? "What applying a file or folder would mean for the state of pipelines"
                             : "What applying a file or folder of definitions would change; exit code 2 if anything");
  plan->add_option("-f,--file", line.site.path, "file or folder")->required();
  add_site_options(*plan, line);
  plan->callback([&line, pipelines_only] {
    line.site.dry_run = true;
    line.site.pipelines_only = pipelines_only;
    line.command = [&line] { return run_site(line.client, line.site); };
  });
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  ListenAddress address;
  const size_t colon = text.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  const auto read = std::from_chars(port.data(), port.data() + port.size(), address.port);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool bare_v6 = !bracketed && host.find(':') != std::string_view::npos;
  if (port.empty() || read.ec != std::errc() || read.ptr != port.data() + port.size() || bare_v6) {
    return fail(ErrorCode::UsageError, fmt::format("'{}' is not an address", text),
                "write host:port, for example 127.0.0.1:8443 or [::1]:8443");
  }
  if (!host.empty()) address.host = host;
  return address;
}

int run_cli(int argc, char** argv, const std::function<int(const ServeOptions&)>& serve) {
  CommandLine line;
  CLI::App app("Tidegate: private real-time analytics for IoT data", "tidegate");
  app.set_version_flag("--version", "tidegate 0.1.0");
  app.require_subcommand(1);
  app.fallthrough();
  add_client_options(app, line);
  add_serve(app, line, serve);
  add_apply(app, line);
  add_queries(app, line);
  add_resources(app, line);
  add_correct_command(app, line.client, line.command);
  add_device_commands(app, line.client, line.command);
  add_gateway_commands(app, line.client, line.command);
  add_quota_commands(app, line.client, line.command);
  add_audit_commands(app, line.client, line.command);
  add_site_commands(app, line.client, line.command);
  add_session(app, line);
  add_secrets(app, line);
  add_contexts(app, line);
  add_completion(app, line);
  add_sim(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (const auto mistyped = error.get_exit_code() == 0 ? std::nullopt : mistyped_command(app)) {
      fmt::print(stderr, "tidegate: {}\nRun with --help for more information.\n", *mistyped);
      return 2;
    }
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  std::signal(SIGPIPE, SIG_IGN);  // a peer that goes while we write is an error to report, not the end of the process
  line.client.format = line.output == "json"   ? OutputFormat::kJson
                       : line.output == "yaml" ? OutputFormat::kYaml
                                               : OutputFormat::kTable;
  line.client.data_given = line.data_option->count() > 0;
  const Result<int> outcome = line.command();
  return outcome ? *outcome : report(outcome.error());
}

}  // namespace tidegate::cli
