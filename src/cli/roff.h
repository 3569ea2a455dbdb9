/*
 * Manual pages in the man macros of roff. Texts are escaped here and nowhere else.
 */
#ifndef LOCKFLIGHT_CLI_ROFF_H
#define LOCKFLIGHT_CLI_ROFF_H

#include "cli/command.h"

/* .TH and NAME. `summary` continues "name - ". */
void roff_title(const struct terminal *to, const char *name, int section, const char *summary);

void roff_section(const struct terminal *to, const char *title);    /* .SH */
void roff_subsection(const struct terminal *to, const char *title); /* .SS */

/* Text; an empty line begins a paragraph. */
void roff_text(const struct terminal *to, const char *text);

/* A term in bold, its explanation indented below. */
void roff_item(const struct terminal *to, const char *term, const char *text);

/* Lines as they are, indented. */
void roff_example(const struct terminal *to, const char *lines);

/* All of lockflight(1), from the command tables. */
void roff_commands(const struct command_context *c, const struct terminal *to);

#endif
