/*
 * What a shell may offer for the word being typed, computed from the command tables. The scripts
 * for bash, zsh and fish ask the program itself, so they cannot disagree with it and never go
 * stale.
 */
#ifndef LOCKFLIGHT_CLI_COMPLETE_H
#define LOCKFLIGHT_CLI_COMPLETE_H

#include "cli/command.h"

struct complete_input {
    const struct text_list *words;   /* after "lockflight"; the last one is being typed, maybe "" */
    const char *const *environments; /* names, NULL-terminated */
    const char *const *flags;        /* keys, NULL-terminated */
};

/* Prints one candidate a line, "word<tab>what it is", or the line ":file"
 * where file names belong. */
void complete_print(struct command_context *c, const struct complete_input *in);

#endif
