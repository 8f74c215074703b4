# sluice_fuzz(NAME DEPS library...): NAME_fuzz.cc, which has LLVMFuzzerTestOneInput, over the inputs
# in corpus/NAME. The preset `fuzz` makes it build-fuzz/bin/NAME_fuzz, for libFuzzer:
#
#   script/build fuzz && build-fuzz/bin/NAME_fuzz -max_total_time=600 tests/fuzz/corpus/NAME
#
# Every other build makes it a test that takes each input of the corpus once: what the fuzzer found
# stays found.
option(SLUICE_FUZZ "build fuzz targets for libFuzzer" OFF)

if(SLUICE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_custom_target(fuzz)
endif()

function(sluice_fuzz name)
  cmake_parse_arguments(FUZZ "" "" "DEPS" ${ARGN})
  set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
  add_executable(${name}_fuzz ${name}_fuzz.cc)
  target_link_libraries(${name}_fuzz PRIVATE ${FUZZ_DEPS})
  if(SLUICE_FUZZ)
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzz ${name}_fuzz)
    return()
  endif()
  target_sources(${name}_fuzz PRIVATE replay_main.cc)
  add_test(NAME ${SLUICE_TEST_PREFIX}Fuzz.Corpus.${name} COMMAND ${name}_fuzz ${corpus})
  set_tests_properties(${SLUICE_TEST_PREFIX}Fuzz.Corpus.${name} PROPERTIES TIMEOUT 120)
endfunction()
