// Live queries: `sql --live` with a SELECT, and `tail`.
#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "cli/internal/commands.h"
#include "cli/internal/live_printer.h"

namespace tidegate::cli {
namespace {

// Cancels the client's call when its time is over. Destroying it earlier lets the call be.
class Deadline {
 public:
  Deadline(net::HttpClient& client, int64_t after_us) {
    if (after_us <= 0) return;
    thread_ = std::thread([this, &client, after_us] {
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, std::chrono::microseconds(after_us), [this] { return done_; })) return;
      passed_ = true;
      client.cancel();
    });
  }
  ~Deadline() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  [[nodiscard]] bool passed() {
    const std::lock_guard lock(mutex_);
    return passed_;
  }

 private:
  std::mutex mutex_;  // with a condition variable
  std::condition_variable wake_;
  bool done_ = false;
  bool passed_ = false;
  std::thread thread_;
};

// `says`: to the person in front of it, once the server has taken the query.
Result<> follow(const ClientOptions& options, std::string target, const LiveOptions& live,
                const std::string& query_text, std::string says) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  LivePrinter printer(options.format, live.limit);
  EventStreamParser parser;
  Result<> broken;
  bool reader_gone = false;
  Deadline deadline(connection.client(), live.for_us);
  net::HttpCall call;
  call.target = std::move(target);
  const auto reply = connection.client().stream(call, [&](std::string_view chunk) {
    fmt::print(stderr, "{}", std::exchange(says, {}));
    std::string out;
    const auto more = parser.feed(chunk, [&](const ServerEvent& event) {
      out += printer.text_of(event);
      return !printer.finished();
    });
    reader_gone = !out.empty() && !print(out);
    if (!more) broken = fail(more.error());
    return more.has_value() && *more && !reader_gone;
  });
  TRY(broken);
  if (!printer.error().empty()) return fail(ErrorCode::PipelineFailed, "the query ended: " + printer.error());
  if (printer.finished() || deadline.passed() || reader_gone) return {};
  if (!reply) return fail(reply.error());
  if (reply->ok()) return fail(ErrorCode::ConnectionFailed, "the server closed the connection", "is it still running?");
  const Error error = error_of(*reply);
  if (!error.position || query_text.empty()) return fail(error);
  fmt::print(stderr, "{}\n", error.to_string_with_source(query_text));
  return already_told();
}

}  // namespace

Result<> follow_query(const ClientOptions& options, const std::string& sql, const LiveOptions& live) {
  std::string target = "/api/v1/query/live?sql=" + net::percent_encode(sql);
  if (!live.from.empty()) target += "&from=" + net::percent_encode(live.from);
  const bool for_people = options.format == OutputFormat::kTable;
  return follow(options, std::move(target), live, sql, for_people ? "live: rows as they come, until Ctrl-C\n" : "");
}

Result<> tail_stream(const ClientOptions& options, const std::string& name, const LiveOptions& live) {
  std::string target = "/api/v1/streams/" + net::percent_encode(name) + "/tail";
  if (!live.from.empty()) target += "?from=" + net::percent_encode(live.from);
  return follow(options, std::move(target), live, "", "");
}

}  // namespace tidegate::cli
