// Keys of the log in the store, and the places that its seals are bound to. Big-endian, so that they sort.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"

namespace tidegate::log::internal {

inline constexpr char kHeadKind = 'h';
inline constexpr char kManifestKind = 'm';
inline constexpr char kBatchKind = 'b';
inline constexpr char kSegmentKind = 's';
inline constexpr char kQuarantineKind = 'q';
inline constexpr std::string_view kAllKinds = "hmbsq";

template <class T>
void append_big_endian(std::string& out, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<uint64_t>(value) >> shift));
  }
}

// kind | stream(4); with offsets: | first(8) | end(8). Offsets are never negative.
[[nodiscard]] inline std::string stream_key(char kind, StreamId stream) {
  std::string key(1, kind);
  append_big_endian(key, stream.value);
  return key;
}
[[nodiscard]] inline std::string range_key(char kind, StreamId stream, Offset first, Offset end) {
  std::string key = stream_key(kind, stream);
  append_big_endian(key, first.value);
  append_big_endian(key, end.value);
  return key;
}
inline constexpr size_t kRangeKeyBytes = 1 + 4 + 8 + 8;

// The first key after all of `stream` of this kind.
[[nodiscard]] inline std::string stream_key_end(char kind, StreamId stream) {
  return stream_key(kind, StreamId{stream.value + 1});
}

// The place of a sealed value is its family and its key.
[[nodiscard]] inline std::string log_place(std::string_view key) { return "log/" + std::string(key); }

[[nodiscard]] inline std::string state_prefix(PipelineId pipeline) {
  std::string key;
  append_big_endian(key, pipeline.value);
  return key;
}
[[nodiscard]] inline std::string state_place(PipelineId pipeline, std::string_view key) {
  return "state/" + state_prefix(pipeline) + std::string(key);
}

}  // namespace tidegate::log::internal
