# SPDX-License-Identifier: AGPL-3.0-or-later
# One interface target, project_options, that every target of ours links: warnings, and the sanitizers when asked for. The
# warnings alone are for what the sanitizers shall not slow down.
add_library(warning_options INTERFACE)
target_compile_options(warning_options INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
    -fvisibility=hidden -fvisibility-inlines-hidden)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    # It takes every reference that a function returns for one to its argument, a literal made into a
    # std::string say.
    target_compile_options(warning_options INTERFACE -Wno-dangling-reference)
endif()
if(ONTAPNVME_WERROR)
    target_compile_options(warning_options INTERFACE -Werror)
endif()
add_library(project_options INTERFACE)
target_link_libraries(project_options INTERFACE warning_options)
if(ONTAPNVME_SANITIZE)
    target_compile_options(project_options INTERFACE
        -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
    target_link_options(project_options INTERFACE -fsanitize=address,undefined)
endif()
