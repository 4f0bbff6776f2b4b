// Where the server is, how to trust it and who we are; and calls of its API.
#pragma once

#include <boost/json/fwd.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/internal/output.h"
#include "net/http_client.h"

namespace tidegate::cli {

// Options of every command that talks to a server.
struct ClientOptions {
  std::filesystem::path data = "data";
  bool data_given = false;        // somebody named it, so it goes before the context in use
  std::string context;            // of `tidegate context`; empty: the one in use, if any
  std::string server;             // "https://host:8443"; empty: the one that runs on the data folder
  std::string token;              // empty: the operator's token of the data folder, else that of `tidegate login`
  std::filesystem::path ca_file;  // empty: the data folder's, else that of `tidegate login`, else the system's
  OutputFormat format = OutputFormat::kTable;
};

// What `tidegate login` keeps in ~/.config/tidegate/session.json (0600).
struct SavedSession {
  std::string server;
  std::string token;
  std::string ca_pem;
};
[[nodiscard]] std::filesystem::path session_file();
[[nodiscard]] Result<SavedSession> load_session(const std::filesystem::path& file);  // all empty if there is none
[[nodiscard]] Result<> save_session(const std::filesystem::path& file, const SavedSession& session);

// Where and as whom, after looking at options, data folder and saved session.
struct Access {
  std::string url;
  std::string token;
  std::string ca_pem;
};
// --server, else --context, else a data folder that was named, else the context in use, else the folder ./data, else
// the server of the last login. ConfigInvalid when there is neither --server nor a data folder that a server has run
// on.
[[nodiscard]] Result<Access> find_access(const ClientOptions& options, const std::filesystem::path& session);

// The ports of the server that runs on a data folder (its server.json).
struct ServerFile {
  std::string http_url;
  uint16_t mqtt_port = 0;  // 0: off
  uint16_t mqtts_port = 0;
};
[[nodiscard]] Result<ServerFile> read_server_file(const std::filesystem::path& data);

class Connection {
 public:
  // Waits so long for an answer.
  [[nodiscard]] static Result<Connection> open(const ClientOptions& options, int answer_timeout_ms = 60'000);

  // The answer's JSON (null without a body); the server's error as it was raised there, with its position.
  [[nodiscard]] Result<boost::json::value> call(std::string_view method, std::string_view target,
                                                std::string_view body = {});
  // The same, and the body of an error answer too (a script's results before its error).
  [[nodiscard]] Result<net::HttpReply> raw(std::string_view method, std::string_view target, std::string_view body);
  [[nodiscard]] net::HttpClient& client() { return *client_; }
  [[nodiscard]] const Access& access() const { return access_; }

 private:
  Access access_;
  std::unique_ptr<net::HttpClient> client_;
};

// An RFC 9457 answer of the server as the error it was made from.
[[nodiscard]] Error error_of(const net::HttpReply& reply);

}  // namespace tidegate::cli
