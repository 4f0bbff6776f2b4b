#include "cli/internal/commands.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <iterator>
#include <vector>

namespace tidegate::cli {
namespace {

namespace json = boost::json;

struct ListedColumn {
  std::string_view member;
  std::string_view title;
  bool right = false;
};

struct ResourceText {
  std::string_view word;
  std::string_view path;
  std::vector<ListedColumn> columns;
};

const ResourceText& sinks_text() {
  static const ResourceText kSinks{"sink",
                                   "sinks",
                                   {{"stream", "sink"},
                                    {"connector", "kind"},
                                    {"state", "state"},
                                    {"backlog_rows", "behind", true},
                                    {"delivered", "delivered", true},
                                    {"retries", "retries", true},
                                    {"dead_letters", "dead letters", true},
                                    {"last_error", "last error"}}};
  return kSinks;
}

const ResourceText& tables_text() {
  static const ResourceText kTables{"table",
                                    "tables",
                                    {{"name", "table"},
                                     {"source", "from"},
                                     {"version", "version", true},
                                     {"rows", "rows", true},
                                     {"loaded", "loaded"},
                                     {"last_error", "last error"}}};
  return kTables;
}

const ResourceText& text_of(Resource resource) {
  static const ResourceText kStreams{"stream",
                                     "streams",
                                     {{"name", "stream"},
                                      {"connector", "kind"},
                                      {"begin_offset", "first", true},
                                      {"end_offset", "end", true},
                                      {"ingested_rows", "ingested", true},
                                      {"dead_letters", "dead letters", true}}};
  static const ResourceText kPipelines{"pipeline",
                                       "pipelines",
                                       {{"name", "pipeline"},
                                        {"state", "state"},
                                        {"target", "writes"},
                                        {"rows_in", "rows in", true},
                                        {"rows_out", "rows out", true},
                                        {"late", "late", true},
                                        {"lag_rows", "lag", true},
                                        {"waits", "waits for"},
                                        {"error", "error"}}};
  static const ResourceText kDevices{"device", "devices", {}};
  static const ResourceText kSecrets{
      "secret", "secrets", {{"name", "secret"}, {"changed", "changed"}, {"used_by", "used by"}}};
  switch (resource) {
    case Resource::kStream: return kStreams;
    case Resource::kTable: return tables_text();
    case Resource::kPipeline: return kPipelines;
    case Resource::kSecret: return kSecrets;
    case Resource::kDevice: break;
  }
  return kDevices;
}

std::string path_of(Resource resource, std::string_view name) {
  return fmt::format("/api/v1/{}/{}", text_of(resource).path, net::percent_encode(name));
}

// What a pipeline waits for comes as a list of texts.
std::string list_cell(const json::value& item, std::string_view name) {
  const json::value& found = member(item, name);
  if (name != "waits") return cell_text(found);
  std::string text;
  if (found.is_array()) {
    for (const json::value& wait : found.get_array()) {
      text += (text.empty() ? "" : "; ") + cell_text(member(wait, "text"));
    }
  }
  return text.empty() ? "-" : text;
}

std::string list_table(const ResourceText& text, const json::value& list) {
  std::vector<OutputColumn> columns;
  for (const ListedColumn& column : text.columns) columns.push_back({std::string(column.title), column.right});
  std::vector<std::vector<std::string>> rows;
  if (list.is_array()) {
    for (const json::value& item : list.get_array()) {
      std::vector<std::string> row;
      for (const ListedColumn& column : text.columns) row.push_back(list_cell(item, column.member));
      rows.push_back(std::move(row));
    }
  }
  return render_table(std::move(columns), rows, fmt::format("no {} yet", text.path));
}

void print_structured(const ClientOptions& options, const json::value& value) {
  print(structured_text(options.format, value));
}

void print_done(const ClientOptions& options, std::string_view action, std::string_view word, std::string_view name) {
  if (options.format != OutputFormat::kTable) return;
  print(fmt::format("{} {} {}\n", action, word, printable(name)));
}

// What a stream says about a column's values: ", Cel (degree Celsius), -40..85, steps of 0.1".
std::string value_words(const json::value& values, const json::value& column) {
  std::string words;
  if (!values.is_array()) return words;
  const auto text = [](const json::value& of, std::string_view name) {
    const json::value& found = member(of, name);
    return found.is_string() ? cell_text(found) : std::string();
  };
  for (const json::value& one : values.get_array()) {
    if (member(one, "column") != column) continue;
    if (const std::string unit = text(one, "unit"); !unit.empty()) {
      words += fmt::format(", {} ({})", unit, text(one, "unit_name"));
    }
    const std::string least = text(one, "least");
    const std::string greatest = text(one, "greatest");
    if (!least.empty() || !greatest.empty()) words += fmt::format(", {}..{}", least, greatest);
    if (const std::string step = text(one, "resolution"); !step.empty()) words += fmt::format(", steps of {}", step);
  }
  return words;
}

}  // namespace

const json::value& member(const json::value& object, std::string_view name) {
  static const json::value kNull;
  if (!object.is_object()) return kNull;
  const json::value* found = object.get_object().if_contains({name.data(), name.size()});
  return found == nullptr ? kNull : *found;
}

std::string object_lines(const json::value& object) {
  if (!object.is_object()) return json_text(object) + "\n";
  std::vector<OutputColumn> columns{{"", false}, {"", false}};
  std::string out;
  std::string below;
  for (const auto& [name, value] : object.get_object()) columns[0].width = std::max(columns[0].width, name.size());
  for (const auto& [name, value] : object.get_object()) {
    if (name == "schema") {
      below += "columns\n";
      for (const json::value& column : member(value, "columns").get_array()) {
        below += fmt::format("  {}  {}{}{}\n", cell_text(member(column, "name")), cell_text(member(column, "type")),
                             member(column, "nullable") == json::value(false) ? " NOT NULL" : "",
                             value_words(member(object, "values"), member(column, "name")));
      }
    } else if (name == "values") {
      continue;  // beside the columns
    } else if (name == "sql") {
      below += fmt::format("{}\n", std::string_view(value.is_string() ? value.get_string() : json::string()));
    } else if (name == "operators" && value.is_array()) {
      const ResourceText operators{"operator",
                                   "operators",
                                   {{"id", "operator"},
                                    {"kind", "kind"},
                                    {"rows_in", "rows in", true},
                                    {"rows_out", "rows out", true},
                                    {"late", "late", true},
                                    {"errors", "not computed", true},
                                    {"memory_bytes", "memory", true}}};
      below += list_table(operators, value);
    } else if (name == "waits" && value.is_array()) {
      columns[1].width = 0;
      out += table_line(columns, {"waits for", list_cell(object, name)});
    } else if ((name == "sinks" || name == "tables") && value.is_array()) {
      continue;  // a table of their own, in show_status
    } else {
      columns[1].width = 0;
      out += table_line(columns, {std::string(name), cell_text(value)});
    }
  }
  return out + (below.empty() ? "" : "\n" + below);
}

Result<> list_resources(const ClientOptions& options, Resource resource) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  const ResourceText& text = text_of(resource);
  TRY_ASSIGN(const json::value answer, connection.call("GET", fmt::format("/api/v1/{}", text.path)));
  const json::value& list = member(answer, text.path);
  if (options.format != OutputFormat::kTable) {
    print_structured(options, list);
  } else {
    print(list_table(text, list));
  }
  return {};
}

