// A snapshot that is too large for one commit: its pages go ahead of it, a few at a time.
#pragma once

#include <cstddef>
#include <deque>

#include "log/log.h"

namespace tidegate::engine {

// The commits to be made one after the other. If `whole` puts at most `max_bytes`, it is the only one. Otherwise its
// pages come first, at most `max_bytes` in each commit (or one page), and then all the rest, which makes them count:
// between others' commits they hold nobody back.
[[nodiscard]] std::deque<log::EpochCommit> in_parts(log::EpochCommit whole, size_t max_bytes);

}  // namespace tidegate::engine
