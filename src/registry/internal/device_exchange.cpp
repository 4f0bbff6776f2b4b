#include "registry/device_exchange.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/logging.h"
#include "io/thread.h"
#include "registry/device_topics.h"

namespace tidegate::registry {
namespace {

namespace json = boost::json;

struct Received {
  std::vector<Incoming> messages;
  std::function<void(Result<>)> done;
};
struct Subscribed {
  std::string filter;
  std::function<bool(std::string_view)> may_hear;
};
struct Work {
  std::vector<Received> received;
  std::vector<Subscribed> subscribed;
};

// {"status":"failed", ...} says that the device could not do it; everything else, nothing too, that it did.
bool is_good(std::string_view answer) {
  json::error_code error;
  const json::value value = json::parse({answer.data(), answer.size()}, error);
  if (error || !value.is_object()) return true;
  const json::value* status = value.get_object().if_contains("status");
  return status == nullptr || *status != json::value("failed");
}

class ThreadedExchange final : public DeviceExchange {
 public:
  ThreadedExchange(ExchangeParts parts, bool manual) : parts_(std::move(parts)) {
    if (!manual) thread_ = std::thread([this] { run(); });
  }
  ~ThreadedExchange() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    run_once();  // who waits for an answer gets one
  }

  [[nodiscard]] Result<> receive(std::vector<Incoming> messages, std::function<void(Result<>)> done) override;
  [[nodiscard]] bool has_room() const override {
    const std::lock_guard lock(mutex_);
    return waiting_ < kMaxWaitingMessages;
  }
  void subscribed(std::string_view filter, std::function<bool(std::string_view)> may_hear) override;
  [[nodiscard]] Result<Command> send(std::string_view device, std::string_view payload, int64_t timeout_us,
                                     std::string_view sender) override;
  [[nodiscard]] Result<Command> answer(std::string_view device, std::string_view id, std::string_view answer) override;
  [[nodiscard]] Result<Twin> change_desired(std::string_view device, std::string_view patch,
                                            Registry::Expected revision) override;
  [[nodiscard]] Result<Twin> report(std::string_view device, std::string_view patch) override;
  [[nodiscard]] Result<Twin> twin(std::string_view device) override {
    TRY(check_known(device));
    return parts_.twins.find(device);
  }
  [[nodiscard]] Result<std::vector<Command>> commands(std::string_view device) override {
    TRY(check_known(device));
    return parts_.commands.list(device);
  }
  [[nodiscard]] Result<> forget(std::string_view device) override {
    TRY(parts_.twins.remove(device));
    return parts_.commands.remove(device);
  }
  void resend() override {
    for (const Command& command : parts_.commands.all_pending()) send_out(command);
  }
  void run_once() override;

 private:
  void run();
  [[nodiscard]] Result<> check_known(std::string_view device) const;
  void take(Received& received);
  [[nodiscard]] Result<> take_answer(const DeviceTopic& topic, std::string_view answer);
  void tell_reported(std::string_view device, const Result<Twin>& outcome);
  void tell_desired(std::string_view device, const Twin& twin, bool delta_too_if_empty);
  void tell_subscriber(const Subscribed& subscriber);
  void send_out(const Command& command);
  void publish(DeviceMessage message);

  const ExchangeParts parts_;
  mutable std::mutex mutex_;  // with a condition variable
  std::condition_variable wake_;
  bool stopping_ = false;
  size_t waiting_ = 0;  // messages in work_
  Work work_;
  std::thread thread_;
};

void ThreadedExchange::run() {
  io::name_this_thread("device-exchange");
  const auto has_work = [this] { return stopping_ || !work_.received.empty() || !work_.subscribed.empty(); };
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, std::chrono::milliseconds(kExpiryLookMs), has_work);
      if (stopping_) return;
    }
    run_once();
  }
}

void ThreadedExchange::run_once() {
  Work work;
  {
    const std::lock_guard lock(mutex_);
    std::swap(work, work_);
    waiting_ = 0;
  }
  for (Received& received : work.received) take(received);
  for (const Subscribed& subscriber : work.subscribed) tell_subscriber(subscriber);
  if (const auto expired = parts_.commands.expire(); !expired) {
    log_warn("commands cannot be ended", {{"error", expired.error().to_string()}});
  }
}

Result<> ThreadedExchange::receive(std::vector<Incoming> messages, std::function<void(Result<>)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return fail(ErrorCode::ShuttingDown, "the server is stopping");
    waiting_ += messages.size();
    work_.received.push_back({std::move(messages), std::move(done)});
  }
  wake_.notify_one();
  return {};
}

void ThreadedExchange::subscribed(std::string_view filter, std::function<bool(std::string_view)> may_hear) {
  if (!parse_device_filter(filter)) return;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    work_.subscribed.push_back({std::string(filter), std::move(may_hear)});
  }
  wake_.notify_one();
}

Result<> ThreadedExchange::check_known(std::string_view device) const {
  if (parts_.registry.find_device(device)) return {};
  return fail(ErrorCode::NotFound, fmt::format("there is no device named '{}'", device),
              "`tidegate device list` shows what there is");
}

