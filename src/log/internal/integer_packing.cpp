#include "log/internal/integer_packing.h"

#include <algorithm>
#include <cstring>

namespace tidegate::log::internal {

namespace {

enum class Mode : uint8_t { kFrame = 0, kDelta = 1 };

uint8_t width_of(uint64_t range) {
  if (range == 0) return 0;
  if (range <= UINT8_MAX) return 1;
  if (range <= UINT16_MAX) return 2;
  return range <= UINT32_MAX ? 4 : 8;
}

// kDelta: what is packed is each value minus the one before it (the first minus `before`).
template <class T, bool kDelta>
void pack_as(std::span<const int64_t> values, uint64_t reference, uint64_t before, std::string& out) {
  const size_t at = out.size();
  out.resize(at + values.size() * sizeof(T));
  char* to = out.data() + at;
  for (size_t row = 0; row < values.size(); ++row) {
    const auto value = static_cast<uint64_t>(values[row]);
    const auto packed = static_cast<T>(kDelta ? value - before - reference : value - reference);
    std::memcpy(to + row * sizeof(T), &packed, sizeof(T));
    if constexpr (kDelta) before = value;
  }
}

template <bool kDelta>
void pack_width(uint8_t width, std::span<const int64_t> values, uint64_t reference, uint64_t before, std::string& out) {
  switch (width) {
    case 1: return pack_as<uint8_t, kDelta>(values, reference, before, out);
    case 2: return pack_as<uint16_t, kDelta>(values, reference, before, out);
    case 4: return pack_as<uint32_t, kDelta>(values, reference, before, out);
    case 8: return pack_as<uint64_t, kDelta>(values, reference, before, out);
    default: return;
  }
}

template <class T>
void unpack_as(std::string_view from, uint64_t reference, std::span<int64_t> out) {
  for (size_t row = 0; row < out.size(); ++row) {
    T packed;
    std::memcpy(&packed, from.data() + row * sizeof(T), sizeof(T));
    out[row] = static_cast<int64_t>(reference + packed);
  }
}

uint64_t range_of(int64_t low, int64_t high) { return static_cast<uint64_t>(high) - static_cast<uint64_t>(low); }

}  // namespace

void pack_integers(std::span<const int64_t> values, std::string& out) {
  const int64_t first = values.empty() ? 0 : values.front();
  int64_t low = first;
  int64_t high = first;
  int64_t low_delta = 0;
  int64_t high_delta = 0;
  for (size_t row = 1; row < values.size(); ++row) {
    const auto delta = static_cast<int64_t>(range_of(values[row - 1], values[row]));
    low = std::min(low, values[row]);
    high = std::max(high, values[row]);
    low_delta = std::min(low_delta, delta);
    high_delta = std::max(high_delta, delta);
  }
  const uint8_t frame_width = width_of(range_of(low, high));
  const uint8_t delta_width = width_of(range_of(low_delta, high_delta));
  const bool delta = delta_width < frame_width;
  ByteWriter writer(out);
  writer.fixed(static_cast<uint8_t>(delta ? Mode::kDelta : Mode::kFrame));
  writer.fixed(delta ? delta_width : frame_width);
  writer.zigzag(delta ? low_delta : low);
  if (delta) {
    writer.zigzag(first);
    pack_width<true>(delta_width, values, static_cast<uint64_t>(low_delta), static_cast<uint64_t>(first), out);
  } else {
    pack_width<false>(frame_width, values, static_cast<uint64_t>(low), 0, out);
  }
}

bool unpack_integers(ByteReader& in, std::span<int64_t> out) {
  const auto mode = in.fixed<uint8_t>();
  const auto width = in.fixed<uint8_t>();
  const auto reference = static_cast<uint64_t>(in.zigzag());
  const auto first = mode == static_cast<uint8_t>(Mode::kDelta) ? static_cast<uint64_t>(in.zigzag()) : 0;
  if (!in.ok() || mode > static_cast<uint8_t>(Mode::kDelta) || width > 8) return false;
  const std::string_view packed = in.raw(out.size() * width);
  if (!in.ok()) return false;
  switch (width) {
    case 0: std::ranges::fill(out, static_cast<int64_t>(reference)); break;
    case 1: unpack_as<uint8_t>(packed, reference, out); break;
    case 2: unpack_as<uint16_t>(packed, reference, out); break;
    case 4: unpack_as<uint32_t>(packed, reference, out); break;
    case 8: unpack_as<uint64_t>(packed, reference, out); break;
    default: return false;
  }
  if (mode == static_cast<uint8_t>(Mode::kFrame)) return true;
  uint64_t sum = first;
  for (int64_t& value : out) {
    sum += static_cast<uint64_t>(value);
    value = static_cast<int64_t>(sum);
  }
  return true;
}

}  // namespace tidegate::log::internal
