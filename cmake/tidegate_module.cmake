# doctest's own code and main, compiled once for all test programs.
if(NOT TIDEGATE_FUZZ)
  add_library(unit_main STATIC ${CMAKE_SOURCE_DIR}/tests/unit_main.cpp)
  target_include_directories(unit_main SYSTEM PUBLIC ${DOCTEST_INCLUDE})
  target_link_libraries(unit_main PRIVATE tidegate_options)
endif()

# tidegate_module(NAME DEPS a b TEST_DEPS c LIBS x::y): the static library tg_NAME from the .cpp files of src/NAME
# (and its internal/ and adapter folders) and the test program NAME_test from its *_test.cpp files.
# DEPS are modules (tools/tidy checks that they follow the order of cmake/modules.cmake), TEST_DEPS those that only
# the tests use, LIBS third-party targets.
function(tidegate_module name)
  cmake_parse_arguments(arg "" "" "DEPS;TEST_DEPS;LIBS" ${ARGN})
  set(dir ${CMAKE_SOURCE_DIR}/src/${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|/main)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")

  list(TRANSFORM arg_DEPS PREPEND tg_ OUTPUT_VARIABLE dep_targets)
  set(libraries tidegate_options ${dep_targets} fmt::fmt ${arg_LIBS} Threads::Threads)
  if(sources)
    add_library(tg_${name} STATIC ${sources})
    target_link_libraries(tg_${name} PUBLIC ${libraries})
    tidegate_use_precompiled(tg_${name})
  else()  # headers only
    add_library(tg_${name} INTERFACE)
    target_link_libraries(tg_${name} INTERFACE ${libraries})
  endif()

  if(tests AND NOT TIDEGATE_FUZZ)  # what only fuzzes needs no test library
    add_executable(${name}_test ${tests})
    list(TRANSFORM arg_TEST_DEPS PREPEND tg_ OUTPUT_VARIABLE test_targets)
    target_link_libraries(${name}_test PRIVATE tg_${name} ${test_targets} unit_main)
    target_compile_options(${name}_test PRIVATE ${TIDEGATE_TEST_OPTIMIZATION})
    tidegate_use_precompiled(${name}_test)
    add_test(NAME unit.${name} COMMAND ${name}_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  endif()
  tidegate_fuzz_targets(${name} ${dir})
endfunction()

# Every x_fuzz.cpp of a module is a libFuzzer program fuzz_x (preset `fuzz`).
function(tidegate_fuzz_targets name dir)
  if(NOT TIDEGATE_FUZZ)
    return()
  endif()
  file(GLOB_RECURSE fuzzers CONFIGURE_DEPENDS ${dir}/*_fuzz.cpp)
  foreach(source ${fuzzers})
    get_filename_component(stem ${source} NAME_WE)
    string(REGEX REPLACE "_fuzz$" "" stem ${stem})
    add_executable(fuzz_${stem} ${source})
    target_link_libraries(fuzz_${stem} PRIVATE tg_${name})
    target_compile_options(fuzz_${stem} PRIVATE -fsanitize=fuzzer)
    target_link_options(fuzz_${stem} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers fuzz_${stem})
  endforeach()
endfunction()
