# Headers of the standard library and of fmt that most files include, parsed once for all targets rather than in every
# file. Release builds of g++ only: all others, clang's among them, still find out whether a file names what it uses.
option(TIDEGATE_PCH "precompile headers that most files include (g++, release)" ON)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE STREQUAL "Release")
  set(TIDEGATE_PRECOMPILES ${TIDEGATE_PCH})
else()
  set(TIDEGATE_PRECOMPILES OFF)
endif()

if(TIDEGATE_PRECOMPILES)
  file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cpp "")
  add_library(precompiled OBJECT ${CMAKE_BINARY_DIR}/precompiled.cpp)
  # As all targets are compiled, or they could not use it.
  target_link_libraries(precompiled PRIVATE tidegate_options fmt::fmt Threads::Threads)
  target_precompile_headers(precompiled PRIVATE
    <algorithm> <array> <atomic> <charconv> <chrono> <cmath> <condition_variable> <cstdint> <cstring> <deque> <expected>
    <filesystem> <functional> <limits> <map> <memory> <mutex> <optional> <set> <span> <string> <string_view> <thread>
    <unordered_map> <utility> <variant> <vector> <fmt/format.h>)
endif()

# The files of these targets begin with the precompiled headers.
function(tidegate_use_precompiled)
  if(TIDEGATE_PRECOMPILES)
    foreach(target ${ARGN})
      target_precompile_headers(${target} REUSE_FROM precompiled)
      target_compile_options(${target} PRIVATE -fpch-preprocess)  # or the compiler cache does not see them
    endforeach()
  endif()
endfunction()
