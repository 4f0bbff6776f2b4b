// Queries over what is stored, and their pages on the way to the readers.
//
//   POST --> working --page full--> resting --next page asked for--> working ... --> ended
//               |  first reader gone        | not asked for in time
//               '----------> cancelled   expired <--'        (an error of the query: failed)
//
// Who goes away while a later page is made may still come back for it: the query rests meanwhile.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "io/clock.h"
#include "io/random.h"
#include "net/http_handler.h"
#include "security/principal.h"

namespace tidegate::security {
class PolicyGate;
}

namespace tidegate::api {

// A query as its reader asked for it.
struct QueryRequest {
  std::string id;  // empty: made up
  std::string sql;
  sql::Plan plan;
  engine::BoundedOptions options;
  size_t page_rows = 0;
  std::string peer;  // for the audit log
};

// What became of a query, once.
struct QueryOutcome {
  security::Principal reader;
  std::string sql;
  std::string peer;
  uint64_t rows = 0;  // that left
  int64_t elapsed_us = 0;
  std::string how;  // "finished", "cancelled", "expired", or why it failed
  std::optional<Error> error;
};

// All but the face on a thread of its own, which encodes the pages. Any thread.
class QueryHub {
 public:
  using ResponderPtr = std::shared_ptr<net::HttpResponder>;  // shared: see net::HttpHandler

  // Queries under way or with pages to fetch: each may hold BoundedOptions::max_memory_bytes, a page and what waits.
  static constexpr size_t kMaxQueries = 16;
  static constexpr size_t kMaxQueriesPerReader = 8;  // so that nobody takes all of them
  static constexpr size_t kMaxPageRows = 10'000;
  static constexpr size_t kMaxPageBytes = 8U << 20;  // a page is cut when it is longer
  // A page not asked for within this time is not waited for any longer.
  static constexpr int64_t kMaxRestUs = 60 * kMicrosPerSecond;

  QueryHub(const security::PolicyGate& gate, engine::Engine& engine, const io::Clock& clock,
           std::function<void(const QueryOutcome&)> on_outcome);
  ~QueryHub();

  // Each answers `responder`: with the first page, the next one, nothing, the list.
  void open(QueryRequest request, security::Principal reader, const ResponderPtr& responder);
  void fetch(std::string id, std::string cursor, security::Principal reader, const ResponderPtr& responder);
  void cancel(std::string id, security::Principal reader, const ResponderPtr& responder);
  void list(security::Principal reader, const ResponderPtr& responder);
  void stop();  // every query ends
  [[nodiscard]] size_t queries() const { return count_; }

 private:
  struct Session;
  using Flag = std::shared_ptr<std::atomic<bool>>;  // shared with the callbacks of engine and socket
  struct Posted {
    ResponderPtr responder;
    std::function<void()> work;
  };
  using SessionPtr = std::unique_ptr<Session>;

  void run();
  void post(const ResponderPtr& responder, std::function<void()> work);
  void wake();
  void look_after_all();
  bool look_after(Session& session, int64_t now_us);
  void wait_for_page(Session& session, const ResponderPtr& responder);
  void start(QueryRequest& request, const security::Principal& reader, const ResponderPtr& responder);
  [[nodiscard]] Result<> check_room(const QueryRequest& request, const security::Principal& reader);
  [[nodiscard]] Result<Session*> find(const std::string& id, const security::Principal& reader, bool as_admin);
  [[nodiscard]] Result<> encode(Session& session);
  // What there is of the page that is waited for; true if the session is over and can go.
  bool pump(Session& session);
  void answer_page(Session& session, bool last);
  void end(Session& session, std::string how, std::optional<Error> error);
  [[nodiscard]] std::string make_id();

  const security::PolicyGate& gate_;
  engine::Engine& engine_;
  const io::Clock& clock_;
  const std::function<void(const QueryOutcome&)> on_outcome_;
  io::SystemRandom random_;
  std::map<std::string, SessionPtr> sessions_;  // the hub's thread
  std::atomic<size_t> count_{0};

  std::mutex mutex_;  // with a condition variable
  std::condition_variable wake_;
  std::deque<Posted> posted_;  // no longer than there are connections, each of which has one request
  bool work_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tidegate::api
