// One machine: a disk, a clock, and RocksDB's environment on both, all on one thread.
#pragma once

#include <deque>
#include <memory>

#include "disk.h"
#include "io/clock.h"

namespace rocksdb {
class Env;
}

namespace tidegate::simulation {

// RocksDB's background work waits in a list. It runs between the operations of the simulation, as many pieces of it and
// in the order that the seed says, or when the program waits for it (single_thread.cpp).
class Jobs {
 public:
  explicit Jobs(uint64_t seed) : random_(seed) {}
  struct Job {
    void (*run)(void*);
    void* argument;
    void* tag;
    void (*forget)(void*);
  };
  void add(const Job& job) { waiting_.push_back(job); }
  int remove(void* tag);
  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  // Runs one of them; false if there is none.
  bool run_one();
  // Each that waits runs now or stays, as the seed says.
  void run_some();

 private:
  io::SeededRandom random_;
  std::deque<Job> waiting_;
};

class Machine {
 public:
  explicit Machine(uint64_t seed);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  Disk disk;
  io::ManualClock clock{1'750'000'000'000'000};
  Jobs jobs;
  [[nodiscard]] rocksdb::Env& env() { return *env_; }

 private:
  std::unique_ptr<rocksdb::Env> base_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace tidegate::simulation
