// What the command line said, and the groups of commands that fill it in.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "base/error.h"
#include "cli/cli.h"
#include "cli/internal/client_command.h"
#include "cli/internal/commands.h"
#include "cli/internal/propose_command.h"
#include "cli/internal/sim_command.h"
#include "cli/internal/site_commands.h"
#include "cli/internal/stored_query.h"

namespace tidegate::cli {

// Everything the command line can say, and what it asked for.
struct CommandLine {
  ClientOptions client;
  ServeOptions serve;
  SimOptions sim;
  StoredQuery query;
  ProposeOptions propose;
  std::string http = "127.0.0.1:8443";
  std::string mqtt = "127.0.0.1:1883";
  std::string mqtts = "127.0.0.1:8883";
  std::string log_level = "info";
  bool log_json = false;
  const CLI::Option* data_option = nullptr;
  std::string output = "table";
  std::string name;
  std::string user = "admin";
  std::string for_text;
  std::string timeout_text;
  bool live = false;
  bool from_start = false;
  SiteCommand site;
  bool password_stdin = false;
  bool generate = false;
  Command command;
};

// --prune and --from of the commands that compare a site with its files.
void add_site_options(CLI::App& command, CommandLine& line);
// `plan`, and `pipeline plan`.
void add_plan(CLI::App& app, CommandLine& line, bool pipelines_only);

// query_commands.cpp
void add_queries(CLI::App& app, CommandLine& line);

// session_commands.cpp
void add_session(CLI::App& app, CommandLine& line);
void add_secrets(CLI::App& app, CommandLine& line);
void add_contexts(CLI::App& app, CommandLine& line);
// After all others: it offers what they have added.
void add_completion(CLI::App& app, CommandLine& line);

}  // namespace tidegate::cli
