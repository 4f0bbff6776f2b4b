#include "egress/egress_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <string_view>

namespace tidegate::egress {

namespace {

constexpr size_t kMaxAnswerText = 512;  // enough of an error page to recognise it
constexpr int kPollMs = 1000;           // the longest wait without looking around; cancel() does not wait for it

struct SListFree {
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};
using StringList = std::unique_ptr<curl_slist, SListFree>;

void append(StringList& list, const std::string& text) {
  list.reset(::curl_slist_append(list.release(), text.c_str()));
}

std::optional<IpAddress> address_of(const curl_sockaddr& target) {
  if (target.family == AF_INET) {
    return IpAddress::from_bytes(&reinterpret_cast<const sockaddr_in&>(target.addr).sin_addr, 4);
  }
  if (target.family == AF_INET6) {
    return IpAddress::from_bytes(&reinterpret_cast<const sockaddr_in6&>(target.addr).sin6_addr, 16);
  }
  return std::nullopt;
}

class CurlClient final : public EgressClient {
 public:
  explicit CurlClient(EgressOptions options)
      : options_(std::move(options)), multi_(::curl_multi_init()), easy_(::curl_easy_init()) {}
  ~CurlClient() override {
    ::curl_easy_cleanup(easy_);
    ::curl_multi_cleanup(multi_);
  }
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;

  Result<WebAnswer> post(const WebPost& post) override;
  Result<MailAnswer> send(const Mail& mail) override;
  void cancel() override {
    cancelled_ = true;
    ::curl_multi_wakeup(multi_);
  }

 private:
  Result<> prepare(const EgressUrl& url);
  struct Outcome {
    CURLcode code = CURLE_OK;
    int status = 0;  // the last that the server gave
  };
  Result<Outcome> perform();
  [[nodiscard]] Error error_of(CURLcode code) const;
  curl_socket_t open_socket(curl_sockaddr& address);

  static curl_socket_t on_open(void* self, curlsocktype, curl_sockaddr* address) {
    return static_cast<CurlClient*>(self)->open_socket(*address);
  }
  static size_t on_body(char* data, size_t, size_t size, void* self) {
    std::string& text = static_cast<CurlClient*>(self)->text_;
    text.append(data, std::min(size, kMaxAnswerText - text.size()));
    return size;
  }
  static size_t on_header(char* data, size_t, size_t size, void* self) {
    constexpr std::string_view kName = "retry-after:";
    std::string_view line(data, size);
    if (line.size() <= kName.size() || normal_host(line.substr(0, kName.size())) != kName) return size;
    line.remove_prefix(kName.size());
    while (line.starts_with(' ')) line.remove_prefix(1);
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n' || line.back() == ' ')) line.remove_suffix(1);
    static_cast<CurlClient*>(self)->retry_after_ = line;
    return size;
  }
  // A line of an SMTP reply.
  static size_t on_reply(char* data, size_t, size_t size, void* self) {
    std::string_view line(data, std::min(size, kMaxAnswerText));
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    static_cast<CurlClient*>(self)->text_ = line;
    return size;
  }
  static size_t on_upload(char* out, size_t, size_t room, void* self) {
    std::string_view& rest = static_cast<CurlClient*>(self)->upload_;
    const size_t size = rest.copy(out, room);
    rest.remove_prefix(size);
    return size;
  }

  const EgressOptions options_;
  CURLM* multi_;
  CURL* easy_;
  std::atomic<bool> cancelled_{false};
  // Of the call under way.
  EgressUrl url_;
  std::string text_;
  std::string retry_after_;
  std::string_view upload_;
  std::optional<Error> refused_;  // why the last address was not connected to
  char detail_[CURL_ERROR_SIZE] = "";
};

// libcurl asks for a socket after it looked the name up: the address is the one it is about to connect to.
curl_socket_t CurlClient::open_socket(curl_sockaddr& target) {
  const auto address = address_of(target);
  if (!address) return CURL_SOCKET_BAD;
  if (auto allowed = options_.rules.check_address(url_.host, url_.port, *address); !allowed) {
    refused_ = std::move(allowed.error());
    return CURL_SOCKET_BAD;
  }
  const bool implicit_tls = url_.scheme == "https" || url_.scheme == "smtps";
  const bool plain = !implicit_tls && !url_.is_mail();  // mail upgrades by STARTTLS, or perform() fails
  if (plain && !address->is_loopback()) {
    refused_ = Error{ErrorCode::InsecureRefused, fmt::format("{} is plain text off this machine", url_.host),
                     "use https://", std::nullopt};
    return CURL_SOCKET_BAD;
  }
  const int socket = ::socket(target.family, target.socktype | SOCK_CLOEXEC, target.protocol);
  return socket < 0 ? CURL_SOCKET_BAD : socket;
}

Result<> CurlClient::prepare(const EgressUrl& url) {
  if (cancelled_) return fail(ErrorCode::Cancelled, "the call was cancelled");
  TRY(options_.rules.check_host(url.host, url.port));
  url_ = url;
  text_.clear();
  retry_after_.clear();
  upload_ = {};
  refused_.reset();
  detail_[0] = '\0';
  ::curl_easy_reset(easy_);
  const auto set = [&](CURLoption option, auto value) { ::curl_easy_setopt(easy_, option, value); };
  set(CURLOPT_URL, url_.text.c_str());
  set(CURLOPT_PROTOCOLS_STR, url_.scheme.c_str());
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");  // what leaves goes to the listed target itself, whatever the environment says
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ERRORBUFFER, detail_);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout_ms));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.answer_timeout_ms));
  set(CURLOPT_OPENSOCKETFUNCTION, &on_open);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  if (!options_.ca_pem.empty()) {
    curl_blob blob{const_cast<char*>(options_.ca_pem.data()), options_.ca_pem.size(), CURL_BLOB_COPY};
    set(CURLOPT_CAINFO_BLOB, &blob);
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // these alone, not the system's besides
  }
  return {};
}

