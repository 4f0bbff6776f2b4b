// The clients' loop over Asio; only mqtt_client.cpp includes this.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "net/mqtt_client.h"

namespace tidegate::net {

// One thread: the one that runs it.
class AsioClientLoop final : public MqttClientLoop {
 public:
  std::unique_ptr<MqttClient> make_client(MqttClientOptions options, MqttClient::Callbacks callbacks) override;
  void run() override {
    const auto work = boost::asio::make_work_guard(context_);
    context_.restart();
    context_.run();
  }
  void run_for_ms(int64_t ms) override {
    const auto work = boost::asio::make_work_guard(context_);
    context_.restart();
    context_.run_for(std::chrono::milliseconds(ms));
  }
  void stop() override { context_.stop(); }
  void post(std::function<void()> work) override { boost::asio::post(context_, std::move(work)); }
  void after_us(int64_t us, std::function<void()> work) override {
    // Shared with the handler, which keeps the timer alive until it fires.
    auto timer = std::make_shared<boost::asio::steady_timer>(context_, std::chrono::microseconds(us));
    timer->async_wait([timer, work = std::move(work)](const boost::system::error_code& error) {
      if (!error) work();
    });
  }
  boost::asio::io_context& context() { return context_; }
  std::string& buffer() { return buffer_; }

 private:
  static constexpr size_t kReadBytes = 64U << 10;  // as the server reads
  boost::asio::io_context context_{1};
  std::string buffer_ = std::string(kReadBytes, '\0');
};

}  // namespace tidegate::net
