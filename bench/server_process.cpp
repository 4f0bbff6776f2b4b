#include "bench/server_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include <boost/json.hpp>

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

boost::json::value answer_of(const Result<net::HttpReply>& reply) {
  if (!reply) die(reply.error().to_string());
  if (!reply->ok()) die(fmt::format("the server answered {}: {}", reply->status, reply->body));
  return boost::json::parse(reply->body);
}

}  // namespace

ServerProcess::ServerProcess(const std::filesystem::path& binary) {
  io::SystemRandom random;
  folder_ = std::filesystem::absolute("build") / fmt::format("bench-{:016x}", random.next_u64());
  std::filesystem::create_directories(folder_);
  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) die("no pipe");
  const std::string data = (folder_ / "data").string();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(pipe_ends[1], STDOUT_FILENO);
    const int log = ::open((folder_ / "server.log").c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(log, STDERR_FILENO);
    ::execl(binary.c_str(), "tidegate", "serve", "--insecure-dev", "--data", data.c_str(), "--http", "127.0.0.1:0",
            "--mqtt", "127.0.0.1:0", "--mqtts", "off", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(pipe_ends[1]);
  wait_until_ready(pipe_ends[0]);
  const auto addresses = io::read_file(folder_ / "data" / "server.json");
  if (!addresses) die(addresses.error().to_string());
  const boost::json::value parsed = boost::json::parse(*addresses);
  http_port_ = parsed.at("http_port").to_number<uint16_t>();
  mqtt_port_ = parsed.at("mqtt_port").to_number<uint16_t>();
}

ServerProcess::~ServerProcess() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::unique_ptr<net::HttpClient> ServerProcess::client() const {
  net::HttpClientOptions options;
  options.base_url = fmt::format("http://127.0.0.1:{}", http_port_);
  auto made = net::HttpClient::create(std::move(options));
  if (!made) die(made.error().to_string());
  return std::move(*made);
}

void ServerProcess::sql(const std::string& script) const {
  net::HttpCall call;
  call.method = "POST";
  call.target = "/api/v1/statements";
  call.body = boost::json::serialize(boost::json::object{{"sql", script}});
  answer_of(client()->send(call));
}

uint64_t ServerProcess::stream_end(const std::string& stream) const {
  net::HttpCall call;
  call.target = "/api/v1/streams/" + stream;
  return answer_of(client()->send(call)).at("end_offset").to_number<uint64_t>();
}

}  // namespace tidegate::bench
