// `tidegate quota ...`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <charconv>
#include <memory>

#include "cli/internal/client_command.h"
#include "cli/internal/commands.h"
#include "cli/internal/device_commands.h"
#include "cli/internal/quota_text.h"
#include "registry/device_csv.h"
#include "registry/quota.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

struct QuotaWords {
  std::string subject;
  std::array<std::string, registry::kQuotaLimits> limits;  // as kQuotaLimitNames
};

std::string path_of(const QuotaWords& words) {
  return fmt::format("/api/v1/quotas/{}", net::percent_encode(words.subject));
}

Result<json::object> patch_of(const QuotaWords& words) {
  json::object patch;
  for (size_t at = 0; at < registry::kQuotaLimits; ++at) {
    const std::string& text = words.limits[at];
    if (text.empty()) continue;
    const std::string name(registry::kQuotaLimitNames[at]);
    if (text == "none") {
      patch[name] = nullptr;
    } else if (at == static_cast<size_t>(registry::QuotaLimit::kBurst)) {
      TRY_ASSIGN(const int64_t burst_us, registry::parse_interval(text));
      patch[name] = static_cast<double>(burst_us) * 1e-6;
    } else {
      TRY_ASSIGN(patch[name], parse_quantity(text));
    }
  }
  if (!patch.empty()) return patch;
  return fail(ErrorCode::UsageError, "no limit was given",
              "for example: tidegate quota set type:meter --messages-per-s 10 --payload 4kB");
}

Result<> list_quotas(const ClientOptions& options) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value answer, connection.call("GET", "/api/v1/quotas"));
  const json::value& list = member(answer, "quotas");
  if (options.format != OutputFormat::kTable) {
    print(structured_text(options.format, list));
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json::value& quota : list.get_array()) {
    std::vector<std::string> row{cell_text(member(quota, "subject"))};
    for (const std::string_view name : registry::kQuotaLimitNames) row.push_back(limit_text(name, member(quota, name)));
    rows.push_back(std::move(row));
  }
  print(render_table({{"quota of"}, {"messages/s"}, {"bytes/s"}, {"payload"}, {"connections"}, {"burst"}}, rows,
                     "no quotas: nothing is limited"));
  return {};
}

Result<> show_quota(const ClientOptions& options, const QuotaWords& words) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value answer, connection.call("GET", path_of(words)));
  print(options.format != OutputFormat::kTable ? structured_text(options.format, answer) : object_lines(answer));
  return {};
}

Result<> set_quota(const ClientOptions& options, const QuotaWords& words) {
  TRY_ASSIGN(const json::object patch, patch_of(words));
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value answer, connection.call("PATCH", path_of(words), json::serialize(patch)));
  print(options.format != OutputFormat::kTable ? structured_text(options.format, answer)
                                               : fmt::format("set the quota of {}\n", printable(words.subject)));
  return {};
}

Result<> delete_quota(const ClientOptions& options, const QuotaWords& words) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY(connection.call("DELETE", path_of(words)));
  if (options.format == OutputFormat::kTable) print(fmt::format("deleted the quota of {}\n", printable(words.subject)));
  return {};
}

}  // namespace

Result<double> parse_quantity(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error == std::errc()) {
    if (unit.empty() || unit == "B") return value;
    if (unit == "k" || unit == "kB") return value * 1e3;
    if (unit == "M" || unit == "MB") return value * 1e6;
    if (unit == "G" || unit == "GB") return value * 1e9;
  }
  return fail(ErrorCode::UsageError, fmt::format("'{}' is no amount", text),
              "write 500, 0.5, 10k, 4kB or 1MB; or none");
}

std::string limit_text(std::string_view name, const json::value& value) {
  if (!value.is_number()) return "-";
  const auto number = value.to_number<double>();
  if (name == "burst_s") return fmt::format("{}s", number);
  if (!name.starts_with("bytes") && !name.starts_with("payload")) return fmt::format("{}", number);
  if (number >= 1e6) return fmt::format("{}MB", number / 1e6);
  return number >= 1e3 ? fmt::format("{}kB", number / 1e3) : fmt::format("{}B", number);
}

std::string quota_text(const json::value& state) {
  std::string out;
  const json::value& limits = member(state, "limits");
  if (!limits.is_object() || limits.get_object().empty()) return "none";
  for (const auto& [name, limit] : limits.get_object()) {
    const std::string_view which(name.data(), name.size());
    out += fmt::format("{}{} {} ({})", out.empty() ? "" : ", ", which, limit_text(which, member(limit, "value")),
                       cell_text(member(limit, "from")));
  }
  return out;
}

std::string over_quota_text(const json::value& state) {
  std::string out;
  const auto add = [&](std::string_view what, const json::value& count) {
    if (count.is_number() && count.to_number<uint64_t>() > 0) {
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", cell_text(count), what);
    }
  };
  const json::value& refused = member(state, "refused");
  add("refused for messages", member(refused, "messages"));
  add("refused for bytes", member(refused, "bytes"));
  add("too large", member(refused, "payload"));
  add("connections refused", member(refused, "connections"));
  add("dropped (QoS 0)", member(state, "dropped"));
  add("times held back", member(state, "held"));
  return out.empty() ? "-" : out;
}

void add_quota_commands(CLI::App& app, const ClientOptions& client, std::function<Result<int>()>& command) {
  const auto words = std::make_shared<QuotaWords>();  // shared by the callbacks
  CLI::App* group = app.add_subcommand("quota", "Quotas: how much devices may send");
  group->require_subcommand(1);
  const auto one = [&](const char* word, const char* description) {
    CLI::App* made = group->add_subcommand(word, description);
    made->add_option("subject", words->subject, "default, site:PATH, type:TYPE, device:NAME or gateway:NAME")
        ->required();
    return made;
  };
  on_use(group->add_subcommand("list", "All quotas"), command, [&client] { return list_quotas(client); });
  on_use(one("get", "One quota in full"), command, [&client, words] { return show_quota(client, *words); });
  CLI::App* set = one("set", "Set limits; those not given stay; 'none' takes one away");
  set->add_option("--messages-per-s", words->limits[0], "MQTT publications and HTTP requests a second: 10, 0.5");
  set->add_option("--bytes-per-s", words->limits[1], "of their payloads: 500, 10kB, 1MB");
  set->add_option("--payload", words->limits[2], "bytes of the largest one: 4kB");
  set->add_option("--connections", words->limits[3], "MQTT connections at once");
  set->add_option("--burst", words->limits[4], "how much of the rates may come at once: 10s; without it 1s");
  on_use(set, command, [&client, words] { return set_quota(client, *words); });
  on_use(one("delete", "Take a quota away; the less specific ones count again"), command,
         [&client, words] { return delete_quota(client, *words); });
}

}  // namespace tidegate::cli
