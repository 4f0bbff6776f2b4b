// EgressClient: the one way to servers outside, HTTP(S) and SMTP, by libcurl (docs/decisions/). What EgressRules do not
// allow is refused before anything is looked up, and again for the address that a name led to.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "egress/egress_rules.h"
#include "egress/egress_url.h"

namespace tidegate::egress {

struct EgressOptions {
  EgressRules rules{};
  std::string ca_pem{};             // the authorities to trust; empty: the system's
  int connect_timeout_ms = 10'000;  // name, TCP and TLS together
  int answer_timeout_ms = 30'000;   // of a whole call
};

struct WebPost {
  EgressUrl url;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
};

struct WebAnswer {
  int status = 0;
  std::string retry_after{};  // of the header, empty without
  std::string text{};         // how the body begins
};

struct Mail {
  EgressUrl url;
  std::string user{};  // empty: no AUTH
  std::string password{};
  std::string from{};  // addresses without names
  std::vector<std::string> to{};
  std::string message{};  // RFC 5322, lines ended by CR LF
};

struct MailAnswer {
  bool taken = false;       // by at least one of its recipients' mailboxes
  int status = 0;           // the reply code of RFC 5321 that ended it
  bool of_message = false;  // the reply was to the message itself, not to the sender or the recipients
  std::string text{};       // the reply's last line
};

// One thread at a time; only cancel() may be called from another. TLS 1.2 or later with the server's name verified,
// no redirects, no proxies of the environment; plain text only to this machine.
// Errors: NotAuthorized, InsecureRefused, ConnectionFailed, TlsFailed, Timeout, NotAuthenticated (mail), Cancelled.
// An HTTP status of 400 or more, or an SMTP reply, is not an error.
class EgressClient {
 public:
  [[nodiscard]] static Result<std::unique_ptr<EgressClient>> create(EgressOptions options);
  virtual ~EgressClient() = default;

  [[nodiscard]] virtual Result<WebAnswer> post(const WebPost& post) = 0;
  [[nodiscard]] virtual Result<MailAnswer> send(const Mail& mail) = 0;
  // Ends the call under way and every later one with Cancelled. Any thread.
  virtual void cancel() = 0;
};

}  // namespace tidegate::egress
