# cmake -D SOURCE=DIR -D OUTPUT=FILE -P Commit.cmake: writes a header with the commit of the checkout DIR, with a plus sign where files
# differ from it; "unknown" where DIR is no git checkout of its own. The file is touched only where its content changes.
cmake_minimum_required(VERSION 3.25)
set(commit unknown)
find_program(GIT git)
if(GIT)
  execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse --show-toplevel --short=12 HEAD
    OUTPUT_VARIABLE answer ERROR_QUIET RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE)
  string(REPLACE "\n" ";" answer "${answer}")
  if(NOT failed)
    list(GET answer 0 top)
    file(REAL_PATH ${SOURCE} source)
    # A project that has whorl's sources among its own has another commit.
    if(top STREQUAL source)
      list(GET answer 1 commit)
      execute_process(COMMAND ${GIT} -C ${SOURCE} diff --quiet HEAD ERROR_QUIET RESULT_VARIABLE is_changed)
      if(is_changed)
        string(APPEND commit +)
      endif()
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define WHORL_COMMIT \"@commit@\"\n" @ONLY)
