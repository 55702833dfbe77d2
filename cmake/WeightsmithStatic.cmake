# For programs that go to other machines (wheels): what the system has as an archive is linked from it. What stays shared
# is oneTBB, of which a process may hold one alone, RE2, whose archive has variables of threads that no shared library may
# link, and fmt and Highway, of which Debian has no archives. Nothing is compiled with other flags, so that a cache of the compiler serves both builds.

# weightsmith_use_archive(TARGET NAME): an imported library is the archive of that name, where there is one.
function(weightsmith_use_archive target name)
  find_library(weightsmith_archive_of_${name} NAMES lib${name}.a)
  if(NOT weightsmith_archive_of_${name})
    message(STATUS "There is no archive of ${name}: it stays a shared library")
    return()
  endif()
  get_target_property(configurations ${target} IMPORTED_CONFIGURATIONS)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION "${weightsmith_archive_of_${name}}")
  foreach(configuration IN LISTS configurations)
    if(configuration)
      set_target_properties(${target} PROPERTIES IMPORTED_LOCATION_${configuration} "${weightsmith_archive_of_${name}}")
    endif()
  endforeach()
endfunction()

weightsmith_use_archive(yaml-cpp yaml-cpp)
weightsmith_use_archive(OpenSSL::Crypto crypto)
set_property(TARGET OpenSSL::Crypto APPEND PROPERTY INTERFACE_LINK_LIBRARIES ${CMAKE_DL_LIBS})
set(Boost_USE_STATIC_LIBS ON)

# Symbols of the archives are nobody else's in the process, and what is not used is not there. With the standard library
# among them: Debian's archives are not compiled for shared libraries, and may only be in one with all that they refer to.
add_link_options(-static-libstdc++ -Wl,--as-needed -Wl,--exclude-libs,ALL -Wl,--gc-sections -s)
