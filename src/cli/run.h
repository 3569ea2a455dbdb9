/*
 * The life of one call of the program: main() makes a context, runs the command that argv names,
 * prints its error if there is one, and flushes.
 */
#ifndef LOCKFLIGHT_CLI_RUN_H
#define LOCKFLIGHT_CLI_RUN_H

#include "cli/command.h"

/* Finds out what the streams are. `c` is zeroed first. */
void command_context_init(struct command_context *c, struct arena *a,
                          const struct command *const *commands);

/* Parses argv, then runs the command or prints help. False with an error not printed yet. */
bool command_main(struct command_context *c, int argc, char **argv, struct err *e) MUST_USE;

/* Prints the error's whole story on stderr (with --json as a document on stdout, last line), as
 * GitHub annotation if that is where we run. Secrets registered with log_redact are replaced. */
void command_error(struct command_context *c, const struct err *e);

/* Flushes both streams. ERR_IO if anything could not be written, for example on a full device. */
bool command_finish(struct command_context *c, struct err *e) MUST_USE;

#endif
