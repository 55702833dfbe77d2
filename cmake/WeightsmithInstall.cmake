include(CMakePackageConfigHelpers)

get_property(weightsmith_libraries GLOBAL PROPERTY WEIGHTSMITH_LIBRARIES)

install(TARGETS ${weightsmith_libraries} EXPORT weightsmith_targets)
if(TARGET weightsmith)
  install(TARGETS weightsmith)
endif()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/weightsmith" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/recipes/schema" DESTINATION "${CMAKE_INSTALL_DATADIR}/weightsmith")
set(weightsmith_cmake_folder "${CMAKE_INSTALL_LIBDIR}/cmake/weightsmith")
install(EXPORT weightsmith_targets NAMESPACE weightsmith:: DESTINATION "${weightsmith_cmake_folder}")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/weightsmithConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/weightsmithConfig.cmake" INSTALL_DESTINATION "${weightsmith_cmake_folder}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/weightsmithConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/weightsmithConfig.cmake" "${PROJECT_BINARY_DIR}/weightsmithConfigVersion.cmake"
        "${CMAKE_CURRENT_LIST_DIR}/Findre2.cmake"
        DESTINATION "${weightsmith_cmake_folder}")
