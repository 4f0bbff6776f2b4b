#include "cli/internal/registry_calls.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/ids.h"
#include "cli/internal/commands.h"
#include "crypto/certificates.h"
#include "io/file.h"
#include "sim/profile.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

constexpr size_t kDevicesPerPage = 1000;

std::string device_path(std::string_view name) { return fmt::format("/api/v1/devices/{}", net::percent_encode(name)); }

void say(const ClientOptions& options, const json::value& answer, std::string_view text) {
  print(options.format != OutputFormat::kTable ? structured_text(options.format, answer) : std::string(text));
}

std::unexpected<Error> usage(std::string message, std::string hint) {
  return fail(ErrorCode::UsageError, std::move(message), std::move(hint));
}

Result<json::object> labels_of(const std::vector<std::string>& words) {
  json::object labels;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals != std::string::npos && equals > 0) {
      labels[word.substr(0, equals)] = word.substr(equals + 1);
    } else if (equals == std::string::npos && word.size() > 1 && word.ends_with('-')) {
      labels[word.substr(0, word.size() - 1)] = nullptr;
    } else {
      return usage(fmt::format("'{}' is no label", word), "write name=value, or name- to take one away");
    }
  }
  return labels;
}

Result<json::value> interval_ms(const std::string& text) {
  if (text == "none") return json::value();
  TRY_ASSIGN(const int64_t us, sim::parse_duration(text));
  if (us >= kMicrosPerMilli) return json::value(us / kMicrosPerMilli);
  return usage(fmt::format("'{}' is no interval", text), "write 500ms, 30s, 15m, or none");
}

// The members of a document or of a merge patch of one.
Result<json::object> members_of(const DeviceValues& values) {
  json::object members;
  if (values.type) members["type"] = *values.type;
  if (values.place) members["place"] = *values.place;
  if (values.description) members["description"] = *values.description;
  if (values.interval) {
    TRY_ASSIGN(members["interval_ms"], interval_ms(*values.interval));
  }
  if (!values.labels.empty()) {
    TRY_ASSIGN(members["labels"], labels_of(values.labels));
  }
  return members;
}

Result<json::value> patch(const ClientOptions& options, const std::string& path, const json::object& members,
                          const std::string& revision) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  net::HttpCall call;
  call.method = "PATCH";
  call.target = path;
  call.body = json::serialize(members);
  call.content_type = "application/merge-patch+json";
  if (!revision.empty()) call.headers.emplace_back("If-Match", fmt::format("\"{}\"", revision));
  TRY_ASSIGN(const net::HttpReply reply, connection.client().send(call));
  if (!reply.ok()) return fail(error_of(reply));
  return json::parse(reply.body);
}

std::string choice_query(const DeviceChoice& choice) {
  std::string query = fmt::format("limit={}", kDevicesPerPage);
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) query += fmt::format("&{}={}", name, net::percent_encode(value));
  };
  add("type", choice.type);
  add("site", choice.site);
  add("name", choice.name);
  for (const std::string& label : choice.labels) add("label", label);
  return query;
}

std::vector<std::string> device_row(const json::value& device) {
  const auto text = [&](std::string_view name) {
    const json::value& value = member(device, name);
    return value.is_string() && value.get_string().empty() ? "-" : cell_text(value);
  };
  const bool token = member(device, "token") == json::value(true);
  const bool certificate = member(device, "certificate_fingerprint").is_string();
  return {text("name"),
          text("type"),
          text("place"),
          interval_text(device),
          labels_text(device),
          token && certificate ? "token, certificate" : token ? "token" : certificate ? "certificate" : "-"};
}

std::string token_note(std::string_view name, const json::value& token) {
  return fmt::format("token  {}\n\nIt is shown only now. MQTT: user name '{}', password the token.\n", cell_text(token),
                     printable(name));
}

}  // namespace

std::string interval_text(const json::value& device) {
  const json::value& interval = member(device, "interval_ms");
  if (!interval.is_int64()) return "-";
  const int64_t ms = interval.get_int64();
  if (ms % 86'400'000 == 0) return fmt::format("{}d", ms / 86'400'000);
  if (ms % 3'600'000 == 0) return fmt::format("{}h", ms / 3'600'000);
  if (ms % 60'000 == 0) return fmt::format("{}m", ms / 60'000);
  return ms % 1000 == 0 ? fmt::format("{}s", ms / 1000) : fmt::format("{}ms", ms);
}

std::string labels_text(const json::value& device) {
  const json::value& labels = member(device, "labels");
  if (!labels.is_object() || labels.get_object().empty()) return "-";
  std::string out;
  for (const auto& [name, value] : labels.get_object()) {
    out += fmt::format("{}{}={}", out.empty() ? "" : ",", std::string_view(name.data(), name.size()), cell_text(value));
  }
  return out;
}

