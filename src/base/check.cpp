#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace tidegate {

void check_failed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "TG9001 broken invariant at %s:%d: %s\n", file, line, condition);
  std::fflush(stderr);
  std::abort();
}

}  // namespace tidegate
