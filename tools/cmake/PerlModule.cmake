# SPDX-License-Identifier: AGPL-3.0-or-later
# Asks perl where modules go and how XS code is compiled, so that nothing is guessed.
find_program(PERL_EXECUTABLE perl REQUIRED)

function(perl_config NAME OUTPUT)
    execute_process(
        COMMAND ${PERL_EXECUTABLE} "-MConfig" -e "print \$Config{${NAME}}"
        OUTPUT_VARIABLE VALUE COMMAND_ERROR_IS_FATAL ANY)
    set(${OUTPUT} "${VALUE}" PARENT_SCOPE)
endfunction()

perl_config(vendorarch PERL_VENDORARCH)
perl_config(archlibexp PERL_ARCHLIB)
perl_config(privlibexp PERL_PRIVLIB)
perl_config(ccflags PERL_CCFLAGS)
separate_arguments(PERL_CCFLAGS UNIX_COMMAND "${PERL_CCFLAGS}")

# The man pages are written in Perl's format; pod2man comes with the perl found above.
add_subdirectory(${PROJECT_SOURCE_DIR}/man)
