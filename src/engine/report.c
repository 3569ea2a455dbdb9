/*
 * Reports: see report.h. Texts are built on the stack, so that reporting needs no memory and cannot
 * fail.
 */
#include "engine/report.h"

#include <stdarg.h>
#include <stdio.h>

#define REPORT_TEXT_BYTES 1024

static void send(const struct report_sink *sink, enum report_kind kind, const char *phase,
                 const char *fmt, va_list ap) PRINTF(4, 0);

static void send(const struct report_sink *sink, enum report_kind kind, const char *phase,
                 const char *fmt, va_list ap)
{
    if (!sink)
        return;
    char text[REPORT_TEXT_BYTES];
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): the caller began it
    int n = vsnprintf(text, sizeof text, fmt, ap);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    struct report report = { .kind = kind, .phase = phase, .text = { text, length } };
    sink->take(sink->context, &report);
}

void report_begin(const struct report_sink *sink, const char *phase, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    send(sink, REPORT_BEGIN, phase, fmt, ap);
    va_end(ap);
}

void report_note(const struct report_sink *sink, const char *phase, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    send(sink, REPORT_NOTE, phase, fmt, ap);
    va_end(ap);
}

void report_line(const struct report_sink *sink, const char *phase, struct str line)
{
    if (!sink)
        return;
    struct report report = { .kind = REPORT_LINE, .phase = phase, .text = line };
    sink->take(sink->context, &report);
}

void report_done(const struct report_sink *sink, enum report_kind result, const char *phase,
                 const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    send(sink, result, phase, fmt, ap);
    va_end(ap);
}

void report_say(const struct report_sink *sink, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    send(sink, REPORT_SAY, "", fmt, ap);
    va_end(ap);
}

void report_warn(const struct report_sink *sink, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    send(sink, REPORT_WARN, "", fmt, ap);
    va_end(ap);
}
