#include "sim/record_file.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidegate::sim;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 3 == 2) return parse_profile(text, ".", 0).has_value() ? 0 : 0;
  Profile profile;
  profile.time_column = "t";
  profile.time_format = data[0] % 2 == 0 ? "epoch_s" : "%d/%m/%Y %H:%M:%S";
  const auto file = RecordFile::parse(profile, text, data[0] % 3 == 0);
  if (file && file->span_us() <= 0) __builtin_trap();
  return 0;
}
