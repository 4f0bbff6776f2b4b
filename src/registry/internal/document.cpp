#include "registry/internal/document.h"

#include <fmt/format.h>

#include <bit>

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

std::string encode(const Quota& quota) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kVersion);
  out.fixed(quota.revision);
  out.fixed(quota.created_us);
  out.fixed(quota.changed_us);
  for (const auto& limit : quota.limits) {
    out.fixed(static_cast<uint8_t>(limit.has_value()));
    out.fixed(std::bit_cast<uint64_t>(limit.value_or(0)));
  }
  return bytes;
}

Result<Quota> decode_quota(std::string_view subject, std::string_view bytes) {
  ByteReader in(bytes);
  if (in.fixed<uint8_t>() != kVersion) return unknown_format("quota", subject);
  Quota quota;
  quota.subject = subject;
  quota.revision = in.fixed<uint64_t>();
  quota.created_us = in.fixed<int64_t>();
  quota.changed_us = in.fixed<int64_t>();
  for (auto& limit : quota.limits) {
    const bool set = in.fixed<uint8_t>() != 0;
    const auto value = std::bit_cast<double>(in.fixed<uint64_t>());
    if (set) limit = value;
  }
  if (!in.finished()) return unknown_format("quota", subject);
  return quota;
}

}  // namespace tidegate::registry
