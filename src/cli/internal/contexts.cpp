#include "cli/internal/contexts.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iostream>

#include "io/file.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::unexpected<Error> no_context(std::string_view name) {
  return fail(ErrorCode::NotFound, fmt::format("there is no context '{}'", printable(name)),
              "`tidegate context list` shows what there is");
}

bool is_name(std::string_view name) {
  constexpr size_t kMaxName = 64;
  return !name.empty() && name.size() <= kMaxName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

void say(const ClientOptions& options, const std::string& line) {
  if (options.format == OutputFormat::kTable) print(line);
}

}  // namespace

std::filesystem::path contexts_file() { return session_file().parent_path() / "contexts.json"; }

Result<Contexts> load_contexts(const std::filesystem::path& file) {
  Contexts contexts;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return contexts;
  TRY_ASSIGN(const std::string text, io::read_file(file));
  json::error_code error;
  const json::value parsed = json::parse(text, error);
  const json::value* all = !error && parsed.is_object() ? parsed.get_object().if_contains("contexts") : nullptr;
  if (all == nullptr || !all->is_object()) {
    return fail(ErrorCode::ConfigInvalid, fmt::format("{} holds no contexts", file.string()), "delete the file");
  }
  contexts.current = text_of(parsed.get_object(), "current");
  for (const auto& [name, one] : all->get_object()) {
    if (!one.is_object()) continue;
    const json::object& entry = one.get_object();
    contexts.by_name[std::string(name)] = {text_of(entry, "server"), text_of(entry, "token"), text_of(entry, "ca")};
  }
  if (!contexts.by_name.contains(contexts.current)) contexts.current.clear();
  return contexts;
}

Result<> save_contexts(const std::filesystem::path& file, const Contexts& contexts) {
  json::object all;
  for (const auto& [name, one] : contexts.by_name) {
    all[name] = json::object{{"server", one.server}, {"token", one.token}, {"ca", one.ca_pem}};
  }
  TRY(io::create_private_folder(file.parent_path()));
  const json::object object{{"current", contexts.current}, {"contexts", std::move(all)}};
  return io::write_file_atomic(file, json::serialize(object) + "\n", io::FilePrivacy::kOwnerOnly);
}

Result<std::string> chosen_context(const ClientOptions& options, const Contexts& contexts) {
  if (!options.context.empty()) {
    if (!contexts.by_name.contains(options.context)) return no_context(options.context);
    return options.context;
  }
  if (!options.server.empty() || options.data_given) return std::string();
  return contexts.current;
}

Result<> add_context(const ClientOptions& options, const std::string& name, bool token_stdin) {
  if (!is_name(name)) {
    return fail(ErrorCode::UsageError, "a context's name has 1 to 64 letters, digits, '-', '_' or '.'");
  }
  TRY_ASSIGN(Contexts contexts, load_contexts(contexts_file()));
  SavedSession session{.server = options.server, .token = options.token, .ca_pem = {}};
  if (session.server.empty()) {
    // The server of a data folder on this machine.
    TRY_ASSIGN(const Access access, find_access(options, session_file()));
    session = {access.url, session.token.empty() ? access.token : session.token, access.ca_pem};
  }
  if (!options.ca_file.empty()) {
    TRY_ASSIGN(session.ca_pem, io::read_file(options.ca_file));
  }
  if (token_stdin && !std::getline(std::cin, session.token)) {
    return fail(ErrorCode::UsageError, "no token was given");
  }
  TRY(net::HttpClient::create(
      {.base_url = session.server, .ca_pem = session.server.starts_with("http://") ? "" : session.ca_pem}));
  if (contexts.by_name.contains(name)) {
    return fail(ErrorCode::AlreadyExists, fmt::format("the context '{}' exists", name),
                fmt::format("delete it first: tidegate context delete {}", name));
  }
  if (contexts.by_name.empty()) contexts.current = name;
  const std::string server = session.server;
  const bool has_token = !session.token.empty();
  contexts.by_name[name] = std::move(session);
  TRY(save_contexts(contexts_file(), contexts));
  say(options, fmt::format("added context {} for {}{}\n", name, server, contexts.current == name ? ", in use" : ""));
  if (!has_token) say(options, fmt::format("log in with: tidegate login --context {}\n", name));
  return {};
}

Result<> use_context(const ClientOptions& options, const std::string& name) {
  TRY_ASSIGN(Contexts contexts, load_contexts(contexts_file()));
  if (!contexts.by_name.contains(name)) return no_context(name);
  contexts.current = name;
  TRY(save_contexts(contexts_file(), contexts));
  say(options, fmt::format("using context {}\n", name));
  return {};
}

Result<> list_contexts(const ClientOptions& options) {
  TRY_ASSIGN(const Contexts contexts, load_contexts(contexts_file()));
  json::array all;
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, one] : contexts.by_name) {
    const bool current = name == contexts.current;
    all.push_back(
        json::object{{"name", name}, {"server", one.server}, {"current", current}, {"logged_in", !one.token.empty()}});
    rows.push_back({current ? "*" : "", name, printable(one.server), one.token.empty() ? "no" : "yes"});
  }
  if (options.format != OutputFormat::kTable) {
    print(structured_text(options.format, all));
    return {};
  }
  print(render_table({{"", false}, {"context", false}, {"server", false}, {"logged in", false}}, rows,
                     "no contexts yet; tidegate context add NAME --server https://host:8443"));
  return {};
}

Result<> delete_context(const ClientOptions& options, const std::string& name) {
  TRY_ASSIGN(Contexts contexts, load_contexts(contexts_file()));
  if (contexts.by_name.erase(name) == 0) return no_context(name);
  if (contexts.current == name) contexts.current.clear();
  TRY(save_contexts(contexts_file(), contexts));
  say(options, fmt::format("deleted context {}\n", name));
  return {};
}

}  // namespace tidegate::cli
