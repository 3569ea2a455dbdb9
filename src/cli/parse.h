/*
 * The command line, parsed by the rows of the command tables.
 *
 * Options may stand before, between and after the words: --name value, --name=value, -n value,
 * -nvalue, -ab for two flags; "--" ends them. Names are never guessed from a prefix; a near miss
 * gets one suggestion.
 */
#ifndef LOCKFLIGHT_CLI_PARSE_H
#define LOCKFLIGHT_CLI_PARSE_H

#include "cli/command.h"

/* Fills the context (command, path, global options) and the command's args struct, in the arena.
 * c->command stays NULL if no command was named. */
bool parse_command_line(struct command_context *c, int argc, char **argv, void **ret_args,
                        struct err *e) MUST_USE;

/* Are all required arguments there? Asked after --help had its chance. */
bool parse_is_complete(const struct command_context *c, const void *args, struct err *e) MUST_USE;

/* One value of an option or check of its words; `at` is the field. Used for tests too. */
bool parse_option_value(struct arena *a, const struct option *o, const char *value, void *at,
                        struct err *e) MUST_USE;

#endif
