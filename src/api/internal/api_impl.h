// The API's endpoints. Split over several files by what they serve.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/api.h"
#include "api/internal/live_hub.h"
#include "api/internal/query_hub.h"
#include "api/internal/router.h"
#include "api/internal/worker_pool.h"
#include "base/guarded.h"

namespace tidegate::api {

// One request on its way through an endpoint. The responder is shared with whoever answers later.
struct Call {
  net::HttpRequest request;
  Endpoint endpoint = Endpoint::kHealth;
  std::string name;  // what {name} in the address stands for
  std::string id;    // and {id}
  security::Principal principal;
  std::shared_ptr<net::HttpResponder> responder;

  void reply(std::string json, int status = 200);
  // With the document's revision as ETag.
  void reply_revision(std::string json, uint64_t revision, int status = 200);
  void reply(const Error& error) { responder->respond(net_problem(error)); }

 private:
  static net::HttpResponse net_problem(const Error& error);
};

// handle() runs on network threads; everything that waits goes through pool_.
class ApiImpl final : public Api {
 public:
  ApiImpl(ApiParts parts, ApiOptions options);
  ~ApiImpl() override { stop(); }

  void handle(net::HttpRequest request, std::shared_ptr<net::HttpResponder> responder) override;
  void set_ready(bool ready) override { ready_ = ready; }
  void stop() override;

 private:
  // api.cpp
  [[nodiscard]] Result<security::Principal> authenticate(const net::HttpRequest& request, Access access);
  [[nodiscard]] Result<> admit(Call& call, const RouteMatch& match);
  void on_pool(Call call, void (ApiImpl::*endpoint)(Call&));
  void dispatch(Call call);
  void health(Call& call, bool ready);
  // One event in the audit log, if there is one.
  void audit(const Call& call, std::string what, std::string target, const Result<>& outcome);

  // accounts.cpp
  void login(Call& call);
  void password(Call& call);
  void logout(Call& call);

  // devices.cpp
  void devices(Call& call);
  void device(Call& call);
  void add_device(Call& call);
  void change_device(Call& call);
  void remove_device(Call& call);
  void device_token(Call& call);
  void device_state(Call& call);
  void import_devices(Call& call);

  // twins.cpp
  void twin(Call& call);
  void change_twin(Call& call);
  void report_twin(Call& call);
  void commands(Call& call);
  void send_command(Call& call);
  void answer_command(Call& call);

  // gateways.cpp
  void gateways(Call& call);
  void gateway(Call& call);
  void add_gateway(Call& call);
  void change_gateway(Call& call);
  void remove_gateway(Call& call);
  void gateway_token(Call& call);

  // quotas.cpp
  void quotas(Call& call);
  void quota(Call& call);
  void change_quota(Call& call);
  void remove_quota(Call& call);
  [[nodiscard]] Result<> check_subject_exists(std::string_view text) const;
  [[nodiscard]] bool over_quota(const Call& call);

  // audit_trail.cpp
  void audit_events(Call& call);
  void verify_audit(Call& call);

  // places.cpp
  void places(Call& call);
  void place(Call& call);
  void add_place(Call& call);
  void change_place(Call& call);
  void remove_place(Call& call);

  // definitions.cpp
  void statements(Call& call);
  void streams(Call& call);
  void stream(Call& call);
  void pipelines(Call& call);
  void pipeline(Call& call);
  void change(Call& call);
  void status(Call& call);
  [[nodiscard]] std::vector<sinks::SinkStatus> sink_status() const {
    return options_.sinks ? options_.sinks() : std::vector<sinks::SinkStatus>();
  }
  [[nodiscard]] std::string stream_json(const catalog::StreamDefinition& definition, bool whole);
  // How all pipelines do, asked once for however many are shown.
  struct PipelineStates {
    std::map<PipelineId, engine::PipelineStatus> running;
    std::map<std::string, std::string> failures;
    std::vector<sinks::SinkStatus> sinks;
    int64_t now_us = 0;
  };
  [[nodiscard]] PipelineStates pipeline_states() const;
  [[nodiscard]] static std::string pipeline_json(const catalog::PipelineDefinition& definition,
                                                 const PipelineStates& states, bool whole);

  // proposals.cpp
  void propose(Call call);
  void propose_from_samples(Call& call);

  // site.cpp
  void site(Call& call);
  void restart_pipeline(Call& call);

  // tables.cpp
  void tables(Call& call);
  void table(Call& call);
  void drop_table(Call& call);
  void reload_table(Call& call);
  [[nodiscard]] std::vector<lookup::TableStatus> table_status() const {
    return parts_.tables == nullptr ? std::vector<lookup::TableStatus>() : parts_.tables->status();
  }

  // secrets.cpp
  void secrets(Call& call);
  void set_secret(Call& call);
  void remove_secret(Call& call);

  // records.cpp
  void ingest(Call call);
  void records(Call& call);
  void live(Call& call);
  void tail(Call& call);
  // A live query, from where the request says; `what` and `target` are for the audit log.
  void follow(Call& call, sql::Plan plan, const std::string& what, const std::string& target);

  // correct.cpp
  void correct(Call& call);

  // queries.cpp
  void query(Call& call);
  void query_page(Call& call);
  void cancel_query(Call& call);
  void queries(Call& call);
  void audit_query(const QueryOutcome& outcome);

  // metrics.cpp
  void metrics(Call& call);

  ApiParts parts_;
  ApiOptions options_;
  std::atomic<bool> ready_{false};
  std::atomic<bool> stopped_{false};
  int64_t started_us_;
  std::atomic<size_t> next_lane_{0};
  // One per network thread, so that a lock is rarely waited for.
  std::vector<std::unique_ptr<Guarded<std::unique_ptr<ingest::Lane>>>> lanes_;
  std::mutex correcting_;  // one at a time: what one writes is the old value of the next
  LiveHub live_;
  QueryHub queries_;
  WorkerPool pool_;
  WorkerPool capture_pool_{1};  // a capture waits for devices; nothing else shall wait for it
};

}  // namespace tidegate::api
