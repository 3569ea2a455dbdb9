/*
 * What a release tells whoever is listening, while it happens. The terminal, JSON lines and a
 * dashboard are sinks for the same reports; the engine prints nothing.
 *
 * CALLS    report_begin(phase) → (report_note | report_line)* → report_done(result); report_say and
 *          report_warn stand between phases. Every call accepts a NULL sink.
 */
#ifndef LOCKFLIGHT_ENGINE_REPORT_H
#define LOCKFLIGHT_ENGINE_REPORT_H

#include "base/str.h"

enum report_kind {
    REPORT_BEGIN, /* a phase starts; text: what it is about */
    REPORT_NOTE,  /* what it is at; replaces the note before */
    REPORT_LINE,  /* a line that a child process printed */
    REPORT_OK,    /* done and confirmed */
    REPORT_FAIL,  /* did not work; the error follows when the release is over */
    REPORT_WAIT,  /* something outside has to happen first */
    REPORT_UNDO,  /* taken back */
    REPORT_KEEP,  /* left as it is, on purpose */
    REPORT_SKIP,  /* nothing to do */
    REPORT_SAY,   /* a sentence between phases */
    REPORT_WARN,
};

struct report {
    enum report_kind kind;
    const char *phase; /* "" for REPORT_SAY and REPORT_WARN */
    struct str text;
};

struct report_sink {
    void (*take)(void *context, const struct report *report);
    void *context;
};

void report_begin(const struct report_sink *sink, const char *phase, const char *fmt, ...)
    PRINTF(3, 4);
void report_note(const struct report_sink *sink, const char *phase, const char *fmt, ...)
    PRINTF(3, 4);
void report_line(const struct report_sink *sink, const char *phase, struct str line);
void report_done(const struct report_sink *sink, enum report_kind result, const char *phase,
                 const char *fmt, ...) PRINTF(4, 5);
void report_say(const struct report_sink *sink, const char *fmt, ...) PRINTF(2, 3);
void report_warn(const struct report_sink *sink, const char *fmt, ...) PRINTF(2, 3);

#endif
