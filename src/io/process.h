// What the kernel lets this process have.
#pragma once

#include <cstdint>

namespace tidegate::io {

// Raises the number of files and sockets that the process may have open to what it may raise it to itself
// (RLIMIT_NOFILE, the hard limit); returns it.
[[nodiscard]] uint64_t raise_open_files();

// Memory of the machine, or what the control group of the process may take of it, if that is less.
[[nodiscard]] uint64_t memory_bytes();

}  // namespace tidegate::io
