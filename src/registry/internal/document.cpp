#include "registry/internal/document.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace tidegate::registry {
namespace {

constexpr uint8_t kVersion = 1;

std::unexpected<Error> unknown_format(std::string_view what, std::string_view name) {
  return fail(ErrorCode::FormatUnknown, fmt::format("the stored {} '{}' has an unknown format", what, name),
              "it was written by a newer version; start that version, or restore a backup");
}

}  // namespace

std::string encode(const Device& device) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kVersion);
  out.fixed(device.revision);
  out.fixed(device.created_us);
  out.fixed(device.changed_us);
  out.fixed(device.interval_us);
  out.text(device.type);
  out.text(device.place);
  out.text(device.description);
  out.varint(device.labels.size());
  for (const auto& [name, value] : device.labels) {
    out.text(name);
    out.text(value);
  }
  return bytes;
}

Result<Device> decode_device(std::string_view name, std::string_view bytes) {
  ByteReader in(bytes);
  if (in.fixed<uint8_t>() != kVersion) return unknown_format("device", name);
  Device device;
  device.name = name;
  device.revision = in.fixed<uint64_t>();
  device.created_us = in.fixed<int64_t>();
  device.changed_us = in.fixed<int64_t>();
  device.interval_us = in.fixed<int64_t>();
  device.type = in.text();
  device.place = in.text();
  device.description = in.text();
  const uint64_t labels = in.varint();
  for (uint64_t at = 0; at < labels && in.ok(); ++at) {
    std::string label(in.text());
    device.labels[std::move(label)] = in.text();
  }
  if (!in.finished()) return unknown_format("device", name);
  return device;
}

std::string encode(const Place& place) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kVersion);
  out.fixed(place.revision);
  out.fixed(place.created_us);
  out.fixed(place.changed_us);
  out.text(place.time_zone);
  out.text(place.description);
  return bytes;
}

Result<Place> decode_place(std::string_view path, std::string_view bytes) {
  ByteReader in(bytes);
  if (in.fixed<uint8_t>() != kVersion) return unknown_format("place", path);
  Place place;
  place.path = path;
  place.revision = in.fixed<uint64_t>();
  place.created_us = in.fixed<int64_t>();
  place.changed_us = in.fixed<int64_t>();
  place.time_zone = in.text();
  place.description = in.text();
  if (!in.finished()) return unknown_format("place", path);
  return place;
}

}  // namespace tidegate::registry
