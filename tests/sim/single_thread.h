// Makes RocksDB run on one thread, the same way each time.
#pragma once

#include "machine.h"

namespace tidegate::simulation {

// From now on, whoever waits on this thread for another does that one's work instead, and RocksDB's own random numbers
// (heights of its skip lists) start from the same seed.
void take_over_this_thread(Jobs& jobs);
void give_back_this_thread();

}  // namespace tidegate::simulation
