#include "api/internal/live_hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>

#include "api/internal/log_moment.h"
#include "api/internal/way_out.h"
#include "io/thread.h"
#include "net/http_problem.h"
#include "security/policy_gate.h"

namespace tidegate::api {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::string event(std::string_view name, std::string_view data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, data);
}

}  // namespace

// What the callbacks of engine and socket set, from any thread. They must not hold the session itself: the last one to
// let go of it would destroy the query from inside the query's own callback, which waits for that callback to end.
struct LiveHub::Signals {
  std::atomic<bool> ready{true};  // there may be rows already
  std::atomic<bool> closed{false};
};

// On the hub's thread once it is listed.
struct LiveHub::Session {
  security::Principal reader;
  std::vector<StreamId> sources;  // what the query reads; at least one
  std::unique_ptr<engine::LiveQuery> query;
  std::optional<codec::JsonEncoder> encoder;
  std::shared_ptr<net::HttpStream> stream;                         // shared with the network thread
  std::shared_ptr<Signals> signals = std::make_shared<Signals>();  // shared with the callbacks
  engine::LiveUpdate unsent;  // taken from the query and not yet written, from next_batch and next_row on
  size_t next_batch = 0;
  size_t next_row = 0;
  SteadyClock::time_point last_sent = SteadyClock::now();
};

LiveHub::LiveHub(const security::PolicyGate& gate, engine::Engine& engine)
    : gate_(gate), engine_(engine), thread_([this] {
        io::name_this_thread("tg-live");
        run();
      }) {}

LiveHub::~LiveHub() { stop(); }

void LiveHub::wake() {
  {
    const std::lock_guard lock(mutex_);
    work_ = true;
  }
  wake_.notify_one();
}

void LiveHub::open(sql::Plan plan, std::vector<engine::SourceStart> starts, security::Principal reader,
                   const std::shared_ptr<net::HttpResponder>& responder) {
  if (readers() >= kMaxReaders) {
    return responder->respond(net::problem_response(
        {ErrorCode::LimitReached, fmt::format("{} live queries are open already", kMaxReaders), "Close one.", {}}));
  }
  const auto session = std::make_shared<Session>();  // shared by the list and the round under way
  session->reader = std::move(reader);
  const auto mark = [this, signals = session->signals](std::atomic<bool> Signals::* flag) {
    if (!((*signals).*flag).exchange(true)) wake();
  };
  session->sources = streams_of(plan);
  for (const StreamId source : session->sources) {
    if (const auto allowed = gate_.may_read(session->reader, source); !allowed) {
      return responder->respond(net::problem_response(allowed.error()));
    }
  }
  engine::LiveOptions options;
  options.starts = std::move(starts);
  options.on_ready = [mark] { mark(&Signals::ready); };
  auto query = engine_.open_live(std::move(plan), std::move(options));
  if (!query) return responder->respond(net::problem_response(query.error()));
  session->query = std::move(*query);
  session->encoder.emplace(session->query->schema());
  net::HttpResponse head;
  head.content_type = "text/event-stream";
  head.set_header("Cache-Control", "no-cache");
  session->stream = responder->stream(std::move(head), [mark] { mark(&Signals::closed); });
  session->stream->write(event("schema", schema_json(*session->query->schema())));
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return session->stream->close();
    sessions_.push_back(session);
  }
  wake();
}

size_t LiveHub::readers() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

void LiveHub::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void LiveHub::run() {
  std::vector<std::shared_ptr<Session>> sessions;
  std::vector<std::shared_ptr<Session>> over;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, std::chrono::milliseconds(kRetryMs), [this] { return work_ || stopping_; });
      work_ = false;
      if (stopping_) break;
      const auto open = [](const auto& session) { return !session->signals->closed.load(); };
      const auto first_over = std::stable_partition(sessions_.begin(), sessions_.end(), open);
      over.assign(std::make_move_iterator(first_over), std::make_move_iterator(sessions_.end()));
      sessions_.erase(first_over, sessions_.end());
      sessions = sessions_;
    }
    // Destroying a query waits for its callback under way, and that one takes the lock: never under it.
    over.clear();
    serve(sessions);
  }
  {
    const std::lock_guard lock(mutex_);
    sessions = std::move(sessions_);
    sessions_.clear();
  }
  for (const auto& session : sessions) {
    session->stream->write(event("end", R"({"error":"the server is stopping"})"));
    session->stream->close();
  }
}

void LiveHub::serve(const std::vector<std::shared_ptr<Session>>& sessions) {
  const auto now = SteadyClock::now();
  for (const auto& session : sessions) {
    if (session->signals->closed) continue;
    const bool room = session->stream->queued_bytes() < kMaxUnsentBytes;
    if (room && session->signals->ready.exchange(false)) {
      session->last_sent = now;
      if (!pump(*session)) session->signals->closed = true;
    } else if (room && now - session->last_sent > std::chrono::milliseconds(kHeartbeatMs)) {
      session->last_sent = now;
      session->stream->write(": heartbeat\n\n");
    }
  }
}

// False when the query is over. Takes until there is nothing more: a wake-up that came meanwhile is not repeated.
bool LiveHub::pump(Session& session) {
  for (;;) {
    for (; session.next_batch < session.unsent.batches.size(); write_rows(session)) {
      if (session.stream->queued_bytes() < kMaxUnsentBytes) continue;
      session.signals->ready = true;  // the rest goes out when the reader has made room
      return true;
    }
    if (session.unsent.ended) break;
    take(session);
    if (session.unsent.batches.empty() && !session.unsent.ended) return true;
  }
  const std::string& error = session.unsent.error;
  session.stream->write(event("end", error.empty() ? "{}" : fmt::format(R"({{"error":{}}})", net::json_string(error))));
  session.stream->close();
  return false;
}

void LiveHub::take(Session& session) {
  session.unsent = session.query->take();
  session.next_batch = 0;
  session.next_row = 0;
  const uint64_t missed = session.unsent.missed_rows;
  if (missed > 0) session.stream->write(event("missed", fmt::format(R"({{"rows":{}}})", missed)));
}

// The next event's worth of rows.
void LiveHub::write_rows(Session& session) {
  const columnar::Batch& batch = session.unsent.batches[session.next_batch];
  const auto checked = gate_.check(session.reader, session.sources.front(), batch);
  if (!checked) {
    session.unsent.ended = true;
    session.unsent.error = checked.error().to_string();
    session.next_batch = session.unsent.batches.size();
    return;
  }
  const size_t row_bytes = batch.memory_bytes() / std::max<size_t>(batch.rows, 1) + 1;
  const size_t fit = std::clamp<size_t>(kBytesPerEvent / row_bytes, 1, kRowsPerEvent);
  const size_t rows = std::min(fit, batch.rows - session.next_row);
  std::string out = "event: rows\ndata: ";
  append_rows(*session.encoder, *checked, session.next_row, rows, out);
  out += "\n\n";
  session.stream->write(std::move(out));
  session.next_row += rows;
  if (session.next_row < batch.rows) return;
  ++session.next_batch;
  session.next_row = 0;
}

}  // namespace tidegate::api
