/*
 * Reading the platform's log files: the last lines, and what is written from then on.
 */
#ifndef LOCKFLIGHT_LOCAL_TAIL_H
#define LOCKFLIGHT_LOCAL_TAIL_H

#include "base/arena.h"

#include <stdio.h>

struct tail_spec {
    const char *dir;
    const char *prefix; /* files whose name starts so; "" all but the trace */
    int lines;
    bool follow; /* until a signal asks to stop */
    FILE *out;
};

/* Prints "part | line". ERR_NOT_FOUND if no file fits. */
bool tail(struct arena *a, const struct tail_spec *spec, struct err *e) MUST_USE;

#endif
