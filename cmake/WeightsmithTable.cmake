# weightsmith_table(TARGET FOLDER folder TYPE type FUNCTION function HEADER header [NAMESPACE inner])
# Every file FOLDER/x.cc defines `const TYPE& x()` in namespace weightsmith::internal, or in NAMESPACE inside it where another
# table has an x. Generates FUNCTION(), which lists them
# all, sorted by file name: adding one is adding a file. FUNCTION is declared in HEADER as
# `std::span<const TYPE* const> FUNCTION();`.
function(weightsmith_table target)
  cmake_parse_arguments(arg "" "FOLDER;TYPE;FUNCTION;HEADER;NAMESPACE" "" ${ARGN})
  file(GLOB files CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${arg_FOLDER}/*.cc")
  list(SORT files)
  set(inner "")
  if(arg_NAMESPACE)
    set(inner "${arg_NAMESPACE}::")
  endif()
  set(declarations "")
  set(entries "")
  foreach(file IN LISTS files)
    get_filename_component(name "${file}" NAME_WE)
    if(arg_NAMESPACE)
      string(APPEND declarations "namespace ${arg_NAMESPACE} {\nconst ${arg_TYPE}& ${name}();\n}\n")
    else()
      string(APPEND declarations "const ${arg_TYPE}& ${name}();\n")
    endif()
    string(APPEND entries "      &${inner}${name}(),\n")
  endforeach()
  set(generated "${CMAKE_CURRENT_BINARY_DIR}/${arg_FUNCTION}_table.cc")
  file(CONFIGURE OUTPUT "${generated}" CONTENT
"#include <vector>

#include \"@arg_HEADER@\"

namespace weightsmith::internal {

@declarations@
std::span<const @arg_TYPE@* const> @arg_FUNCTION@() {
  static const std::vector<const @arg_TYPE@*> table = {
@entries@  };
  return table;
}

}  // namespace weightsmith::internal
" @ONLY)
  target_sources(${target} PRIVATE "${generated}")
endfunction()
