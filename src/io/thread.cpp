#include "io/thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>

namespace tidegate::io {

void name_this_thread(const char* name) {
  constexpr size_t kLongest = 15;
  ::pthread_setname_np(::pthread_self(), std::string(name).substr(0, kLongest).c_str());
}

void lower_this_thread_priority() {
  constexpr int kNiceness = 15;
  // On Linux a niceness belongs to a thread (sched(7)); raising it is always allowed.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness);
}

}  // namespace tidegate::io
