#include "engine/internal/commit_parts.h"

#include <numeric>
#include <utility>

#include "engine/internal/epoch_record.h"

namespace tidegate::engine {

namespace {

size_t bytes_of(const log::StatePut& put) { return put.key.size() + put.value.size(); }

size_t bytes_of(const std::vector<log::StatePut>& puts) {
  return std::accumulate(puts.begin(), puts.end(), size_t{0},
                         [](size_t sum, const log::StatePut& put) { return sum + bytes_of(put); });
}

}  // namespace

std::deque<log::EpochCommit> in_parts(log::EpochCommit whole, size_t max_bytes) {
  std::deque<log::EpochCommit> parts;
  if (bytes_of(whole.puts) > max_bytes) {
    std::vector<log::StatePut> rest;
    size_t bytes = max_bytes;  // of the last part: full, so that the first page begins one
    for (log::StatePut& put : whole.puts) {
      if (!put.key.starts_with(kPagePrefix)) {
        rest.push_back(std::move(put));
        continue;
      }
      if (bytes + bytes_of(put) > max_bytes) {
        parts.push_back({whole.pipeline, {}, {}, {}});
        bytes = 0;
      }
      bytes += bytes_of(put);
      parts.back().puts.push_back(std::move(put));
    }
    whole.puts = std::move(rest);
    if (!parts.empty()) {
      parts.front().puts.push_back({std::string(kPagesAheadKey), {}});
      whole.deletes.emplace_back(kPagesAheadKey);
    }
  }
  parts.push_back(std::move(whole));
  return parts;
}

}  // namespace tidegate::engine
