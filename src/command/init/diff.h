/*
 * The difference between two texts, as `diff -u` shows it: three lines of context, "/dev/null" for a
 * file that is new, a note where the last line has no end.
 */
#ifndef LOCKFLIGHT_COMMAND_INIT_DIFF_H
#define LOCKFLIGHT_COMMAND_INIT_DIFF_H

#include "base/arena.h"
#include "base/str.h"

enum diff_kind {
    DIFF_HEAD,    /* --- and +++ */
    DIFF_HUNK,    /* @@ … @@ */
    DIFF_SAME,    /* " …" */
    DIFF_REMOVED, /* "-…" */
    DIFF_ADDED,   /* "+…" */
    DIFF_NOTE,    /* "\ No newline at end of file" */
};

struct diff_line {
    enum diff_kind kind;
    struct str text; /* with its mark, without the line end */
};

/* Nothing if the texts are equal. Past DIFF_LINES_MAX lines that differ the whole middle is shown as
 * replaced: still right, only longer. */
#define DIFF_LINES_MAX 3000
void diff_unified(struct arena *a, const char *path, bool is_new, struct str before,
                  struct str after, struct diff_line **ret, size_t *ret_count);

#endif
