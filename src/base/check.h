// CHECK stays on in release builds: a broken invariant stops the program before it damages data.
#pragma once

namespace tidegate {
[[noreturn]] void check_failed(const char* file, int line, const char* condition);
}  // namespace tidegate

#define CHECK(condition)                                        \
  do {                                                          \
    if (!(condition)) [[unlikely]]                              \
      ::tidegate::check_failed(__FILE__, __LINE__, #condition); \
  } while (false)