// All reports of one flush in one write. What a device said wrongly is told to it and is not the connection's fault;
// only what could not be kept is.
void ThreadedExchange::take(Received& received) {
  std::vector<Report> reports;
  Result<> outcome;
  for (const Incoming& message : received.messages) {
    const auto topic = parse_device_topic(message.topic);
    if (!topic) continue;
    if (topic->kind == DeviceTopicKind::kAnswer) {
      if (auto taken = take_answer(*topic, message.payload); !taken) outcome = std::move(taken);
    } else if (auto known = check_known(topic->device); !known) {
      tell_reported(topic->device, fail(known.error()));
    } else {
      reports.push_back({std::string(topic->device), message.payload});
    }
  }
  const std::vector<Result<Twin>> twins = parts_.twins.report(reports);
  for (size_t at = 0; at < twins.size(); ++at) {
    tell_reported(reports[at].device, twins[at]);
    if (!twins[at] && error_http_status(twins[at].error().code) >= 500) outcome = fail(twins[at].error());
  }
  received.done(std::move(outcome));
}

Result<> ThreadedExchange::take_answer(const DeviceTopic& topic, std::string_view answer) {
  auto finished = parts_.commands.finish(topic.device, topic.command, is_good(answer), answer);
  if (finished) return {};
  if (error_http_status(finished.error().code) >= 500) return fail(std::move(finished.error()));
  log_debug("an answer to no command", {{"device", topic.device}, {"command", topic.command}});
  return {};
}

void ThreadedExchange::publish(DeviceMessage message) {
  if (auto sent = parts_.publish(message); !sent) {
    log_debug("a message to a device was not sent", {{"topic", message.topic}, {"error", sent.error().message}});
  }
}

void ThreadedExchange::tell_reported(std::string_view device, const Result<Twin>& outcome) {
  if (outcome) {
    publish({accepted_topic(device), fmt::format(R"({{"revision":{}}})", outcome->reported.revision), {}, {}, 0});
    return;
  }
  const json::object problem{{"code", static_cast<int>(outcome.error().code)}, {"detail", outcome.error().message}};
  publish({rejected_topic(device), json::serialize(problem), {}, {}, 0});
}

void ThreadedExchange::tell_desired(std::string_view device, const Twin& twin, bool delta_too_if_empty) {
  publish({desired_topic(device),
           fmt::format(R"({{"revision":{},"desired":{}}})", twin.desired.revision, twin.desired.json),
           {},
           {},
           0});
  const std::string delta = twin.delta();
  if (delta == "{}" && !delta_too_if_empty) return;
  publish(
      {delta_topic(device), fmt::format(R"({{"revision":{},"delta":{}}})", twin.desired.revision, delta), {}, {}, 0});
}

// Of one device all that it should know; of a subscriber to many the commands that wait: a gateway passes those on,
// twins it can ask for.
void ThreadedExchange::tell_subscriber(const Subscribed& subscriber) {
  const auto wanted = parse_device_filter(subscriber.filter);
  if (!wanted) return;
  if (wanted->device == "+") {
    if (!wanted->commands) return;
    for (const Command& command : parts_.commands.all_pending()) {
      if (subscriber.may_hear(command.device)) send_out(command);
    }
    return;
  }
  if (!subscriber.may_hear(wanted->device)) return;
  if (wanted->twin) {
    const auto twin = parts_.twins.find(wanted->device);
    if (twin && twin->desired.revision > 0) tell_desired(wanted->device, *twin, false);
  }
  if (!wanted->commands) return;
  for (const Command& command : parts_.commands.pending(wanted->device)) send_out(command);
}

void ThreadedExchange::send_out(const Command& command) {
  publish({command_topic(command.device, command.id), command.payload, answer_topic(command.device, command.id),
           command.id, command.expires_us});
}

Result<Command> ThreadedExchange::send(std::string_view device, std::string_view payload, int64_t timeout_us,
                                       std::string_view sender) {
  TRY(check_known(device));
  TRY_ASSIGN(Command command, parts_.commands.send(device, payload, timeout_us, sender));
  send_out(command);
  return command;
}

Result<Command> ThreadedExchange::answer(std::string_view device, std::string_view id, std::string_view answer) {
  if (answer.size() > kMaxCommandBytes) {
    return fail(ErrorCode::RecordTooLarge,
                fmt::format("the answer has {} bytes, {} are allowed", answer.size(), kMaxCommandBytes));
  }
  TRY(check_known(device));
  return parts_.commands.finish(device, id, is_good(answer), answer);
}

Result<Twin> ThreadedExchange::change_desired(std::string_view device, std::string_view patch,
                                              Registry::Expected revision) {
  TRY(check_known(device));
  TRY_ASSIGN(Twin twin, parts_.twins.change_desired(device, patch, revision));
  tell_desired(device, twin, true);
  return twin;
}

Result<Twin> ThreadedExchange::report(std::string_view device, std::string_view patch) {
  TRY(check_known(device));
  const Report reports[] = {{std::string(device), std::string(patch)}};
  return std::move(parts_.twins.report(reports).front());
}

}  // namespace

bool DeviceExchange::takes(std::string_view topic) { return parse_device_topic(topic).has_value(); }

std::unique_ptr<DeviceExchange> DeviceExchange::create(ExchangeParts parts, bool manual) {
  return std::make_unique<ThreadedExchange>(std::move(parts), manual);
}

}  // namespace tidegate::registry
