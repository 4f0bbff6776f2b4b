#include "base/check.h"
#include "sql/json_path.h"

// Any text is a path or is not; a path has a bounded number of steps.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto path = tidegate::sql::parse_json_path({reinterpret_cast<const char*>(data), size});
  if (path) CHECK(path->steps.size() <= tidegate::sql::kMaxJsonPathSteps);
  return 0;
}
