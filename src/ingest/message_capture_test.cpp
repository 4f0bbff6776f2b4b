#include "ingest/message_capture.h"

#include <doctest/doctest.h>

#include <thread>

namespace tidegate::ingest {
namespace {

TEST_CASE("a capture ends when it has what it wants, and takes its topics only") {
  MessageCapture capture;
  std::atomic<bool> done{false};
  // Senders go on until the capture has ended: nothing depends on who is first.
  std::thread sender([&] {
    while (!done) {
      capture.offer("other/m1", "no");
      capture.offer("plant/m1", "1");
      capture.offer("plant/m2", "2");
    }
  });
  const auto got = capture.collect("plant/+", 5, MessageCapture::kMaxWaitUs);
  done = true;
  sender.join();
  REQUIRE(got);
  REQUIRE(got->size() == 5);
  for (const auto& message : *got) CHECK(message.payload == message.topic.substr(7));
  capture.offer("plant/m1", "late");
  CHECK(capture.collect("plant/+", 5, 1)->empty());
}

TEST_CASE("what is too much for a capture ends it") {
  MessageCapture capture;
  std::atomic<bool> done{false};
  std::thread sender([&] {
    const std::string large(MessageCapture::kMaxBytes / 3, 'x');
    while (!done) capture.offer("a", large);
  });
  const auto got = capture.collect("#", 1000, MessageCapture::kMaxWaitUs);
  done = true;
  sender.join();
  REQUIRE(got);
  CHECK(got->size() == 3);
}

TEST_CASE("wrong filters and limits are refused, and so is everything after stop()") {
  MessageCapture capture;
  CHECK(capture.collect("a/#/b", 1, 1).error().code == ErrorCode::BadRequest);
  CHECK(capture.collect("a", 0, 1).error().code == ErrorCode::BadRequest);
  CHECK(capture.collect("a", 1, 0).error().code == ErrorCode::BadRequest);
  CHECK(capture.collect("a", MessageCapture::kMaxMessages + 1, 1).error().code == ErrorCode::BadRequest);
  std::thread waiter(
      [&] { CHECK(capture.collect("a", 1, MessageCapture::kMaxWaitUs).error().code == ErrorCode::ShuttingDown); });
  capture.stop();
  waiter.join();
}

}  // namespace
}  // namespace tidegate::ingest
