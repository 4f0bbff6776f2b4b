#include "cli/cli.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <vector>

#include "cli/internal/commands.h"
#include "io/file.h"

namespace tidegate::cli {
namespace {

namespace fs = std::filesystem;

struct Folder {
  explicit Folder(const char* name) : path(fs::temp_directory_path() / (std::string("tidegate_cli_") + name)) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  void write(const char* name, std::string_view text) const {
    fs::create_directories((path / name).parent_path());
    REQUIRE(io::write_file_atomic(path / name, text, io::FilePrivacy::kOwnerOnly).has_value());
  }
  fs::path path;
};

struct Served {
  int code = 0;
  std::optional<ServeOptions> options;
};

Served run(std::vector<std::string> words) {
  words.insert(words.begin(), "tidegate");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  Served served;
  served.code = run_cli(static_cast<int>(arguments.size()), arguments.data(), [&](const ServeOptions& options) {
    served.options = options;
    return 7;
  });
  return served;
}

TEST_CASE("serve gets its options, global ones before or after the word") {
  const Served plain = run({"--data", "/srv/x", "serve"});
  CHECK(plain.code == 7);
  REQUIRE(plain.options.has_value());
  CHECK(plain.options->data == "/srv/x");
  CHECK(plain.options->http == ListenAddress{"127.0.0.1", 8443});
  CHECK(plain.options->mqtt == ListenAddress{"127.0.0.1", 1883});
  CHECK(plain.options->mqtts == ListenAddress{"127.0.0.1", 8883});
  CHECK_FALSE(plain.options->insecure_dev);

  const Served full = run({"serve", "--data", "d", "--http", "[::1]:0", "--mqtt", "off", "--mqtts", "0.0.0.0:8884",
                           "--threads", "3", "--pipeline-memory", "2GB", "--time-zone", "Europe/Paris",
                           "--insecure-dev", "--log-json", "--log-level", "warn"});
  REQUIRE(full.options.has_value());
  CHECK(full.options->http == ListenAddress{"::1", 0});
  CHECK_FALSE(full.options->mqtt.has_value());
  CHECK(full.options->mqtts == ListenAddress{"0.0.0.0", 8884});
  CHECK(full.options->threads == 3);
  CHECK(full.options->pipeline_memory == size_t{2} << 30);
  CHECK(full.options->time_zone == "Europe/Paris");
  CHECK(full.options->insecure_dev);
  CHECK(full.options->log_format == LogFormat::kJson);
  CHECK(full.options->log_level == LogLevel::kWarn);
}

TEST_CASE("a command line that makes no sense ends with 2") {
  CHECK(run({}).code == 2);
  CHECK(run({"swim"}).code == 2);
  CHECK(run({"serve", "--http", "nowhere"}).code == 2);
  CHECK(run({"serve", "--threads", "0"}).code == 2);
  CHECK(run({"serve", "--time-zone", "Mars/Base"}).code == 2);
  CHECK(run({"stream"}).code == 2);
  CHECK(run({"stream", "get"}).code == 2);
  CHECK(run({"sim", "--qos", "3"}).code == 2);
  CHECK(run({"status", "-o", "xml"}).code == 2);
  CHECK(run({"--version"}).code == 0);
  CHECK(run({"sql", "--help"}).code == 0);
}

TEST_CASE("addresses to listen on") {
  CHECK(parse_listen_address("127.0.0.1:8443").value() == ListenAddress{"127.0.0.1", 8443});
  CHECK(parse_listen_address(":1883").value() == ListenAddress{"127.0.0.1", 1883});
  CHECK(parse_listen_address("[::]:1").value() == ListenAddress{"::", 1});
  for (const char* wrong : {"", "8443", "host:", "host:x", "host:70000", "::1:80", "host:80x", "host:-1"}) {
    CHECK_FALSE(parse_listen_address(wrong).has_value());
  }
}

TEST_CASE("what is a query") {
  CHECK(is_query("SELECT 1"));
  CHECK(is_query("  -- why\n /* c */ select\n*"));
  CHECK(is_query("WITH a AS (SELECT 1) SELECT * FROM a"));
  CHECK(is_query("(SELECT 1)"));
  CHECK_FALSE(is_query("SELECTED"));
  CHECK_FALSE(is_query("INSERT INTO a SELECT 1"));
  CHECK_FALSE(is_query("-- SELECT"));
  CHECK_FALSE(is_query("/* SELECT"));
  CHECK_FALSE(is_query(""));
}

TEST_CASE("server, token and authority are found in the order that was promised") {
  const Folder folder("access");
  ClientOptions options;
  options.data = folder.path / "data";
  const fs::path session = folder.path / "config" / "session.json";
  CHECK(find_access(options, session).error().code == ErrorCode::ConfigInvalid);

  REQUIRE(save_session(session, {"https://far:8443", "far-token", "FAR CA"}).has_value());
  CHECK((fs::status(session).permissions() & fs::perms::all) == (fs::perms::owner_read | fs::perms::owner_write));
  Access access = find_access(options, session).value();
  CHECK(access.url == "https://far:8443");
  CHECK(access.token == "far-token");
  CHECK(access.ca_pem == "FAR CA");

  folder.write("data/server.json", R"({"http_url":"https://127.0.0.1:9","mqtt_port":5,"mqtts_port":6})");
  folder.write("data/operator.token", "operator\n");
  folder.write("data/tls/ca.pem", "LOCAL CA");
  access = find_access(options, session).value();
  CHECK(access.url == "https://127.0.0.1:9");
  CHECK(access.token == "operator");
  CHECK(access.ca_pem == "LOCAL CA");
  CHECK(read_server_file(options.data).value().mqtts_port == 6);

  options.server = "https://other:1";
  access = find_access(options, session).value();
  CHECK(access.token.empty());  // another machine never gets the operator's token
  options.token = "mine";
  CHECK(find_access(options, session).value().token == "mine");
}

TEST_CASE("a session file that is damaged is an error, not a crash") {
  const Folder folder("session");
  folder.write("session.json", "{\"server\":");
  CHECK(load_session(folder.path / "session.json").error().code == ErrorCode::ConfigInvalid);
}

TEST_CASE("the server's errors come back as they were raised") {
  net::HttpReply reply;
  reply.status = 400;
  reply.body =
      R"({"status":400,"code":2003,"detail":"unknown column 'tmp'","hint":"Did you mean 'temp'?","line":3,"column":8})";
  const Error error = error_of(reply);
  CHECK(error.code == ErrorCode::SqlUnknownColumn);
  CHECK(error.message == "unknown column 'tmp'");
  CHECK(error.hint == "Did you mean 'temp'?");
  CHECK(error.position == TextPosition{3, 8});
  reply.body = "<html>";
  reply.status = 502;
  CHECK(error_of(reply).message.find("502") != std::string::npos);
}

}  // namespace
}  // namespace tidegate::cli
