/*
 * Questions to the person at the terminal. There is no default-yes. Without a terminal, with
 * --no-input or under CI nothing is asked: the answer must be a flag, and the error names it.
 */
#ifndef LOCKFLIGHT_CLI_PROMPT_H
#define LOCKFLIGHT_CLI_PROMPT_H

#include "cli/command.h"

/* An ordinary "go on?": true if the person types `word` (for example the environment's name), or if
 * --yes or --confirm <word> was given. Otherwise ERR_BLOCKED "not confirmed", or ERR_USAGE naming
 * the flag if nobody can be asked. */
bool prompt_continue(struct command_context *c, const char *word, const char *question,
                     struct err *e) MUST_USE;

/* For what loses data: --yes does not answer it; only typing `word` in
 * full, or --confirm <word>. */
bool prompt_destructive(struct command_context *c, const char *word, const char *question,
                        struct err *e) MUST_USE;

/* A question with a free answer of one line, trimmed; nothing typed is `otherwise`. Only where
 * somebody can be asked: the caller looks at no_input first. ERR_BLOCKED at the end of input,
 * ERR_LIMIT for a line of more than a kilobyte. */
bool prompt_text(struct command_context *c, const char *question, const char *otherwise,
                 const char **ret, struct err *e) MUST_USE;

/* A line that is not shown while it is typed. ERR_USAGE with the hint `instead` if nobody can be
 * asked, ERR_LIMIT if it does not fit. The caller wipes `into`. */
bool prompt_hidden(struct command_context *c, const char *question, const char *instead, char *into,
                   size_t room, size_t *ret_n, struct err *e) MUST_USE;

#endif
