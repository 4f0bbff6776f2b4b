// `tidegate device get`: the document, and what was last heard of the device.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "cli/internal/commands.h"
#include "cli/internal/quota_text.h"
#include "cli/internal/registry_calls.h"
#include "codec/timestamp_text.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

std::string time_text(const json::value& time_us) {
  if (!time_us.is_int64()) return "unknown";
  std::string out;
  codec::append_timestamp(time_us.get_int64(), columnar::TypeKind::kTimestampLtz, out);
  return out;
}

std::string online_text(const json::value& state) {
  const json::value& online = member(state, "online");
  if (!online.is_bool()) return "unknown";
  const json::value& reason = member(state, "reason");
  return fmt::format("{} since {}{}", online.get_bool() ? "yes," : "no,", time_text(member(state, "since_us")),
                     reason.is_string() ? fmt::format(" ({})", cell_text(reason)) : "");
}

// "never" only where nothing is missing of any stream.
std::string heard_text(const json::value& state) {
  if (member(state, "seen_us").is_int64()) return time_text(member(state, "seen_us"));
  const json::value& streams = member(state, "streams");
  if (!streams.is_array()) return "unknown";
  for (const json::value& stream : streams.get_array()) {
    if (member(stream, "current") != json::value(true)) return "unknown";
  }
  return "never";
}

std::string note(const json::value& stream) {
  if (member(stream, "reading") == json::value(true)) return "still being read";
  return member(stream, "current") == json::value(true) ? "" : "there may be later or older values";
}

// One line for each value; a stream without any has a line that says what is known.
void add_rows(const json::value& stream, std::vector<std::vector<std::string>>& rows) {
  const std::string name = cell_text(member(stream, "stream"));
  const json::value& values = member(stream, "values");
  if (!values.is_object() || values.get_object().empty()) {
    const std::string unknown = note(stream);
    rows.push_back({name, "-", "-", "-", unknown.empty() ? "no record yet" : "unknown: " + unknown});
    return;
  }
  for (const auto& [column, value] : values.get_object()) {
    rows.push_back({name, printable({column.data(), column.size()}), cell_text(member(value, "value")),
                    time_text(member(value, "time_us")), note(stream)});
  }
}

std::string device_lines(const json::value& device, const json::value& state) {
  const auto text = [&](std::string_view name) -> json::value {
    const json::value& value = member(device, name);
    return value.is_string() && value.get_string().empty() ? json::value("-") : value;
  };
  return object_lines(json::object{{"device", text("name")},
                                   {"type", text("type")},
                                   {"place", text("place")},
                                   {"labels", labels_text(device)},
                                   {"interval", interval_text(device)},
                                   {"description", text("description")},
                                   {"token", member(device, "token") == json::value(true) ? "yes" : "no"},
                                   {"certificate", text("certificate_fingerprint")},
                                   {"created", time_text(member(device, "created_us"))},
                                   {"changed", time_text(member(device, "changed_us"))},
                                   {"revision", text("revision")},
                                   {"online", online_text(state)},
                                   {"last heard", heard_text(state)},
                                   {"quota", quota_text(member(state, "quota"))},
                                   {"over quota", over_quota_text(member(state, "quota"))}});
}

}  // namespace

Result<> show_device(const ClientOptions& options, const std::string& name) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  const std::string path = "/api/v1/devices/" + net::percent_encode(name);
  TRY_ASSIGN(json::value device, connection.call("GET", path));
  TRY_ASSIGN(json::value state, connection.call("GET", path + "/state"));
  if (options.format != OutputFormat::kTable) {
    device.as_object()["state"] = std::move(state);
    print(structured_text(options.format, device));
    return {};
  }
  print(device_lines(device, state));
  std::vector<std::vector<std::string>> rows;
  if (const json::value& streams = member(state, "streams"); streams.is_array()) {
    for (const json::value& stream : streams.get_array()) add_rows(stream, rows);
  }
  if (!rows.empty()) {
    print("\n" + render_table({{"stream"}, {"column"}, {"last value"}, {"at"}, {"note"}}, rows, ""));
  }
  return {};
}

}  // namespace tidegate::cli
