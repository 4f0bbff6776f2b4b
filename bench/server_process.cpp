#include "bench/server_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <csignal>
#include <cstdlib>
#include <vector>

#include "io/file.h"
#include "io/random.h"

namespace tidegate::bench {
namespace {

[[noreturn]] void die(const std::string& what) {
  fmt::print(stderr, "benchmark: {}\n", what);
  std::exit(1);
}

// Reads the child's output until it says that it is ready.
void wait_until_ready(int descriptor) {
  std::string text;
  char block[4096];
  while (text.find("\nready\n") == std::string::npos && !text.starts_with("ready\n")) {
    const ssize_t got = ::read(descriptor, block, sizeof block);
    if (got <= 0) die("the server did not start:\n" + text);
    text.append(block, static_cast<size_t>(got));
  }
}

std::string contents_of(const std::filesystem::path& file) {
  auto text = io::read_file(file);
  if (!text) die(text.error().to_string());
  return std::move(*text);
}

std::string on_loopback(uint16_t port) { return fmt::format("127.0.0.1:{}", port); }

}  // namespace

ServerProcess::ServerProcess(const std::filesystem::path& binary, ServerMode mode) : binary_(binary), mode_(mode) {
  io::SystemRandom random;
  folder_ = std::filesystem::absolute("build") / fmt::format("bench-{:016x}", random.next_u64());
  std::filesystem::create_directories(folder_);
  start();
}

void ServerProcess::start() {
  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) die("no pipe");
  std::vector<std::string> words{"tidegate", "serve",
                                 "--data",   (folder_ / "data").string(),
                                 "--http",   on_loopback(http_port_),
                                 "--mqtt",   on_loopback(mqtt_port_),
                                 "--mqtts"};
  if (mode_ == ServerMode::kOpen) {
    words.insert(words.end(), {"off", "--insecure-dev"});
  } else {
    words.push_back(on_loopback(mqtts_port_));
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(pipe_ends[1], STDOUT_FILENO);
    const int log = ::open((folder_ / "server.log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(log, STDERR_FILENO);
    ::close_range(STDERR_FILENO + 1, ~0U, 0);  // the sockets of the load generator are not the server's
    ::execv(binary_.c_str(), arguments.data());
    ::_exit(127);
  }
  ::close(pipe_ends[1]);
  wait_until_ready(pipe_ends[0]);  // the end stays open: the server may print more
  const boost::json::value addresses = boost::json::parse(contents_of(folder_ / "data" / "server.json"));
  http_port_ = addresses.at("http_port").to_number<uint16_t>();
  mqtt_port_ = addresses.at("mqtt_port").to_number<uint16_t>();
  mqtts_port_ = addresses.at("mqtts_port").to_number<uint16_t>();
  token_ = contents_of(folder_ / "data" / "operator.token");
  token_.pop_back();  // the end of the line
}

void ServerProcess::kill_and_restart() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  start();
}

ServerProcess::~ServerProcess() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string ServerProcess::authority() const { return contents_of(folder_ / "data" / "tls" / "ca.pem"); }

std::unique_ptr<net::HttpClient> ServerProcess::client() const {
  net::HttpClientOptions options;
  const bool secure = mode_ == ServerMode::kSecure;
  options.base_url = fmt::format("{}://127.0.0.1:{}", secure ? "https" : "http", http_port_);
  if (secure) {
    options.ca_pem = authority();
    options.bearer_token = token_;
  }
  auto made = net::HttpClient::create(std::move(options));
  if (!made) die(made.error().to_string());
  return std::move(*made);
}

std::string ServerProcess::call(const std::string& method, const std::string& target, const std::string& body) const {
  net::HttpCall call;
  call.method = method;
  call.target = target;
  call.body = body;
  auto reply = client()->send(call);
  if (!reply) die(reply.error().to_string());
  if (!reply->ok()) die(fmt::format("the server answered {}: {}", reply->status, reply->body));
  return std::move(reply->body);
}

void ServerProcess::sql(const std::string& script) const {
  call("POST", "/api/v1/statements", boost::json::serialize(boost::json::object{{"sql", script}}));
}

std::vector<DeviceAccount> ServerProcess::add_devices(const std::string& prefix, size_t count) const {
  std::string csv = "name,type\n";
  for (size_t i = 0; i < count; ++i) csv += fmt::format("{}-{:06},meter\n", prefix, i);
  const auto answer = boost::json::parse(call("POST", "/api/v1/device-imports?tokens=true", csv));
  std::vector<DeviceAccount> accounts;
  for (const auto& [name, token] : answer.at("tokens").as_object()) {
    accounts.push_back({std::string(name), std::string(token.as_string())});
  }
  return accounts;
}

uint64_t ServerProcess::stream_end(const std::string& stream) const {
  return boost::json::parse(call("GET", "/api/v1/streams/" + stream)).at("end_offset").to_number<uint64_t>();
}

}  // namespace tidegate::bench
