/*
 * The verbs of `lockflight flags`. A new one is a file here, a line here and a row in flags.c.
 */
#ifndef LOCKFLIGHT_COMMAND_FLAGS_FLAGS_H
#define LOCKFLIGHT_COMMAND_FLAGS_FLAGS_H

#include "cli/command.h"

extern const struct command cmd_flags_eval;

#endif
