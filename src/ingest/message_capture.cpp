#include "ingest/message_capture.h"

#include <fmt/format.h>

#include <chrono>

#include "codec/topic_pattern.h"
#include "ingest/internal/topic_router.h"

namespace tidegate::ingest {

Result<std::vector<CapturedMessage>> MessageCapture::collect(std::string_view filter, size_t messages,
                                                             int64_t wait_us) {
  const auto pattern = codec::TopicPattern::parse(filter);
  if (!pattern) {
    return fail(ErrorCode::BadRequest, fmt::format("'{}' is no topic filter: {}", filter, pattern.error()),
                "For example 'plant/+/state' or 'plant/#'.");
  }
  if (messages < 1 || messages > kMaxMessages || wait_us < 1 || wait_us > kMaxWaitUs) {
    return fail(ErrorCode::BadRequest, fmt::format("a capture takes 1 to {} messages and waits 1 to {} seconds",
                                                   kMaxMessages, kMaxWaitUs / 1'000'000));
  }
  std::unique_lock lock(mutex_);
  if (stopped_) return fail(ErrorCode::ShuttingDown, "the server is stopping");
  if (active_) return fail(ErrorCode::LimitReached, "another capture is under way", "Try again when it has ended.");
  filter_ = pattern->filter();
  wanted_ = messages;
  bytes_ = 0;
  full_ = false;
  messages_.clear();
  active_ = true;
  changed_.wait_for(lock, std::chrono::microseconds(wait_us), [&] { return full_ || stopped_; });
  active_ = false;
  if (stopped_) return fail(ErrorCode::ShuttingDown, "the server is stopping");
  return std::move(messages_);
}

void MessageCapture::take(std::string_view topic, std::string_view payload) {
  const std::scoped_lock lock(mutex_);
  if (!active_ || full_ || !topic_matches(filter_, topic)) return;
  if (bytes_ + payload.size() > kMaxBytes) {
    full_ = true;
  } else {
    bytes_ += payload.size();
    messages_.push_back({std::string(topic), std::string(payload)});
    full_ = messages_.size() >= wanted_;
  }
  if (full_) changed_.notify_all();
}

void MessageCapture::stop() {
  const std::scoped_lock lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace tidegate::ingest
