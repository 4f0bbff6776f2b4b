#include "api/internal/query_hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "api/internal/log_moment.h"
#include "api/internal/way_out.h"
#include "io/thread.h"
#include "net/http_problem.h"
#include "security/policy_gate.h"

namespace tidegate::api {
namespace {

using ResponderPtr = QueryHub::ResponderPtr;

constexpr size_t kIdBytes = 16;

void respond(const ResponderPtr& responder, std::string json, int status = 200) {
  net::HttpResponse response;
  response.status = status;
  response.body = std::move(json);
  if (status == 204) response.content_type.clear();
  response.set_header("Cache-Control", "no-store");
  responder->respond(std::move(response));
}

void respond(const ResponderPtr& responder, const Error& error) { responder->respond(net::problem_response(error)); }

bool same_reader(const security::Principal& a, const security::Principal& b) {
  return a.kind == b.kind && a.name == b.name;
}

Error stopping() { return {ErrorCode::ShuttingDown, "the server is stopping", "", {}}; }

std::string progress_json(const engine::BoundedProgress& progress) {
  return fmt::format(R"({{"rows_read":{},"rows_to_read":{},"skipped":{},"timeless":{},"memory_bytes":{}}})",
                     progress.rows_read, progress.rows_to_read, progress.skipped, progress.timeless,
                     progress.memory_bytes);
}

}  // namespace

struct QueryHub::Session {
  std::string id;
  std::string sql;
  std::string peer;
  security::Principal reader;
  std::vector<StreamId> sources;
  std::unique_ptr<engine::BoundedQuery> query;  // null once all it gives is in `unsent`
  columnar::SchemaPtr schema;
  std::optional<codec::JsonEncoder> encoder;
  // Set by callbacks, from any thread. These must not hold the session itself: see LiveHub.
  Flag ready = std::make_shared<std::atomic<bool>>(true);
  Flag gone;                           // of the request that waits
  ResponderPtr waiting;                // shared as every responder; null: nobody waits
  std::deque<columnar::Batch> unsent;  // taken from the query, from next_row on
  size_t next_row = 0;
  std::string page;  // rows of the page under way
  size_t page_rows = 0;
  size_t max_page_rows = 0;
  std::string next_cursor;  // asks for the page after `last_answer`
  std::string last_cursor;  // asked for `last_answer`; empty: the first request did
  std::string last_answer;  // sent again if its reader has not got it
  engine::BoundedProgress progress;
  uint64_t rows = 0;
  int64_t opened_us = 0;
  int64_t rests_since_us = 0;
  bool over = false;  // the last page was answered, or it failed

  [[nodiscard]] bool page_full() const { return page_rows >= max_page_rows || page.size() >= kMaxPageBytes; }
};

QueryHub::QueryHub(const security::PolicyGate& gate, engine::Engine& engine, const io::Clock& clock,
                   std::function<void(const QueryOutcome&)> on_outcome)
    : gate_(gate), engine_(engine), clock_(clock), on_outcome_(std::move(on_outcome)), thread_([this] {
        io::name_this_thread("tg-results");
        run();
      }) {}

QueryHub::~QueryHub() { stop(); }

void QueryHub::post(const ResponderPtr& responder, std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return respond(responder, stopping());
    posted_.push_back({responder, std::move(work)});
  }
  wake_.notify_one();
}

void QueryHub::wake() {
  {
    const std::lock_guard lock(mutex_);
    work_ = true;
  }
  wake_.notify_one();
}

void QueryHub::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void QueryHub::run() {
  constexpr auto kLook = std::chrono::seconds(1);  // for queries that nobody asks for any more
  for (;;) {
    std::deque<Posted> posted;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, kLook, [this] { return work_ || stopping_ || !posted_.empty(); });
      work_ = false;
      if (stopping_) break;
      posted.swap(posted_);
    }
    for (const Posted& request : posted) request.work();
    posted.clear();
    look_after_all();
    count_ = sessions_.size();
  }
  for (auto& [id, session] : sessions_) end(*session, "failed", stopping());
  sessions_.clear();
  for (const Posted& request : posted_) respond(request.responder, stopping());
}

void QueryHub::look_after_all() {
  const int64_t now_us = clock_.monotonic_us();
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    at = look_after(*at->second, now_us) ? sessions_.erase(at) : std::next(at);
  }
}

