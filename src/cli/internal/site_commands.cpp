#include "cli/internal/site_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "cli/internal/commands.h"
#include "io/file.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

char sign_of(std::string_view action) {
  if (action == "create") return '+';
  if (action == "delete") return '-';
  return '~';
}

// "+ create stream readings", one a line, and how many of each.
std::string changes_text(const json::array& changes, bool dry_run) {
  std::string out;
  std::map<std::string, int> counts;
  for (const json::value& one : changes) {
    const json::object& change = one.get_object();
    const std::string action = text_of(change, "action");
    ++counts[action];
    if (action == "unchanged") continue;
    const std::string note = text_of(change, "note");
    out += fmt::format("{} {} {} {}{}{}\n", sign_of(action), action, text_of(change, "kind"),
                       printable(text_of(change, "name")), note.empty() ? "" : ": ", printable(note));
  }
  if (out.empty()) return fmt::format("no changes; {} as they are\n", counts["unchanged"]);
  return out + fmt::format(fmt::runtime(dry_run ? "{} to create, {} to change, {} to delete; {} unchanged\n"
                                                : "{} created, {} changed, {} deleted; {} unchanged\n"),
                           counts["create"], counts["change"], counts["delete"], counts["unchanged"]);
}

json::array shown_changes(const json::value& answer, bool pipelines_only) {
  json::array out;
  const json::value* changes = answer.is_object() ? answer.get_object().if_contains("changes") : nullptr;
  if (changes == nullptr || !changes->is_array()) return out;
  for (const json::value& one : changes->get_array()) {
    if (!one.is_object()) continue;
    if (!pipelines_only || text_of(one.get_object(), "kind") == "pipeline") out.push_back(one);
  }
  return out;
}

std::string request_body(const std::vector<SiteText>& files, const SiteCommand& command) {
  json::array list;
  for (const SiteText& file : files) list.push_back(json::object{{"name", file.name}, {"sql", file.sql}});
  json::object body{{"files", std::move(list)}, {"prune", command.prune}, {"dry_run", command.dry_run}};
  if (!command.from.empty()) body["from"] = command.from;
  return json::serialize(body);
}

// With the line of the file and a caret, as for a script.
Result<int> tell_error(const net::HttpReply& reply, const json::value& answer, const std::vector<SiteText>& files) {
  Error error = error_of(reply);
  const std::string name = answer.is_object() ? text_of(answer.get_object(), "file") : "";
  for (const SiteText& file : files) {
    if (file.name != name || !error.position) continue;
    fmt::print(stderr, "{}:\n{}\n", file.name, error.to_string_with_source(file.sql));
    return already_told();
  }
  return fail(std::move(error));
}

}  // namespace

Result<std::vector<SiteText>> read_site(const std::filesystem::path& path) {
  std::vector<SiteText> out;
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    TRY_ASSIGN(std::string text, io::read_file(path));
    out.push_back({path.string(), std::move(text)});
    return out;
  }
  std::vector<std::filesystem::path> files;
  for (auto at = std::filesystem::recursive_directory_iterator(path, error);
       !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
    if (at->path().filename().string().starts_with('.')) {
      if (at->is_directory()) at.disable_recursion_pending();
      continue;
    }
    if (at->is_regular_file() && at->path().extension() == ".sql") files.push_back(at->path());
  }
  if (error) {
    return fail(ErrorCode::ConfigInvalid, fmt::format("{} cannot be read: {}", path.string(), error.message()));
  }
  if (files.empty()) {
    return fail(ErrorCode::ConfigInvalid, fmt::format("there are no .sql files in {}", path.string()),
                "an empty folder is no site; name the right one with -f");
  }
  std::ranges::sort(files);
  for (const auto& file : files) {
    TRY_ASSIGN(std::string text, io::read_file(file));
    out.push_back({file.lexically_relative(path).string(), std::move(text)});
  }
  return out;
}

Result<int> run_site(const ClientOptions& options, const SiteCommand& command) {
  TRY_ASSIGN(const std::vector<SiteText> files, read_site(command.path));
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const net::HttpReply reply, connection.raw("POST", "/api/v1/definitions", request_body(files, command)));
  json::error_code bad;
  const json::value answer = json::parse(reply.body, bad);
  const json::array changes = bad ? json::array() : shown_changes(answer, command.pipelines_only);
  if (options.format != OutputFormat::kTable) {
    print(structured_text(options.format, changes));
  } else if (reply.ok() || !changes.empty()) {
    print(changes_text(changes, command.dry_run));
  }
  if (!reply.ok()) return tell_error(reply, answer, files);
  const bool change = std::ranges::any_of(
      changes, [](const json::value& one) { return text_of(one.get_object(), "action") != "unchanged"; });
  constexpr int kWouldChange = 2;
  return change && command.dry_run ? kWouldChange : 0;
}

}  // namespace tidegate::cli
