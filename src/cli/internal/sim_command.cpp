#include "cli/internal/sim_command.h"

#include <fmt/format.h>

#include <atomic>
#include <boost/json.hpp>
#include <csignal>
#include <map>

#include "cli/cli.h"
#include "codec/timestamp_text.h"
#include "io/clock.h"
#include "io/file.h"
#include "net/http_problem.h"
#include "sim/message_source.h"
#include "sim/simulator.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

std::atomic<bool> stop_requested{false};

void request_stop(int) { stop_requested.store(true); }

std::string event_time_text(int64_t time_us) {
  std::string text;
  codec::append_timestamp(time_us, columnar::TypeKind::kTimestampLtz, text);
  return text;
}

// The profile's file with the settings of the command line on top, as one JSON object.
Result<sim::Profile> read_profile(const SimOptions& options, int64_t now_us) {
  json::object fields;
  std::filesystem::path folder;
  if (!options.profile.empty()) {
    TRY_ASSIGN(const std::string text, io::read_file(options.profile));
    json::error_code error;
    const json::value parsed = json::parse(text, error);
    if (error || !parsed.is_object()) {
      return fail(ErrorCode::ConfigInvalid, fmt::format("{} is not a JSON object", options.profile.string()));
    }
    fields = parsed.get_object();
    folder = options.profile.parent_path();
  }
  for (const std::string& setting : options.settings) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      return fail(ErrorCode::UsageError, fmt::format("'{}' is not a setting", setting), "write --set name=value");
    }
    const std::string name = setting.substr(0, equals);
    const std::string value = setting.substr(equals + 1);
    json::error_code error;
    json::value parsed = json::parse(value, error);
    // A file named on the command line is relative to where the person is.
    if (name == "file") parsed = json::value(std::filesystem::absolute(value).string());
    fields[name] = error && name != "file" ? json::value(value) : std::move(parsed);
  }
  TRY_ASSIGN(sim::Profile profile, sim::parse_profile(json::serialize(fields), folder, now_us));
  TRY(sim::check_profile(profile));
  return profile;
}

using Tokens = std::map<std::string, std::string>;

Result<Tokens> read_tokens(const std::filesystem::path& file) {
  Tokens tokens;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return tokens;
  TRY_ASSIGN(const std::string text, io::read_file(file));
  json::error_code error;
  const json::value parsed = json::parse(text, error);
  if (error || !parsed.is_object()) {
    return fail(ErrorCode::ConfigInvalid, fmt::format("{} is not a JSON object of device tokens", file.string()));
  }
  for (const auto& [device, token] : parsed.get_object()) {
    if (token.is_string()) tokens[std::string(device)] = token.get_string();
  }
  return tokens;
}

Result<> write_tokens(const std::filesystem::path& file, const Tokens& tokens) {
  TRY(io::create_private_folder(file.parent_path()));
  json::object object;
  for (const auto& [device, token] : tokens) object[device] = token;
  return io::write_file_atomic(file, json::serialize(object) + "\n", io::FilePrivacy::kOwnerOnly);
}

// Registers the devices that have no token yet. Tokens are kept, so that the next run uses the same devices.
Result<Tokens> device_tokens(const ClientOptions& client, const std::filesystem::path& file,
                             const sim::Profile& profile) {
  TRY_ASSIGN(Tokens tokens, read_tokens(file));
  TRY_ASSIGN(Connection connection, Connection::open(client));
  if (connection.access().url.starts_with("http://")) return tokens;  // a development server takes everybody
  bool added = false;
  for (uint32_t device = 0; device < profile.devices; ++device) {
    const std::string name = sim::device_name(profile, device);
    if (tokens.contains(name)) continue;
    const auto answer = connection.call("POST", "/api/v1/devices", json::serialize(json::object{{"name", name}}));
    if (!answer && answer.error().code == ErrorCode::AlreadyExists) {
      return fail(ErrorCode::AlreadyExists,
                  fmt::format("the device '{}' exists and its token is not in {}", name, file.string()),
                  "use another device_name, or delete the device first");
    }
    if (!answer) return fail(answer.error());
    const json::value* token = answer->is_object() ? answer->get_object().if_contains("token") : nullptr;
    if (token == nullptr || !token->is_string()) {
      return fail(ErrorCode::ProtocolViolation, "the server added a device and sent no token");
    }
    tokens[name] = token->get_string();
    added = true;
  }
  if (added) TRY(write_tokens(file, tokens));
  return tokens;
}

