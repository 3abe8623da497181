# Writes the one text that Metal compiles at run time (newLibraryWithSource): the headers of src/kernels, each once and
# after those it includes. #line makes the compiler's messages name the files and lines that people edit.
#
#   cmake -D INCLUDE_DIR=src -D OUTPUT=kernels.metal -P cmake/KernelText.cmake
#
# With WH_WITHOUT_KERNELS defined it is the headers that define no kernels: what generated kernels rest on.
#
# The headers are foo.h for each foo_params.h in kernels/all.h, and all.h.

cmake_minimum_required(VERSION 3.25)

function(whorl_append_header header)
  if(header IN_LIST written)
    return()
  endif()
  file(READ ${INCLUDE_DIR}/${header} body)
  string(REGEX MATCHALL "kernels/[a-z0-9_]+\\.h\"" included "${body}")
  foreach(other IN LISTS included)
    string(REPLACE "\"" "" other ${other})
    whorl_append_header(${other})
  endforeach()
  string(REGEX REPLACE "#include \"[^\n]*" "" body "${body}")
  set(text "${text}#line 1 \"${header}\"\n")
  if(body MATCHES "\nWH_KERNEL\\(")
    set(body "#ifndef WH_WITHOUT_KERNELS\n#line 1\n${body}#endif\n")
  endif()
  set(text "${text}${body}" PARENT_SCOPE)
  set(written ${written} ${header} PARENT_SCOPE)
endfunction()

set(text "")
set(written "")
file(READ ${INCLUDE_DIR}/kernels/all.h all)
string(REGEX MATCHALL "kernels/[a-z0-9_]+_params\\.h" listed "${all}")
foreach(params IN LISTS listed)
  string(REPLACE "_params.h" ".h" header ${params})
  whorl_append_header(${header})
endforeach()
whorl_append_header(kernels/all.h)
file(WRITE ${OUTPUT} "${text}")