Result<> add_device(const ClientOptions& options, const NewDevice& device) {
  TRY_ASSIGN(json::object body, members_of(device.values));
  std::string fingerprint = device.certificate_fingerprint;
  if (!device.certificate_file.empty()) {
    TRY_ASSIGN(const std::string pem, io::read_file(device.certificate_file));
    TRY_ASSIGN(fingerprint, crypto::certificate_fingerprint(pem));
  }
  body["name"] = device.name;
  if (!fingerprint.empty()) body["certificate_fingerprint"] = fingerprint;
  if (!device.token) body["token"] = false;
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value answer, connection.call("POST", "/api/v1/devices", json::serialize(body)));
  const json::value& token = member(answer, "token");
  say(options, answer,
      fmt::format("added device {}\n", printable(device.name)) +
          (token.is_string() ? token_note(device.name, token) : std::string()));
  return {};
}

Result<> change_device(const ClientOptions& options, const std::string& name, const DeviceValues& values,
                       const std::string& revision) {
  TRY_ASSIGN(const json::object members, members_of(values));
  if (members.empty()) return usage("nothing to set", "`tidegate device set --help` lists what can be set");
  TRY_ASSIGN(const json::value answer, patch(options, device_path(name), members, revision));
  say(options, answer,
      fmt::format("changed device {}, now at revision {}\n", printable(name), cell_text(member(answer, "revision"))));
  return {};
}

Result<> move_device(const ClientOptions& options, const std::string& name, const std::string& place) {
  TRY_ASSIGN(const json::value answer, patch(options, device_path(name), {{"place", place}}, {}));
  say(options, answer,
      place.empty() ? fmt::format("device {} stands nowhere now\n", printable(name))
                    : fmt::format("moved device {} to {}\n", printable(name), printable(place)));
  return {};
}

Result<> list_devices(const ClientOptions& options, const DeviceChoice& choice) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  const std::string query = choice_query(choice);
  json::array all;
  std::string cursor;
  do {
    TRY_ASSIGN(json::value page, connection.call("GET", "/api/v1/devices?" + query + cursor));
    if (const json::value& list = member(page, "devices"); list.is_array()) {
      for (const json::value& device : list.get_array()) all.push_back(device);
    }
    const json::value& next = member(page, "next");
    cursor = next.is_string() ? "&cursor=" + net::percent_encode(std::string(next.get_string())) : "";
  } while (!cursor.empty());
  if (options.format != OutputFormat::kTable) {
    print(structured_text(options.format, all));
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  rows.reserve(all.size());
  for (const json::value& device : all) rows.push_back(device_row(device));
  print(render_table({{"device"}, {"type"}, {"place"}, {"interval"}, {"labels"}, {"credentials"}}, rows,
                     query.find('&') == std::string::npos ? "no devices yet" : "no such devices"));
  return {};
}

Result<> renew_token(const ClientOptions& options, const std::string& name) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value answer, connection.call("POST", device_path(name) + "/token"));
  say(options, answer, token_note(name, member(answer, "token")));
  return {};
}

namespace {

std::string site_path(std::string_view path) { return fmt::format("/api/v1/sites/{}", net::percent_encode(path)); }

json::object site_members(const SiteValues& values) {
  json::object members;
  if (values.time_zone) members["time_zone"] = *values.time_zone;
  if (values.description) members["description"] = *values.description;
  return members;
}

}  // namespace

Result<> list_sites(const ClientOptions& options) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value answer, connection.call("GET", "/api/v1/sites"));
  const json::value& list = member(answer, "sites");
  std::vector<std::vector<std::string>> rows;
  if (list.is_array()) {
    for (const json::value& site : list.get_array()) {
      rows.push_back({cell_text(member(site, "path")), cell_text(member(site, "kind")),
                      cell_text(member(site, "time_zone")), cell_text(member(site, "description"))});
    }
  }
  say(options, list, render_table({{"place"}, {"kind"}, {"time zone"}, {"description"}}, rows, "no sites yet"));
  return {};
}

Result<> show_site(const ClientOptions& options, const std::string& path) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value answer, connection.call("GET", site_path(path)));
  say(options, answer, object_lines(answer));
  return {};
}

Result<> add_site(const ClientOptions& options, const std::string& path, const SiteValues& values) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  json::object body = site_members(values);
  body["path"] = path;
  TRY_ASSIGN(const json::value answer, connection.call("POST", "/api/v1/sites", json::serialize(body)));
  say(options, answer, fmt::format("added {} {}\n", cell_text(member(answer, "kind")), printable(path)));
  return {};
}

Result<> change_site(const ClientOptions& options, const std::string& path, const SiteValues& values) {
  const json::object members = site_members(values);
  if (members.empty()) return usage("nothing to set", "`tidegate site set --help` lists what can be set");
  TRY_ASSIGN(const json::value answer, patch(options, site_path(path), members, {}));
  say(options, answer, fmt::format("changed {} {}\n", cell_text(member(answer, "kind")), printable(path)));
  return {};
}

Result<> delete_site(const ClientOptions& options, const std::string& path) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY(connection.call("DELETE", site_path(path)));
  say(options, json::value(json::object{}), fmt::format("deleted {}\n", printable(path)));
  return {};
}

}  // namespace tidegate::cli
