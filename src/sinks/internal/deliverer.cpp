#include "sinks/internal/deliverer.h"

#include <chrono>

#include "io/thread.h"

namespace tidegate::sinks {

Deliverer::Deliverer(std::string thread_name, std::function<bool()> round,
                     std::function<std::optional<int64_t>()> due_in_us)
    : round_(std::move(round)), due_in_us_(std::move(due_in_us)) {
  thread_ = std::thread([this, name = std::move(thread_name)] {
    io::name_this_thread(name.c_str());
    run();
  });
}

Deliverer::~Deliverer() {
  wake_.lock()->stop = true;
  wake();
  thread_.join();
}

void Deliverer::wake() {
  wake_.lock()->due = true;
  woken_.notify_one();
}

void Deliverer::run() {
  while (!stopping()) {
    if (!round_()) wait_until_due();
  }
}

void Deliverer::wait_until_due() {
  const std::optional<int64_t> pause_us = due_in_us_();
  auto wake = wake_.lock();
  const auto due = [&] { return wake->due; };
  if (pause_us) {
    woken_.wait_for(wake.unique_lock(), std::chrono::microseconds(*pause_us), due);
  } else {
    woken_.wait(wake.unique_lock(), due);
  }
  wake->due = false;
}

}  // namespace tidegate::sinks
