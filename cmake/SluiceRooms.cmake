# A room is one folder: its sources make one library, its *_test.cc one test binary, whose tests
# ctest lists by their own names. Fakes for tests (fake_*.cc, *_testing.cc) make a library
# beside it, so that they never get into a product binary.
include(GoogleTest)

# Most of a compiler's time goes into the same few headers. They are parsed once for the rooms and
# once for their tests (cmake/precompiled.h, precompiled_tests.h). -DSLUICE_PRECOMPILED=OFF shows
# whether each file includes what it uses.
option(SLUICE_PRECOMPILED "precompiled headers" ON)
if(SLUICE_PRECOMPILED)
  if(NOT EXISTS ${CMAKE_BINARY_DIR}/precompiled.cc)
    file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cc "")
  endif()
  foreach(kind precompiled precompiled_tests)
    add_library(sluice_${kind} OBJECT ${CMAKE_BINARY_DIR}/precompiled.cc)
    target_precompile_headers(sluice_${kind} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/${kind}.h)
    target_link_libraries(sluice_${kind} PRIVATE sluice_proto absl::status absl::statusor
                          absl::strings absl::flat_hash_map absl::flat_hash_set)
  endforeach()
  target_link_libraries(sluice_precompiled_tests PRIVATE GTest::gmock GTest::gtest)
endif()

# A room's sources are compiled two dozen at a time, which takes a third of the time that they take
# one by one. -DSLUICE_TOGETHER=OFF is for working on one file, and for tools that ask for one.
option(SLUICE_TOGETHER "sources compiled together" ON)
if(SLUICE_TOGETHER)
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 24)
endif()

function(sluice_precompiled target kind)
  if(SLUICE_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM sluice_${kind})
  endif()
endfunction()

function(sluice_room name)
  # APART: sources of a library that the folder makes beside the room's, for programs that want no
  # more of it.
  cmake_parse_arguments(ROOM "GRPC" "SHARDS;THREADS" "DEPS;TEST_DEPS;APART" ${ARGN})
  # Under the thread sanitizer, targets that link gRPC are left out: Debian's gRPC and Abseil are
  # not annotated for it.
  if(ROOM_GRPC AND SLUICE_SANITIZE STREQUAL "thread")
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(testing ${sources})
  list(FILTER testing INCLUDE REGEX "(/fake_[^/]*|_testing)\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test\\.cc|/fake_[^/]*\\.cc|_testing\\.cc|_main\\.cc)$")
  foreach(source ${ROOM_APART})
    list(REMOVE_ITEM sources ${CMAKE_CURRENT_SOURCE_DIR}/${source})
  endforeach()

  if(sources)
    add_library(sluice_${name} STATIC ${sources})
    target_link_libraries(sluice_${name} PUBLIC ${ROOM_DEPS})
    sluice_precompiled(sluice_${name} precompiled)
  else()
    add_library(sluice_${name} INTERFACE)
    target_link_libraries(sluice_${name} INTERFACE ${ROOM_DEPS})
  endif()
  if(testing)
    add_library(sluice_${name}_testing STATIC ${testing})
    target_link_libraries(sluice_${name}_testing PUBLIC sluice_${name} GTest::gtest)
    sluice_precompiled(sluice_${name}_testing precompiled_tests)
  endif()
  if(tests)
    set(shards 1)
    if(ROOM_SHARDS)
      set(shards ${ROOM_SHARDS})
    endif()
    sluice_test(${name}_test SOURCES ${tests} DEPS sluice_${name} ${ROOM_TEST_DEPS} SHARDS ${shards}
                THREADS ${ROOM_THREADS})
    if(testing AND TARGET ${name}_test)
      target_link_libraries(${name}_test PRIVATE sluice_${name}_testing)
    endif()
  endif()
endfunction()

function(sluice_whole_test name shards filter)
  foreach(shard RANGE 1 ${shards})
    math(EXPR index "${shard} - 1")
    set(test "${SLUICE_TEST_PREFIX}${name}")
    if(shards GREATER 1)
      string(APPEND test ".${shard}")
    endif()
    add_test(NAME ${test} COMMAND ${name})
    # The long ones first, lest the last one runs alone.
    set_tests_properties(${test} PROPERTIES TIMEOUT 1500 COST ${shards}
      ENVIRONMENT "GTEST_TOTAL_SHARDS=${shards};GTEST_SHARD_INDEX=${index};GTEST_FILTER=${filter}")
  endforeach()
endfunction()

# One test binary. LABELS deep: left to `script/test --deep`, and to the release build: what takes
# minutes there takes too long under a sanitizer. The release build's others are `plain`.
#
# PLAIN_ONLY: not under a sanitizer. Journeys of many short processes, of which each would wait for a
# sanitizer to begin and to end; what those run, other tests run under one.
#
# THREADS: which of its tests (a filter of GoogleTest's) have more than one thread. Only these run under
# the thread sanitizer, which has nothing to find in others.
#
# Each test is one of ctest's, in a process of its own. Under a sanitizer, where a process takes long to
# begin and a database's server longer still, the whole binary is, or each of its SHARDS.
function(sluice_test name)
  cmake_parse_arguments(TEST "GRPC;PLAIN_ONLY" "TIMEOUT;SHARDS;THREADS" "SOURCES;DEPS;LABELS" ${ARGN})
  set(filter *)
  if(SLUICE_SANITIZE STREQUAL "thread")
    if(TEST_GRPC OR NOT TEST_THREADS)
      return()
    endif()
    set(filter ${TEST_THREADS})
  endif()
  if(SLUICE_SANITIZE AND (TEST_PLAIN_ONLY OR "deep" IN_LIST TEST_LABELS))
    return()
  endif()
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_DEPS} GTest::gmock GTest::gtest_main)
  sluice_precompiled(${name} precompiled_tests)
  if(NOT TEST_LABELS AND NOT SLUICE_SANITIZE)
    set(TEST_LABELS plain)
  endif()
  set(timeout 120)
  if(TEST_TIMEOUT)
    set(timeout ${TEST_TIMEOUT})
  endif()
  if(SLUICE_SANITIZE)
    if(NOT TEST_SHARDS)
      set(TEST_SHARDS 1)
    endif()
    sluice_whole_test(${name} ${TEST_SHARDS} "${filter}")
    return()
  endif()
  set(properties TIMEOUT ${timeout})
  if(TEST_LABELS)
    list(APPEND properties LABELS "${TEST_LABELS}")
  endif()
  gtest_discover_tests(${name} TEST_PREFIX "${SLUICE_TEST_PREFIX}" DISCOVERY_TIMEOUT 60
                       PROPERTIES ${properties})
endfunction()
