# Writes the version header when its text has changed (run at build time, see CMakeLists.txt).
# In: HEADER, SOURCE_DIR, VERSION, BUILD_TYPE, C_FLAGS. A tarball of `git archive` has its revision in src/revision.txt; any other tree without
# git has the revision "unknown".
find_program(GIT git)

function(git_output out)
  set(text "")
  if(GIT)
    # safe.directory: the tree may belong to another user, as under sudo
    execute_process(COMMAND ${GIT} -c "safe.directory=${SOURCE_DIR}" -C "${SOURCE_DIR}" ${ARGN}
                    OUTPUT_VARIABLE text OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
    if(status)
      set(text "")
    endif()
  endif()
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

set(revision "")
set(dirty 0)
if(EXISTS "${SOURCE_DIR}/.git") # not that of a folder above into which a tarball was unpacked
  git_output(revision rev-parse HEAD)
  git_output(changes status --porcelain --untracked-files=no)
  if(changes)
    set(dirty 1)
  endif()
endif()
if(revision STREQUAL "" AND EXISTS "${SOURCE_DIR}/src/revision.txt")
  file(STRINGS "${SOURCE_DIR}/src/revision.txt" revision REGEX "^[0-9a-f]+$" LIMIT_COUNT 1)
endif()
if(revision STREQUAL "")
  set(revision unknown)
endif()

string(REPLACE "\\" "\\\\" C_FLAGS "${C_FLAGS}")
string(REPLACE "\"" "\\\"" C_FLAGS "${C_FLAGS}")
set(text "/* Written by the build (src/version.cmake). */
#pragma once
#define COSPIN_VERSION \"${VERSION}\"
#define COSPIN_GIT_REVISION \"${revision}\"
#define COSPIN_GIT_DIRTY ${dirty} /* 1: tracked files were changed */
#define COSPIN_BUILD_TYPE \"${BUILD_TYPE}\"
#define COSPIN_C_FLAGS \"${C_FLAGS}\"
")
set(old "")
if(EXISTS "${HEADER}")
  file(READ "${HEADER}" old)
endif()
if(NOT text STREQUAL old)
  file(WRITE "${HEADER}" "${text}")
endif()