// Where a run on this data folder stopped, so that the next goes on there.
struct Position {
  int64_t start_us = 0;
  int64_t next_us = 0;
};

std::filesystem::path position_file(const ClientOptions& client) { return client.data / "sim" / "position.json"; }

std::optional<Position> read_position(const ClientOptions& client) {
  const auto text = io::read_file(position_file(client));
  if (!text) return std::nullopt;
  json::error_code error;
  const json::value parsed = json::parse(*text, error);
  if (error || !parsed.is_object()) return std::nullopt;
  const json::value* start = parsed.get_object().if_contains("start_us");
  const json::value* next = parsed.get_object().if_contains("next_us");
  if (start == nullptr || next == nullptr || !start->is_int64() || !next->is_int64()) return std::nullopt;
  return Position{start->get_int64(), next->get_int64()};
}

Result<> write_position(const ClientOptions& client, Position position) {
  TRY(io::create_private_folder(position_file(client).parent_path()));
  const json::object object{{"start_us", position.start_us}, {"next_us", position.next_us}};
  return io::write_file_atomic(position_file(client), json::serialize(object) + "\n", io::FilePrivacy::kPublic);
}

// Near enough to now that the last record is not from the future, faults included.
int64_t default_start_us(const sim::Profile& profile, const sim::RecordFile& file, int64_t now_us) {
  return now_us - file.span_us() - profile.faults.max_delay_us - profile.faults.drop_out_us;
}

std::string progress_line(const sim::SimulatorProgress& now, const sim::SimulatorProgress& before) {
  const double seconds = static_cast<double>(now.elapsed_us - before.elapsed_us) / 1e6;
  const double rate = seconds > 0 ? static_cast<double>(now.sent - before.sent) / seconds : 0;
  return fmt::format("sim  {:>10} sent {:>10} acknowledged {:>9.0f}/s  event time {}  {} connected{}\n", now.sent,
                     now.acked, rate, event_time_text(now.event_us), now.connected,
                     now.reconnects > 0 ? fmt::format(", {} reconnects", now.reconnects) : "");
}

std::string summary_text(const sim::SimulatorProgress& done, OutputFormat format) {
  const double seconds = static_cast<double>(done.elapsed_us) / 1e6;
  const double rate = seconds > 0 ? static_cast<double>(done.sent) / seconds : 0;
  if (format != OutputFormat::kTable) {
    const std::string text = fmt::format(
        R"({{"sent":{},"acked":{},"refused":{},"resent":{},"reconnects":{},"unacknowledged":{},"elapsed_s":{:.3f},)"
        R"("messages_per_s":{:.0f},"event_time":"{}","late":{},"duplicates":{},"gaps":{},"drop_outs":{}}})",
        done.sent, done.acked, done.refused, done.resent, done.reconnects, done.in_flight, seconds, rate,
        event_time_text(done.event_us), done.faults.late, done.faults.duplicates, done.faults.gaps,
        done.faults.drop_outs);
    return structured_text(format, json::parse(text));
  }
  return fmt::format(
      "sim  sent {} ({:.0f}/s in {:.1f} s), acknowledged {}, refused {}, unacknowledged {}, resent {}\n"
      "sim  faults made: {} late, {} duplicates, {} gaps, {} drop-outs; event time reached {}\n",
      done.sent, rate, seconds, done.acked, done.refused, done.in_flight, done.resent, done.faults.late,
      done.faults.duplicates, done.faults.gaps, done.faults.drop_outs, event_time_text(done.event_us));
}

