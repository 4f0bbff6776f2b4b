# Language, warnings and optimisation for every target of the project.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")
set(TIDEGATE_TEST_OPTIMIZATION -O1)  # what tests call is in the libraries; their own files compile a fifth faster

add_library(tidegate_options INTERFACE)
target_compile_options(tidegate_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wimplicit-fallthrough -Werror -fno-omit-frame-pointer -pthread)
target_include_directories(tidegate_options INTERFACE ${CMAKE_SOURCE_DIR}/src)

if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  target_compile_options(tidegate_options INTERFACE -march=${TIDEGATE_MARCH})
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False positives of g++ 12 at -O2 in the standard library's own headers.
  target_compile_options(tidegate_options INTERFACE -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow
    -Wno-stringop-overread -Wno-maybe-uninitialized)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12 uses its own deprecated get_temporary_buffer in stable_partition and stable_sort.
  target_compile_options(tidegate_options INTERFACE -Wno-deprecated-declarations)
endif()

if(TIDEGATE_SANITIZE)
  target_compile_options(tidegate_options INTERFACE -fsanitize=${TIDEGATE_SANITIZE} -fno-sanitize-recover=undefined)
  target_link_options(tidegate_options INTERFACE -fsanitize=${TIDEGATE_SANITIZE})
endif()

if(TIDEGATE_FUZZ)
  # The libraries too, or the fuzzer sees no coverage; line tables are all that a stack trace needs.
  target_compile_options(tidegate_options INTERFACE -fsanitize=fuzzer-no-link -g1)
endif()

find_program(MOLD mold)
if(MOLD)
  target_link_options(tidegate_options INTERFACE -fuse-ld=mold)
endif()
