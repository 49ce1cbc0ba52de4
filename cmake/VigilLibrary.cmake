# libvigil: the engine for other programs, from the objects of the rooms that are marked EMBEDDED. Nothing but the C++
# standard library is linked to it, and what is not VIGIL_API is hidden in it.
#
#   cmake --install build --component engine    headers, library, vigilConfig.cmake, vigil.pc, examples
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(vigil_library
  # The daemon's diagnostics; the only file here that asks for more than standard C++.
  "$<FILTER:$<TARGET_OBJECTS:vigil_base>,EXCLUDE,/log\\.cc>"
  $<TARGET_OBJECTS:vigil_engine>
  $<TARGET_OBJECTS:vigil_driver>
  $<TARGET_OBJECTS:vigil_capi>
  # The daemon's settings stay with the daemon.
  "$<FILTER:$<TARGET_OBJECTS:vigil_policy>,INCLUDE,/site_engagement\\.cc>")
add_library(vigil::vigil ALIAS vigil_library)
target_include_directories(vigil_library INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
# Until 1.0.0 every minor version may change the C++ headers; VIGIL_ABI_VERSION counts for the C API.
set_target_properties(vigil_library PROPERTIES
  OUTPUT_NAME vigil EXPORT_NAME vigil LINKER_LANGUAGE CXX
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
if(VIGIL_SANITIZE)
  target_link_options(vigil_library PRIVATE -fsanitize=address,undefined)
elseif(NOT APPLE)
  target_link_options(vigil_library PRIVATE -Wl,-z,defs)
endif()

# What a C compiler has to add when it links the static library.
set(runtime ${CMAKE_CXX_IMPLICIT_LINK_LIBRARIES})
list(FILTER runtime INCLUDE REGEX "^(stdc\\+\\+|c\\+\\+|c\\+\\+abi|m)$")
list(REMOVE_DUPLICATES runtime)
get_target_property(type vigil_library TYPE)
set(VIGIL_C_RUNTIME)
set(VIGIL_PC_LIBS)
set(VIGIL_PC_LIBS_PRIVATE)
list(TRANSFORM runtime PREPEND "-l" OUTPUT_VARIABLE flags)
list(JOIN flags " " flags)
if(type STREQUAL "STATIC_LIBRARY")
  set(VIGIL_C_RUNTIME ${runtime})
  set(VIGIL_PC_LIBS ${flags})
else()
  set(VIGIL_PC_LIBS_PRIVATE ${flags})
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/vigil)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
# So that the tree can be moved after its installation.
file(RELATIVE_PATH VIGIL_PC_PREFIX ${CMAKE_INSTALL_PREFIX}/${pkgconfig_dir} ${CMAKE_INSTALL_PREFIX})
configure_file(${CMAKE_CURRENT_LIST_DIR}/vigil.pc.in ${PROJECT_BINARY_DIR}/package/vigil.pc @ONLY)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/vigilConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/vigilConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/vigilConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)

install(TARGETS vigil_library EXPORT vigilTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT engine
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT engine NAMELINK_COMPONENT engine)
install(EXPORT vigilTargets NAMESPACE vigil:: DESTINATION ${package_dir} COMPONENT engine)
install(FILES ${PROJECT_BINARY_DIR}/package/vigilConfig.cmake ${PROJECT_BINARY_DIR}/package/vigilConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT engine)
install(FILES ${PROJECT_BINARY_DIR}/package/vigil.pc DESTINATION ${pkgconfig_dir} COMPONENT engine)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/vigil DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT engine
  FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_SOURCE_DIR}/docs/embedding.md ${PROJECT_SOURCE_DIR}/LICENSE
  DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT engine)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples/embed DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples COMPONENT engine)
