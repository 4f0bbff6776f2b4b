// Status, sessions, secrets, contexts and the shell's completion on the command line.
#include "cli/internal/command_line.h"
#include "cli/internal/completion.h"
#include "cli/internal/contexts.h"

namespace tidegate::cli {

void add_session(CLI::App& app, CommandLine& line) {
  app.add_subcommand("status", "The server, its streams and its pipelines")->callback([&line] {
    line.command = client_command([&line] { return show_status(line.client); });
  });
  CLI::App* login = app.add_subcommand("login", "Log in to a server; kept for 12 hours");
  CLI::App* passwd = app.add_subcommand("passwd", "Change a password");
  for (CLI::App* command : {login, passwd}) {
    command->add_option("--user", line.user)->capture_default_str();
    command->add_flag("--password-stdin", line.password_stdin, "read passwords from standard input, one a line");
  }
  login->callback([&line] {
    line.command = client_command([&line] { return log_in(line.client, line.user, line.password_stdin); });
  });
  passwd->callback([&line] {
    line.command = client_command([&line] { return change_password(line.client, line.user, line.password_stdin); });
  });
}

void add_secrets(CLI::App& app, CommandLine& line) {
  CLI::App* group = app.add_subcommand("secret", "Keys and passwords that sinks show to servers outside");
  group->require_subcommand(1);
  CLI::App* set = group->add_subcommand("set", "Keep one, asked for on the terminal; it is never shown again");
  set->add_option("name", line.name)->required();
  set->add_flag("--value-stdin", line.password_stdin, "read it from standard input, one line");
  set->add_flag("--generate", line.generate, "make a signing key for a webhook and print it once");
  set->callback([&line] {
    line.command =
        client_command([&line] { return set_secret(line.client, line.name, {line.password_stdin, line.generate}); });
  });
  group->add_subcommand("list", "The names of all secrets")->callback([&line] {
    line.command = client_command([&line] { return list_resources(line.client, Resource::kSecret); });
  });
  CLI::App* remove = group->add_subcommand("delete", "Remove one that no table names");
  remove->add_option("name", line.name)->required();
  remove->callback([&line] {
    line.command = client_command([&line] { return delete_resource(line.client, Resource::kSecret, line.name); });
  });
}

void add_contexts(CLI::App& app, CommandLine& line) {
  CLI::App* group = app.add_subcommand("context", "Servers by name; the one in use is asked by all commands");
  group->require_subcommand(1);
  CLI::App* add = group->add_subcommand("add", "Remember --server (else the data folder's) with its --ca and --token");
  add->add_option("name", line.name)->required();
  add->add_flag("--token-stdin", line.password_stdin, "read the token from standard input, one line");
  add->callback([&line] {
    line.command = client_command([&line] { return add_context(line.client, line.name, line.password_stdin); });
  });
  CLI::App* use = group->add_subcommand("use", "Ask this one from now on");
  use->add_option("name", line.name)->required();
  use->callback([&line] { line.command = client_command([&line] { return use_context(line.client, line.name); }); });
  group->add_subcommand("list", "All contexts")->callback([&line] {
    line.command = client_command([&line] { return list_contexts(line.client); });
  });
  CLI::App* remove = group->add_subcommand("delete", "Forget one, and its session");
  remove->add_option("name", line.name)->required();
  remove->callback(
      [&line] { line.command = client_command([&line] { return delete_context(line.client, line.name); }); });
}

namespace {

void collect_words(const CLI::App& app, const std::vector<std::string>& path, std::vector<CommandWords>& out) {
  CommandWords here{.path = path, .words = {}};
  const auto subcommands = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* one : subcommands) here.words.push_back(one->get_name());
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) here.words.push_back("--" + name);
  }
  out.push_back(std::move(here));
  for (const CLI::App* one : subcommands) {
    auto below = path;
    below.push_back(one->get_name());
    collect_words(*one, below, out);
  }
}

}  // namespace

void add_completion(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("completion", "Print the completion script of a shell");
  command->add_option("shell", line.name, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&app, &line] {
    line.command = client_command([&app, &line]() -> Result<> {
      std::vector<CommandWords> commands;
      collect_words(app, {}, commands);
      TRY_ASSIGN(const std::string script, completion_script(line.name, commands));
      print(script);
      return {};
    });
  });
}

}  // namespace tidegate::cli
