#include "net/internal/http_responder.h"

#include "net/http_problem.h"
#include "net/internal/http_session.h"

namespace tidegate::net {
namespace {

class Stream final : public HttpStream {
 public:
  Stream(std::shared_ptr<HttpWorker> worker, std::weak_ptr<HttpSession> session, std::shared_ptr<HttpStreamState> state)
      : worker_(std::move(worker)), session_(std::move(session)), state_(std::move(state)) {}
  ~Stream() override { close(); }

  void write(std::string chunk) override {
    if (chunk.empty() || state_->closed) return;
    const size_t size = chunk.size();
    const size_t queued_bytes = state_->queued_bytes.fetch_add(size) + size;
    if (queued_bytes > worker_->shared().options.max_stream_queue_bytes) return cut_off();
    post([session = session_, text = std::move(chunk)]() mutable {
      if (const auto alive = session.lock()) alive->stream_write(std::move(text));
    });
  }

  void close() override {
    if (state_->closed) return;
    post([session = session_] {
      if (const auto alive = session.lock()) alive->stream_close();
    });
  }

  [[nodiscard]] size_t queued_bytes() const override { return state_->queued_bytes; }

 private:
  void cut_off() {
    post([session = session_] {
      if (const auto alive = session.lock()) alive->close();
    });
  }
  void post(std::function<void()> work) {
    if (!worker_->post(std::move(work))) state_->end();
  }

  std::shared_ptr<HttpWorker> worker_;  // see make_http_responder
  std::weak_ptr<HttpSession> session_;
  std::shared_ptr<HttpStreamState> state_;  // shared with the session
};

class Responder final : public HttpResponder {
 public:
  Responder(std::shared_ptr<HttpWorker> worker, std::weak_ptr<HttpSession> session, uint64_t request)
      : worker_(std::move(worker)), session_(std::move(session)), request_(request) {}

  ~Responder() override {
    if (answered_) return;
    respond(problem_response({ErrorCode::Bug, "the request was not answered", "", {}}));
  }

  void respond(HttpResponse response) override {
    if (answered_.exchange(true)) return;
    worker_->post([session = session_, request = request_, answer = std::move(response)]() mutable {
      if (const auto alive = session.lock()) alive->respond(request, std::move(answer));
    });
  }

  void on_gone(std::function<void()> callback) override {
    if (answered_) return;
    const bool posted = worker_->post([session = session_, request = request_, callback] {
      const auto alive = session.lock();
      alive == nullptr ? callback() : alive->watch_request(request, callback);
    });
    if (!posted) callback();
  }

  std::shared_ptr<HttpStream> stream(HttpResponse head, std::function<void()> on_closed) override {
    auto state = std::make_shared<HttpStreamState>(std::move(on_closed));
    const bool first = !answered_.exchange(true);
    const bool posted = first && worker_->post([session = session_, request = request_, state, head = std::move(head)] {
      const auto alive = session.lock();
      if (alive == nullptr) return state->end();
      alive->begin_stream(request, head, state);
    });
    if (!posted) state->end();
    return std::make_shared<Stream>(worker_, session_, std::move(state));
  }

 private:
  std::shared_ptr<HttpWorker> worker_;  // see make_http_responder
  std::weak_ptr<HttpSession> session_;
  uint64_t request_;
  std::atomic<bool> answered_{false};
};

}  // namespace

std::shared_ptr<HttpResponder> make_http_responder(std::shared_ptr<HttpWorker> worker,
                                                   std::weak_ptr<HttpSession> session, uint64_t request) {
  return std::make_shared<Responder>(std::move(worker), std::move(session), request);
}

}  // namespace tidegate::net
