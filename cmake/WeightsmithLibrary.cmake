# weightsmith_target_options(TARGET): the language level and the flags that every target of the project is compiled with.
function(weightsmith_target_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  # One form of the arithmetic on every CPU: a contracted multiply-add would change output bytes.
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                                           -ffp-contract=off)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 sees overlaps in `"text" + std::string` that are not there (its bug 105651).
    target_compile_options(${target} PRIVATE -Wno-restrict)
    if(WEIGHTSMITH_UNITY)
      # It forgets which of the functions in precompiled headers are the system's, and warns about those too. Some more
      # memory saves it a tenth of its time. The last option is for ccache.
      target_compile_options(${target} PRIVATE -Wno-stringop-overflow --param=ggc-min-heapsize=262144 -fpch-preprocess)
    endif()
    if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=")
      # And members of <regex> without a value, where sanitizers instrument it (its bug 105562).
      target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
    endif()
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 17)
    # It sees that std::stable_sort of GCC 12's library uses a deprecated function of the same library.
    target_compile_options(${target} PRIVATE -Wno-deprecated-declarations)
  endif()
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    # Vectors whose width the compiler does not know are no members of structs or arrays, and the kernels have both. NEON
    # serves all of these CPUs.
    target_compile_definitions(${target} PRIVATE
      "HWY_DISABLED_TARGETS=(HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128)")
  else()
    # CPUs that have it and no SSE4 were made before 2008; they do with scalars, and every kernel is compiled once less.
    target_compile_definitions(${target} PRIVATE HWY_DISABLED_TARGETS=HWY_SSSE3)
  endif()
  if(WEIGHTSMITH_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
endfunction()

# weightsmith_headers(hot|cold|tests): a target whose precompiled headers others use, which are optimised alike.
function(weightsmith_headers temperature)
  set(target weightsmith_headers_${temperature})
  if(TARGET ${target})
    return()
  endif()
  file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/${target}.cc" CONTENT "")
  add_library(${target} OBJECT "${CMAKE_CURRENT_BINARY_DIR}/${target}.cc")
  weightsmith_target_options(${target})
  weightsmith_temperature(${target} ${temperature})
  target_link_libraries(${target} PRIVATE fmt::fmt)
  target_precompile_headers(${target} PRIVATE
    <algorithm> <array> <charconv> <cmath> <filesystem> <functional> <map> <memory> <mutex> <optional> <set> <span> <string>
    <string_view> <unordered_map> <utility> <vector> <fmt/ranges.h>)
  if(temperature STREQUAL "tests")
    target_precompile_headers(${target} PRIVATE <gmock/gmock.h>)
    target_link_libraries(${target} PRIVATE GTest::gmock)
  endif()
endfunction()

# weightsmith_temperature(TARGET hot|cold|tests): of what is cold, as tests are, nothing is done for each element of a tensor, so that it is
# optimised as far as the compiler does it quickly: a fifth of the time.
function(weightsmith_temperature target temperature)
  if(NOT temperature STREQUAL "hot")
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
  if(temperature STREQUAL "tests")
    # Programs and object libraries have different defaults, and precompiled headers must agree.
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  endif()
endfunction()

# weightsmith_sources(TARGET hot|cold|tests): how the files of a target are compiled. With WEIGHTSMITH_UNITY those of one folder
# some at a time, after headers that all need: what they share is read once. Kernels are left alone, as are the
# declarations of models, which are small and define functions of the same names.
function(weightsmith_sources target temperature)
  weightsmith_target_options(${target})
  weightsmith_temperature(${target} ${temperature})
  if(NOT WEIGHTSMITH_UNITY)
    return()
  endif()
  weightsmith_headers(${temperature})
  target_precompile_headers(${target} REUSE_FROM weightsmith_headers_${temperature})
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources EXCLUDE REGEX "TARGET_OBJECTS")
  foreach(source IN LISTS sources)
    file(RELATIVE_PATH path "${PROJECT_SOURCE_DIR}" "${source}")
    file(STRINGS "${source}" kernel REGEX "hwy/foreach_target\\.h" LIMIT_COUNT 1)
    if(kernel)
      set_source_files_properties("${source}" PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
      continue()
    elseif(path MATCHES "^core/model/(architectures|builders|parts)/")
      continue()
    endif()
    get_filename_component(folder "${path}" DIRECTORY)
    string(MAKE_C_IDENTIFIER "${folder}" folder)
    math(EXPR count_${folder} "${count_${folder}} + 1")
    math(EXPR part "(${count_${folder}} - 1) / 16")
    set_source_files_properties("${source}" PROPERTIES UNITY_GROUP "${folder}_${part}")
  endforeach()
endfunction()

# weightsmith_library(NAME [DEPENDS public…] [PRIVATE private…] [EXCLUDE regexes…] [COLD regex]): a static library
# weightsmith::NAME of every .cc file below the calling folder that no EXCLUDE matches; what COLD matches is cold, and
# `COLD .` all of it. Of its headers none is installed: include/weightsmith is.
function(weightsmith_library name)
  cmake_parse_arguments(arg "" "COLD" "DEPENDS;PRIVATE;EXCLUDE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
  foreach(regex IN LISTS arg_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "${regex}")
  endforeach()
  set(target weightsmith_${name})
  set(temperature hot)
  if(arg_COLD STREQUAL ".")
    set(temperature cold)
  elseif(arg_COLD)
    set(cold ${sources})
    list(FILTER cold INCLUDE REGEX "${arg_COLD}")
    list(FILTER sources EXCLUDE REGEX "${arg_COLD}")
    add_library(${target}_cold OBJECT ${cold})
    weightsmith_sources(${target}_cold cold)
    target_include_directories(${target}_cold PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include")
    target_link_libraries(${target}_cold PRIVATE ${arg_DEPENDS} ${arg_PRIVATE})
    list(APPEND sources $<TARGET_OBJECTS:${target}_cold>)
  endif()
  add_library(${target} STATIC ${sources})
  add_library(weightsmith::${name} ALIAS ${target})
  weightsmith_sources(${target} ${temperature})
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PUBLIC ${arg_DEPENDS} PRIVATE ${arg_PRIVATE})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  set_property(GLOBAL APPEND PROPERTY WEIGHTSMITH_LIBRARIES ${target})
endfunction()

# weightsmith_kernels(SOURCES…): inner loops of these files begin where a line of the instruction cache does not end inside
# them; by chance they take up to half as long again.
function(weightsmith_kernels)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS -falign-loops=32)
endfunction()

# weightsmith_variant(TARGET SOURCE NAME [DEFINITIONS…] [FLAGS…]): one more object of SOURCE in TARGET, compiled with
# FLAGS of its own; the library's globbing must leave SOURCE out (EXCLUDE).
function(weightsmith_variant target source name)
  cmake_parse_arguments(arg "" "" "DEFINITIONS;FLAGS" ${ARGN})
  set(variant ${target}_${name})
  add_library(${variant} OBJECT ${source})
  weightsmith_target_options(${variant})
  target_include_directories(${variant} PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include")
  target_compile_definitions(${variant} PRIVATE ${arg_DEFINITIONS})
  target_compile_options(${variant} PRIVATE ${arg_FLAGS})
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${variant}>)
endfunction()