// True if it can go.
bool QueryHub::look_after(Session& session, int64_t now_us) {
  if (session.waiting != nullptr && session.gone->load()) {
    if (session.last_answer.empty()) {
      end(session, "cancelled", Error{ErrorCode::Cancelled, "its reader went away", "", {}});
      return true;
    }
    session.waiting = nullptr;
    session.rests_since_us = now_us;
  }
  if (session.waiting != nullptr) return session.ready->exchange(false) && pump(session);
  if (now_us - session.rests_since_us <= kMaxRestUs) return false;
  end(session, "expired", std::nullopt);
  return true;
}

void QueryHub::wait_for_page(Session& session, const ResponderPtr& responder) {
  session.waiting = responder;
  session.ready->store(true);
  session.gone = std::make_shared<std::atomic<bool>>(false);
  responder->on_gone([this, gone = session.gone] {
    gone->store(true);
    wake();
  });
}

void QueryHub::open(QueryRequest request, security::Principal reader, const ResponderPtr& responder) {
  const auto shared = std::make_shared<QueryRequest>(std::move(request));  // std::function wants to be copyable
  post(responder, [this, shared, reader = std::move(reader), responder] { start(*shared, reader, responder); });
}

std::string QueryHub::make_id() {
  std::string id;
  for (const char byte : random_.bytes(kIdBytes)) id += fmt::format("{:02x}", static_cast<uint8_t>(byte));
  return id;
}

Result<> QueryHub::check_room(const QueryRequest& request, const security::Principal& reader) {
  if (sessions_.contains(request.id)) {
    return fail(ErrorCode::AlreadyExists, fmt::format("there is a query '{}' already", request.id));
  }
  // Those that are only kept in case their last page must be sent again give way.
  std::erase_if(sessions_, [this](const auto& entry) {
    return sessions_.size() >= kMaxQueries / 2 && entry.second->over && entry.second->waiting == nullptr;
  });
  const auto own = std::ranges::count_if(
      sessions_, [&](const auto& entry) { return same_reader(entry.second->reader, reader) && !entry.second->over; });
  if (static_cast<size_t>(own) >= kMaxQueriesPerReader) {
    return fail(ErrorCode::LimitReached, fmt::format("you have {} queries open already", kMaxQueriesPerReader),
                "Fetch their pages to the end, or DELETE some.");
  }
  if (sessions_.size() >= kMaxQueries) {
    return fail(ErrorCode::LimitReached, fmt::format("{} queries are open already", kMaxQueries),
                "Try again in a moment.");
  }
  return {};
}

void QueryHub::start(QueryRequest& request, const security::Principal& reader, const ResponderPtr& responder) {
  if (request.id.empty()) request.id = make_id();
  if (const auto room = check_room(request, reader); !room) return respond(responder, room.error());
  auto session = std::make_unique<Session>();
  session->sources = streams_of(request.plan);
  for (const StreamId source : session->sources) {
    if (const auto allowed = gate_.may_read(reader, source); !allowed) return respond(responder, allowed.error());
  }
  request.options.on_ready = [this, ready = session->ready] {
    if (!ready->exchange(true)) wake();
  };
  auto query = engine_.open_bounded(std::move(request.plan), std::move(request.options));
  if (!query) return respond(responder, query.error());
  session->id = request.id;
  session->sql = std::move(request.sql);
  session->peer = std::move(request.peer);
  session->reader = reader;
  session->query = std::move(*query);
  session->schema = session->query->schema();
  session->encoder.emplace(session->schema);
  session->max_page_rows = request.page_rows;
  session->opened_us = clock_.monotonic_us();
  wait_for_page(*session, responder);
  sessions_.emplace(request.id, std::move(session));
}

// A query is its reader's own; an administrator may end it.
Result<QueryHub::Session*> QueryHub::find(const std::string& id, const security::Principal& reader, bool as_admin) {
  const auto found = sessions_.find(id);
  const bool visible =
      found != sessions_.end() && (same_reader(found->second->reader, reader) || (as_admin && reader.admin));
  if (visible) return found->second.get();
  return fail(ErrorCode::NotFound, fmt::format("there is no query '{}'", id),
              fmt::format("It was cancelled, or its next page was not asked for within {} s; ask again.",
                          kMaxRestUs / kMicrosPerSecond));
}

void QueryHub::fetch(std::string id, std::string cursor, security::Principal reader, const ResponderPtr& responder) {
  post(responder, [this, id = std::move(id), cursor = std::move(cursor), reader = std::move(reader), responder] {
    const auto session = find(id, reader, false);
    if (!session) return respond(responder, session.error());
    Session& found = **session;
    found.rests_since_us = clock_.monotonic_us();
    if (!found.last_answer.empty() && !cursor.empty() && cursor == found.last_cursor && found.waiting == nullptr) {
      return respond(responder, found.last_answer);
    }
    if (found.over || cursor.empty() || cursor != found.next_cursor) {
      return respond(responder, Error{ErrorCode::NotFound,
                                      "there is no such page of this query (any more)",
                                      "Pages are fetched one after the other, by `next` of the page before.",
                                      {}});
    }
    if (found.waiting != nullptr) {
      respond(found.waiting, Error{ErrorCode::Cancelled, "somebody else has asked for this page meanwhile", "", {}});
    }
    wait_for_page(found, responder);
  });
}

