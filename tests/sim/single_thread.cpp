// RocksDB waits for its background threads on condition variables. Here there are none: the functions below stand in
// front of the C library's for the whole program, and on the simulation's thread they do waiting work in place of
// waiting. (A waiter must expect to be woken for nothing, so that is all it takes.) Other threads wait as ever.
#include "single_thread.h"

#include <dlfcn.h>
#include <pthread.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace rocksdb {

// As RocksDB 7.8 has it (util/random.h): a linear congruential generator with 31 bits of state, one a thread.
class Random {
 public:
  static Random* GetTLSInstance();
  uint32_t seed_ = 301;
};

Random* Random::GetTLSInstance() {
  static thread_local Random mine;
  return &mine;
}

}  // namespace rocksdb

namespace tidegate::simulation {

namespace {

thread_local Jobs* waiting_jobs = nullptr;

template <class Function>
Function* next_of(const char* name, const char* version) {
  return reinterpret_cast<Function*>(dlvsym(RTLD_NEXT, name, version));
}

bool work_instead(pthread_mutex_t* mutex) {
  if (waiting_jobs->empty()) return false;
  pthread_mutex_unlock(mutex);
  waiting_jobs->run_one();
  pthread_mutex_lock(mutex);
  return true;
}

}  // namespace

void take_over_this_thread(Jobs& jobs) {
  waiting_jobs = &jobs;
  rocksdb::Random::GetTLSInstance()->seed_ = 301;
}

void give_back_this_thread() { waiting_jobs = nullptr; }

}  // namespace tidegate::simulation

extern "C" {

// RocksDB has one thread that no Env can take away (it flushes the text logs, which are nothing here); a stop may have
// to wait for it. Whoever waits for longer than that can take waits for ever.
int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  using namespace tidegate::simulation;
  if (waiting_jobs == nullptr) {
    static auto* const real = next_of<int(pthread_cond_t*, pthread_mutex_t*)>("pthread_cond_wait", "GLIBC_2.3.2");
    return real(condition, mutex);
  }
  if (work_instead(mutex)) return 0;
  static auto* const real =
      next_of<int(pthread_cond_t*, pthread_mutex_t*, const timespec*)>("pthread_cond_timedwait", "GLIBC_2.3.2");
  constexpr time_t kLongestSeconds = 60;
  timespec until{};
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += kLongestSeconds;
  if (real(condition, mutex, &until) == 0) return 0;
  std::puts("simulation: it waits for ever, nothing is left to do");
  std::fflush(stdout);
  std::abort();
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* until) {
  using namespace tidegate::simulation;
  if (waiting_jobs == nullptr) {
    static auto* const real =
        next_of<int(pthread_cond_t*, pthread_mutex_t*, const timespec*)>("pthread_cond_timedwait", "GLIBC_2.3.2");
    return real(condition, mutex, until);
  }
  return work_instead(mutex) ? 0 : ETIMEDOUT;
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock, const timespec* until) {
  using namespace tidegate::simulation;
  if (waiting_jobs == nullptr) {
    static auto* const real = next_of<int(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*)>(
        "pthread_cond_clockwait", "GLIBC_2.34");
    return real(condition, mutex, clock, until);
  }
  return work_instead(mutex) ? 0 : ETIMEDOUT;
}

}  // extern "C"
