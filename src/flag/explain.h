/*
 * Who is told what a rule does.
 */
#ifndef LOCKFLIGHT_FLAG_EXPLAIN_H
#define LOCKFLIGHT_FLAG_EXPLAIN_H

#include "base/strbuf.h"
#include "flag/run.h"

struct telling {
    void (*line)(void *to, int depth, const char *text);
    void *to;
    int depth;
    struct strbuf *operands; /* of the operator at hand; NULL above the first */
};

#endif