Result<> show_resource(const ClientOptions& options, Resource resource, const std::string& name) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value found, connection.call("GET", path_of(resource, name)));
  if (options.format != OutputFormat::kTable) {
    print_structured(options, found);
  } else {
    print(object_lines(found));
  }
  return {};
}

Result<> delete_resource(const ClientOptions& options, Resource resource, const std::string& name) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY(connection.call("DELETE", path_of(resource, name)));
  print_done(options, "deleted", text_of(resource).word, name);
  return {};
}

Result<> set_pipeline_running(const ClientOptions& options, const std::string& name, bool running) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY(connection.call("POST", path_of(Resource::kPipeline, name) + (running ? "/start" : "/stop")));
  print_done(options, running ? "started" : "stopped", "pipeline", name);
  return {};
}

Result<> restart_pipeline(const ClientOptions& options, const std::string& name, const std::string& from,
                          bool dry_run) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  const std::string body = json::serialize(json::object{{"from", from}, {"dry_run", dry_run}});
  TRY_ASSIGN(const json::value done, connection.call("POST", path_of(Resource::kPipeline, name) + "/restart", body));
  if (options.format != OutputFormat::kTable) {
    print_structured(options, done);
  } else {
    print(fmt::format("pipeline {} {}{}\n", printable(name), cell_text(member(done, "note")),
                      dry_run ? " (nothing was done)" : ""));
  }
  return {};
}

Result<> reload_table(const ClientOptions& options, const std::string& name) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value table, connection.call("POST", path_of(Resource::kTable, name) + "/reload"));
  if (options.format != OutputFormat::kTable) {
    print_structured(options, table);
  } else {
    print(fmt::format("table {} is at version {} with {} rows\n", printable(name), cell_text(member(table, "version")),
                      cell_text(member(table, "rows"))));
  }
  return {};
}

Result<> show_status(const ClientOptions& options) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(json::value status, connection.call("GET", "/api/v1/status"));
  TRY_ASSIGN(const json::value pipelines, connection.call("GET", "/api/v1/pipelines"));
  TRY_ASSIGN(const json::value streams, connection.call("GET", "/api/v1/streams"));
  if (options.format != OutputFormat::kTable) {
    status.as_object()["pipeline_list"] = member(pipelines, "pipelines");
    status.as_object()["stream_list"] = member(streams, "streams");
    print_structured(options, status);
    return {};
  }
  print(fmt::format("server  {}\n", connection.access().url) + object_lines(status));
  print("\n" + list_table(text_of(Resource::kStream), member(streams, "streams")));
  print("\n" + list_table(text_of(Resource::kPipeline), member(pipelines, "pipelines")));
  print("\n" + list_table(sinks_text(), member(status, "sinks")));
  print("\n" + list_table(tables_text(), member(status, "tables")));
  return {};
}

}  // namespace tidegate::cli
