#include "cli/internal/stored_query.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "base/ids.h"
#include "cli/internal/commands.h"
#include "cli/internal/json_pieces.h"
#include "cli/internal/row_printer.h"
#include "io/random.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

constexpr int kPageRows = 5000;  // a few hundred KB
// Of the server's own time limit, and what an answer may take beyond it.
constexpr int64_t kUsualTimeoutUs = 60 * kMicrosPerSecond;
constexpr int64_t kGraceUs = 30 * kMicrosPerSecond;

// While it is there, Ctrl-C ends the client's calls instead of the program; the second one ends that.
class Interruption {
 public:
  explicit Interruption(net::HttpClient& client) {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
    thread_ = std::thread([this, &client] {
      for (int signal = 0;;) {
        ::sigwait(&signals_, &signal);
        if (done_) return;
        if (came_.exchange(true)) std::_Exit(kInterruptedExit);
        client.cancel();
      }
    });
  }
  ~Interruption() {
    done_ = true;
    ::pthread_kill(thread_.native_handle(), SIGINT);
    thread_.join();
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  [[nodiscard]] bool came() const { return came_; }

 private:
  sigset_t signals_{};
  sigset_t before_{};
  std::atomic<bool> done_{false};
  std::atomic<bool> came_{false};
  std::thread thread_;
};

struct Page {
  std::string_view rows = "[]";
  std::string next;  // empty: it is the last one
  json::value progress;
};

std::string request_body(const StoredQuery& query, const std::string& id) {
  json::object body{{"sql", query.sql}, {"id", id}, {"page_rows", kPageRows}};
  if (!query.from.empty()) body["from"] = query.from;
  if (!query.to.empty()) body["to"] = query.to;
  if (query.limit) body["limit"] = *query.limit;
  if (query.timeout_us > 0) body["timeout"] = fmt::format("{} ms", std::max<int64_t>(query.timeout_us / 1000, 1));
  return json::serialize(body);
}

std::string make_id() {
  io::SystemRandom random;
  std::string id = "cli-";
  for (int part = 0; part < 2; ++part) id += fmt::format("{:016x}", random.next_u64());
  return id;
}

class StoredQueryRun {
 public:
  StoredQueryRun(const ClientOptions& options, const StoredQuery& query, Connection connection)
      : options_(options),
        query_(query),
        id_(make_id()),
        connection_(std::move(connection)),
        printer_(options.format, 0) {}

  Result<int> run() {
    Result<bool> all = false;
    bool interrupted = false;
    {
      const Interruption interruption(connection_.client());
      all = pages(interruption);
      interrupted = interruption.came();
    }
    if (interrupted || open_) cancel();
    if (interrupted) {
      fmt::print(stderr, "cancelled\n");
      return kInterruptedExit;
    }
    TRY(all);
    return 0;
  }

 private:
  // True if all of them were printed.
  Result<bool> pages(const Interruption& interruption) {
    const auto began = std::chrono::steady_clock::now();
    TRY_ASSIGN(net::HttpReply reply, connection_.raw("POST", "/api/v1/query", request_body(query_, id_)));
    if (!reply.ok()) return refused(reply);
    for (bool first = true;; first = false) {
      TRY_ASSIGN(const Page page, read_page(reply.body, first));
      open_ = !page.next.empty();
      if (first) TRY(printer_.fit(page.rows));
      TRY_ASSIGN(std::string text, printer_.text_of(page.rows));
      if (page.next.empty()) text += printer_.header();  // of no rows
      if (!print(text)) return false;
      if (page.next.empty()) {
        tell(page.progress, std::chrono::steady_clock::now() - began);
        return true;
      }
      if (interruption.came()) return false;
      const std::string target = fmt::format("/api/v1/query/{}?cursor={}", id_, net::percent_encode(page.next));
      TRY_ASSIGN(reply, connection_.raw("GET", target, ""));
      if (!reply.ok()) return fail(error_of(reply));
    }
  }

  Result<bool> refused(const net::HttpReply& reply) const {
    const Error error = error_of(reply);
    if (!error.position) return fail(error);
    fmt::print(stderr, "{}\n", error.to_string_with_source(query_.sql));
    return already_told();
  }

  Result<Page> read_page(std::string_view body, bool first) {
    Page page;
    TRY_ASSIGN(const std::vector<JsonMember> members, json_members(body));
    for (const JsonMember& member : members) {
      if (member.name == "rows") {
        page.rows = member.value;
        continue;
      }
      json::error_code error;
      json::value value = json::parse({member.value.data(), member.value.size()}, error);
      if (error) return fail(ErrorCode::ProtocolViolation, "the server's answer is not JSON: " + error.message());
      if (member.name == "columns" && first) printer_.take_columns(value);
      if (member.name == "next" && value.is_string()) page.next = value.get_string();
      if (member.name == "progress") page.progress = std::move(value);
    }
    return page;
  }

  // On standard error, so that what is printed can be used as it is.
  void tell(const json::value& progress, std::chrono::duration<double> took) const {
    const auto number = [&](std::string_view name) {
      const json::value& value = member(progress, name);
      return value.is_int64() ? value.get_int64() : 0;
    };
    if (options_.format == OutputFormat::kTable) {
      fmt::print(stderr, "{} {}; {} stored records read in {:.2f} s (--live shows what comes)\n", printer_.rows(),
                 printer_.rows() == 1 ? "row" : "rows", number("rows_read"), took.count());
    }
    if (number("skipped") > 0) {
      fmt::print(stderr, "{} records are missing: they could not be read (any more)\n", number("skipped"));
    }
    if (number("timeless") > 0) {
      fmt::print(stderr, "{} records have no event time, and belong to no window\n", number("timeless"));
    }
  }

  // What goes wrong here does not matter: without its reader the query ends by itself.
  void cancel() {
    auto connection = Connection::open(options_);
    if (connection) (void)connection->raw("DELETE", "/api/v1/query/" + id_, "");
  }

  const ClientOptions& options_;
  const StoredQuery& query_;
  const std::string id_;
  Connection connection_;
  RowPrinter printer_;
  bool open_ = false;  // the server keeps something for us
};

}  // namespace

Result<int> run_stored_query(const ClientOptions& options, const StoredQuery& query) {
  const int64_t wait_us = (query.timeout_us > 0 ? query.timeout_us : kUsualTimeoutUs) + kGraceUs;
  TRY_ASSIGN(Connection connection, Connection::open(options, static_cast<int>(wait_us / kMicrosPerMilli)));
  return StoredQueryRun(options, query, std::move(connection)).run();
}

}  // namespace tidegate::cli