// Runs the prepared call.
Result<CurlClient::Outcome> CurlClient::perform() {
  ::curl_multi_add_handle(multi_, easy_);
  std::optional<CURLcode> done;
  while (!done && !cancelled_) {
    int running = 0;
    int left = 0;
    ::curl_multi_perform(multi_, &running);
    while (const CURLMsg* message = ::curl_multi_info_read(multi_, &left)) {
      if (message->msg == CURLMSG_DONE) done = message->data.result;
    }
    if (!done) ::curl_multi_poll(multi_, nullptr, 0, kPollMs, nullptr);
  }
  ::curl_multi_remove_handle(multi_, easy_);
  if (!done) return fail(ErrorCode::Cancelled, "the call was cancelled");
  long status = 0;
  ::curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  return Outcome{*done, static_cast<int>(status)};
}

Error CurlClient::error_of(CURLcode code) const {
  if (refused_ && (code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK)) return *refused_;
  const std::string text = detail_[0] != '\0' ? detail_ : ::curl_easy_strerror(code);
  const auto error = [&](ErrorCode which, std::string hint = {}) {
    return Error{which, fmt::format("{} port {}: {}", url_.host, url_.port, text), std::move(hint), std::nullopt};
  };
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return error(ErrorCode::Timeout);
    case CURLE_LOGIN_DENIED: return error(ErrorCode::NotAuthenticated, "check the user and the secret");
    case CURLE_USE_SSL_FAILED: return error(ErrorCode::TlsFailed, "the mail server offers no STARTTLS");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return error(ErrorCode::TlsFailed, "name the authority that signed its certificate: 'ca.file'");
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CERTPROBLEM: return error(ErrorCode::TlsFailed);
    default: return error(ErrorCode::ConnectionFailed);
  }
}

Result<WebAnswer> CurlClient::post(const WebPost& post) {
  TRY(prepare(post.url));
  StringList headers;
  for (const auto& [name, value] : post.headers) append(headers, fmt::format("{}: {}", name, value));
  append(headers, "Expect:");  // no waiting for 100 Continue
  ::curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers.get());
  ::curl_easy_setopt(easy_, CURLOPT_USERAGENT, "Tidegate");
  ::curl_easy_setopt(easy_, CURLOPT_POST, 1L);
  ::curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post.body.size()));
  ::curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, post.body.c_str());
  ::curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &on_header);
  ::curl_easy_setopt(easy_, CURLOPT_HEADERDATA, static_cast<void*>(this));
  TRY_ASSIGN(const Outcome outcome, perform());
  if (outcome.code != CURLE_OK) return fail(error_of(outcome.code));
  return WebAnswer{outcome.status, retry_after_, text_};
}

Result<MailAnswer> CurlClient::send(const Mail& mail) {
  TRY(prepare(mail.url));
  StringList to;
  for (const std::string& address : mail.to) append(to, fmt::format("<{}>", address));
  const std::string from = fmt::format("<{}>", mail.from);
  // Plain text is for this machine alone.
  const auto literal = IpAddress::parse(mail.url.host);
  const bool here = mail.url.host == "localhost" || (literal && literal->is_loopback());
  const bool must_start_tls = mail.url.scheme == "smtp" && !(here && mail.user.empty());
  if (mail.url.scheme == "smtp") {
    ::curl_easy_setopt(easy_, CURLOPT_USE_SSL, static_cast<long>(must_start_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
  }
  if (!mail.user.empty()) {
    ::curl_easy_setopt(easy_, CURLOPT_USERNAME, mail.user.c_str());
    ::curl_easy_setopt(easy_, CURLOPT_PASSWORD, mail.password.c_str());
  }
  ::curl_easy_setopt(easy_, CURLOPT_MAIL_FROM, from.c_str());
  ::curl_easy_setopt(easy_, CURLOPT_MAIL_RCPT, to.get());
  upload_ = mail.message;
  ::curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
  ::curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &on_upload);
  ::curl_easy_setopt(easy_, CURLOPT_READDATA, static_cast<void*>(this));
  ::curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(mail.message.size()));
  ::curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &on_reply);
  ::curl_easy_setopt(easy_, CURLOPT_HEADERDATA, static_cast<void*>(this));
  ::curl_easy_setopt(easy_, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);  // one address that is gone silences no alarm
  TRY_ASSIGN(const Outcome outcome, perform());
  if (outcome.code == CURLE_OK) return MailAnswer{true, outcome.status, true, text_};
  if (outcome.code == CURLE_LOGIN_DENIED || outcome.status < 400) return fail(error_of(outcome.code));
  // libcurl's error for the reply that follows the message's last line.
  const bool of_message = outcome.code == CURLE_WEIRD_SERVER_REPLY || outcome.code == CURLE_RECV_ERROR;
  return MailAnswer{false, outcome.status, of_message, text_};
}

}  // namespace

Result<std::unique_ptr<EgressClient>> EgressClient::create(EgressOptions options) {
  // Once a process; the standard makes the initialisation of a local static safe between threads.
  static const CURLcode kReady = ::curl_global_init(CURL_GLOBAL_DEFAULT);
  if (kReady != CURLE_OK) return fail(ErrorCode::ConnectionFailed, "libcurl could not be set up");
  return std::make_unique<CurlClient>(std::move(options));
}

}  // namespace tidegate::egress
