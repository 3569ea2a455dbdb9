/*
 * Annotations of GitHub Actions: a line of the log that the runner shows beside the line of the file.
 */
#ifndef LOCKFLIGHT_CLI_ANNOTATION_H
#define LOCKFLIGHT_CLI_ANNOTATION_H

#include "cli/command.h"

struct annotation {
    const char *word; /* "error", "warning", "notice" */
    const char
        *where; /* "file:line:column", "file:line", or what is neither: then it has no place */
    const char *title;
    const char *text;
};

void print_annotation(struct arena *a, const struct terminal *to, const struct annotation *x);

/* What the runner would take for syntax is escaped; a property (file, title) has more of it. */
char *annotation_escape(struct arena *a, const char *text, bool is_property);

#endif
