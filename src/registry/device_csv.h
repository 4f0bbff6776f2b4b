// Lists of devices as CSV files: a header line with the names of the columns, then a device a line.
//
//   name        required
//   type, place, interval (30s, 15m, 1h), description
//   label.NAME  the label NAME; empty: the device does not have it
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "registry/registry.h"

namespace tidegate::registry {

// Of one file: above it, several. A document of a device takes about 1 KB while it is added.
inline constexpr size_t kMaxImportedDevices = 200'000;
// Told of one file; the others are counted. Whoever has so many has one mistake in all of them.
inline constexpr size_t kMaxToldErrors = 100;

struct LineError {
  size_t line = 0;  // in the file, from 1
  Error error;
};

struct DeviceFile {
  std::vector<Device> devices;
  std::vector<size_t> lines;      // where each of them stands
  std::vector<LineError> errors;  // the first kMaxToldErrors
  size_t error_count = 0;

  void add_error(size_t line, Error error);
};

// Errors of lines are in the result; BadRequest is one of the file as a whole (no header, an unknown column).
[[nodiscard]] Result<DeviceFile> read_device_csv(std::string_view text);

// Checks all devices against each other and the registry, adds an error for each that could not be added. With
// `skip_existing` those that the registry has are taken out instead.
void check_devices(DeviceFile& file, const Registry& registry, bool skip_existing);

// "500ms", "30s", "15m", "1h", "1d" in microseconds; BadRequest.
[[nodiscard]] Result<int64_t> parse_interval(std::string_view text);

}  // namespace tidegate::registry