// Address, TLS and tokens. `tls` holds what the options point at.
Result<sim::SimulatorOptions> target_of(const ClientOptions& client, const SimOptions& options,
                                        const sim::Profile& profile, std::unique_ptr<net::TlsContext>& tls) {
  sim::SimulatorOptions target;
  bool plain = options.plain;
  if (options.mqtt.empty()) {
    TRY_ASSIGN(const ServerFile server, read_server_file(client.data));
    plain = plain || server.mqtts_port == 0 || server.http_url.starts_with("http://");
    target.port = plain ? server.mqtt_port : server.mqtts_port;
    if (target.port == 0) {
      return fail(ErrorCode::ConfigInvalid, "the server of this data folder does not listen for MQTT that way");
    }
  } else {
    TRY_ASSIGN(const ListenAddress address, parse_listen_address(options.mqtt));
    target.host = address.host;
    target.port = address.port;
  }
  const bool loopback = target.host.starts_with("127.") || target.host == "localhost" || target.host == "::1";
  if (plain && !loopback) return fail(ErrorCode::InsecureRefused, "plain MQTT would show tokens to the network");
  if (!plain) {
    TRY_ASSIGN(const Access access, find_access(client, session_file()));
    TRY_ASSIGN(tls, net::TlsContext::client({access.ca_pem, "", ""}));
    target.tls = tls.get();
  }
  const auto tokens = options.tokens.empty() ? client.data / "sim" / "tokens.json" : options.tokens;
  TRY_ASSIGN(target.tokens, device_tokens(client, tokens, profile));
  target.qos = static_cast<uint8_t>(options.qos);
  target.window = static_cast<uint16_t>(options.window);
  target.limit = options.limit;
  target.record = options.record;
  return target;
}

void say_what_is_made(const sim::Profile& profile, const sim::RecordFile& file, int64_t start_us) {
  print(fmt::format("sim  {} records of {}, as {} devices ({} to {}){}\n", file.size(),
                    profile.file.filename().string(), profile.devices, sim::device_name(profile, 0),
                    sim::device_name(profile, profile.devices - 1),
                    profile.devices > 1 ? fmt::format(", each shifted by {:.6g} h against the one before",
                                                      static_cast<double>(profile.shift_us) / 3.6e9)
                                        : ""));
  print(fmt::format("sim  event time from {}, {}\n", event_time_text(start_us),
                    profile.speed > 0 ? fmt::format("{:g} times as fast as it was", profile.speed)
                                      : "as fast as the server takes it"));
  if (file.skipped() > 0) {
    print(fmt::format("sim  {} of the file's lines left out ({})\n", file.skipped(), file.first_skipped()));
  }
}

}  // namespace

Result<> run_simulation(const ClientOptions& options_of_client, const SimOptions& options) {
  ClientOptions client = options_of_client;
  client.data_given = true;  // devices belong to the server of the data folder, whatever context is in use
  const io::SystemClock clock;
  TRY_ASSIGN(const sim::Profile profile, read_profile(options, clock.now_us()));
  TRY_ASSIGN(const sim::RecordFile file, sim::RecordFile::load(profile));
  std::unique_ptr<net::TlsContext> tls;
  TRY_ASSIGN(const sim::SimulatorOptions target, target_of(client, options, profile, tls));
  const bool resume = options.resume || profile.resume;
  const auto position = resume ? read_position(client) : std::optional<Position>();
  const int64_t start_us =
      position ? position->start_us : profile.start_us.value_or(default_start_us(profile, file, clock.now_us()));
  sim::MessageSource source(profile, file, start_us);
  if (position) source.skip_until(position->next_us);
  const bool say = !options.quiet && client.format == OutputFormat::kTable;
  if (say) say_what_is_made(profile, file, position ? position->next_us : start_us);
  std::signal(SIGINT, request_stop);
  std::signal(SIGTERM, request_stop);
  sim::Simulator simulator(profile, source, target, clock, stop_requested);
  sim::SimulatorProgress before;
  TRY_ASSIGN(const sim::SimulatorProgress done, simulator.run([&](const sim::SimulatorProgress& now) {
    if (say) print(progress_line(now, before));
    before = now;
  }));
  if (resume) TRY(write_position(client, {start_us, done.event_us + 1}));
  if (!options.quiet) print(summary_text(done, client.format));
  return {};
}

}  // namespace tidegate::cli