void QueryHub::cancel(std::string id, security::Principal reader, const ResponderPtr& responder) {
  post(responder, [this, id = std::move(id), reader = std::move(reader), responder] {
    const auto session = find(id, reader, true);
    if (!session) return respond(responder, session.error());
    end(**session, "cancelled", Error{ErrorCode::Cancelled, "the query was cancelled", "", {}});
    sessions_.erase(id);
    respond(responder, "", 204);
  });
}

void QueryHub::list(security::Principal reader, const ResponderPtr& responder) {
  post(responder, [this, reader = std::move(reader), responder] {
    std::string out = "{\"queries\":[";
    for (const auto& [id, session] : sessions_) {
      if (session->over || (!reader.admin && !same_reader(session->reader, reader))) continue;
      if (out.back() != '[') out += ',';
      const bool works = session->query != nullptr;
      out += fmt::format(R"({{"id":{},"reader":{},"sql":{},"elapsed_ms":{},"rows":{},"state":"{}","progress":{}}})",
                         net::json_string(id), net::json_string(security::audit_name(session->reader)),
                         net::json_string(session->sql), (clock_.monotonic_us() - session->opened_us) / kMicrosPerMilli,
                         session->rows, session->waiting ? "working" : "resting",
                         progress_json(works ? session->query->progress() : session->progress));
    }
    respond(responder, out + "]}");
  });
}

// Rows into the page until it is full or there are no more at hand.
Result<> QueryHub::encode(Session& session) {
  while (!session.unsent.empty() && !session.page_full()) {
    const columnar::Batch& batch = session.unsent.front();
    TRY_ASSIGN(const CheckedBatch checked, gate_.check(session.reader, session.sources.front(), batch));
    for (; session.next_row < batch.rows && !session.page_full(); ++session.next_row, ++session.page_rows) {
      if (!session.page.empty()) session.page += ',';
      append_row(*session.encoder, checked, session.next_row, session.page);
    }
    if (session.next_row < batch.rows) return {};
    session.unsent.pop_front();
    session.next_row = 0;
  }
  return {};
}

bool QueryHub::pump(Session& session) {
  for (bool more = true; more;) {
    if (Result<> encoded = encode(session); !encoded) {
      end(session, "failed", std::move(encoded.error()));
      return true;
    }
    if (!session.unsent.empty() || session.query == nullptr) break;
    engine::BoundedUpdate update = session.query->take();
    session.progress = session.query->progress();
    if (update.error) {
      end(session, "failed", std::move(update.error));
      return true;
    }
    more = !update.batches.empty() || update.ended;
    for (columnar::Batch& batch : update.batches) session.unsent.push_back(std::move(batch));
    if (update.ended) session.query.reset();
  }
  const bool last = session.query == nullptr && session.unsent.empty();
  if (!last && !session.page_full()) return false;
  answer_page(session, last);
  return session.over && session.last_cursor.empty();
}

void QueryHub::answer_page(Session& session, bool last) {
  session.rows += session.page_rows;
  session.last_cursor = std::exchange(session.next_cursor, last ? std::string() : make_id());
  std::string columns = schema_json(*session.schema);
  columns = columns.substr(1, columns.size() - 2);
  session.last_answer =
      fmt::format(R"({{"id":{},{},"rows":[{}],"next":{},"progress":{}}})", net::json_string(session.id), columns,
                  session.page, last ? "null" : net::json_string(session.next_cursor), progress_json(session.progress));
  session.page.clear();
  session.page_rows = 0;
  respond(session.waiting, session.last_answer);
  session.waiting = nullptr;
  session.rests_since_us = clock_.monotonic_us();
  if (last) end(session, "finished", std::nullopt);
}

void QueryHub::end(Session& session, std::string how, std::optional<Error> error) {
  session.query.reset();
  session.unsent.clear();
  if (session.waiting != nullptr && error) respond(session.waiting, *error);
  session.waiting = nullptr;
  if (std::exchange(session.over, true)) return;
  on_outcome_({session.reader, session.sql, session.peer, session.rows, clock_.monotonic_us() - session.opened_us,
               std::move(how), std::move(error)});
}

}  // namespace tidegate::api
