// Lists of devices from outside: whatever the bytes, devices that pass their own checks, or errors with a line.
#include <cstdint>
#include <cstdlib>

#include "registry/device_csv.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = tidegate::registry::read_device_csv(text);
  if (!file) return 0;
  if (file->devices.size() != file->lines.size() || file->errors.size() > file->error_count) std::abort();
  for (const auto& device : file->devices) {
    if (!tidegate::registry::check_device(device)) std::abort();
  }
  return 0;
}
