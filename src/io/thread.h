// What the kernel is told about a thread: its name (in top, perf and core dumps) and whether it can wait.
#pragma once

namespace tidegate::io {

// At most 15 characters (pthread_setname_np(3)); longer names are cut.
void name_this_thread(const char* name);

// For work that nobody waits for (re-batching, compaction): gives way to everything else, yet never starves (nice 15).
void lower_this_thread_priority();

}  // namespace tidegate::io
