// The one program: `tidegate serve` is the server, everything else talks to one.
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "base/logging.h"
#include "cli/cli.h"
#include "server/server.h"

namespace {

using tidegate::server::Endpoint;
using tidegate::server::Welcome;

Endpoint endpoint(const tidegate::cli::ListenAddress& address) { return {address.host, address.port}; }

tidegate::server::ServerOptions server_options(const tidegate::cli::ServeOptions& wanted) {
  tidegate::server::ServerOptions options;
  options.data = wanted.data;
  options.http = endpoint(wanted.http);
  options.mqtt = wanted.mqtt ? std::optional(endpoint(*wanted.mqtt)) : std::nullopt;
  options.mqtts = wanted.mqtts ? std::optional(endpoint(*wanted.mqtts)) : std::nullopt;
  options.sink_folders = wanted.sink_folders;
  options.lookup_folders = wanted.lookup_folders;
  options.engine_threads = wanted.threads;
  options.max_connections = wanted.max_connections;
  options.pipeline_memory = wanted.pipeline_memory;
  options.time_zone = wanted.time_zone;
  options.insecure_dev = wanted.insecure_dev;
  options.allowed_targets = wanted.allowed_targets;
  return options;
}

void print_welcome(const Welcome& welcome, bool insecure) {
  fmt::print("Tidegate is running.\n");
  fmt::print("  web and API    {}\n", welcome.http_url);
  if (!welcome.mqtt_address.empty())
    fmt::print("  MQTT           {} (plain text, this machine only)\n", welcome.mqtt_address);
  if (!welcome.mqtts_address.empty()) fmt::print("  MQTT over TLS  {}\n", welcome.mqtts_address);
  if (!insecure) fmt::print("  trust          {}\n", welcome.ca_file.string());
  fmt::print("  holds          {} streams, {} pipelines\n", welcome.streams, welcome.pipelines);
  if (welcome.admin_password) {
    fmt::print("\nThis is the first start. The administrator is 'admin' with the\n  one-time password: {}\n",
               *welcome.admin_password);
    fmt::print("It is shown this once and must be replaced: tidegate passwd\n");
    fmt::print("On this machine the command line needs no login while it may read the data folder.\n");
  }
  if (insecure) {
    fmt::print(
        "\n*** --insecure-dev: no TLS and no authentication. Everybody on this machine is an administrator. ***\n");
  }
  fmt::print("ready\n");
  std::fflush(stdout);
}

// SIGINT and SIGTERM are blocked in every thread and waited for here; a second one ends the program at once.
int wait_for_stop(const sigset_t& signals) {
  int signal = 0;
  ::sigwait(&signals, &signal);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  return signal;
}

int serve(const tidegate::cli::ServeOptions& wanted) {
  tidegate::configure_logging(wanted.log_level, wanted.log_format);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  auto server = tidegate::server::Server::start(server_options(wanted));
  if (!server) {
    const tidegate::Error& error = server.error();
    fmt::print(stderr, "error TG{}: {}\n", static_cast<int>(error.code), error.message);
    if (!error.hint.empty()) fmt::print(stderr, "hint: {}\n", error.hint);
    return 1;
  }
  print_welcome((*server)->welcome(), wanted.insecure_dev);
  const int signal = wait_for_stop(signals);
  tidegate::log_info("stopping", {{"signal", signal}});
  server->reset();
  tidegate::log_info("stopped");
  return 0;
}

// The build may use what processors have had since about 2009 (x86-64-v2); an older one would die of an illegal
// instruction somewhere instead.
bool processor_is_new_enough() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("sse4.2") != 0 && __builtin_cpu_supports("popcnt") != 0;
#else
  return true;
#endif
}

}  // namespace

int main(int argc, char** argv) {
  if (!processor_is_new_enough()) {
    fmt::print(stderr, "error TG{}: this processor lacks SSE 4.2 or POPCNT\nhint: build with -DTIDEGATE_MARCH=x86-64\n",
               static_cast<int>(tidegate::ErrorCode::CpuTooOld));
    return 1;
  }
  return tidegate::cli::run_cli(argc, argv, serve);
}
