// EgressLine: a sink's client, made when it is first needed, so that a sink whose certificate file has gone says so in
// its status and does not keep the server from starting.
#pragma once

#include <functional>
#include <memory>

#include "base/guarded.h"
#include "egress/egress_client.h"

namespace tidegate::sinks {

class EgressLine {
 public:
  using Make = std::function<Result<std::unique_ptr<egress::EgressClient>>()>;
  explicit EgressLine(Make make) : make_(std::move(make)) {}

  // On the deliverer's thread. Lives as long as this.
  Result<egress::EgressClient*> client() {
    auto state = state_.lock();
    if (state->cancelled) return fail(ErrorCode::Cancelled, "the call was cancelled");
    if (!state->client) {
      TRY_ASSIGN(state->client, make_());
    }
    return state->client.get();
  }
  // Ends a call under way, and all later ones. Any thread.
  void cancel() {
    auto state = state_.lock();
    state->cancelled = true;
    if (state->client) state->client->cancel();
  }

 private:
  struct State {
    std::unique_ptr<egress::EgressClient> client;
    bool cancelled = false;
  };
  Make make_;
  Guarded<State> state_;
};

}  // namespace tidegate::sinks
