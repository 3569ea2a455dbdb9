/*
 * The trace: one JSON line per event, for us, not for users. The conversation with the user goes
 * through event sinks above; the journal is in the database.
 *
 * The trace is written to the file given to log_open; before that, and after log_close, calls do
 * nothing. Values registered with log_redact are replaced by [redacted] in every text on its way.
 */
#ifndef LOCKFLIGHT_BASE_LOG_H
#define LOCKFLIGHT_BASE_LOG_H

#include "base/str.h"

bool log_open(const char *path, struct err *e) MUST_USE;
void log_close(void);

/* A line {"at":…,"event":name,"text":…}. */
void log_event(const char *name, const char *fmt, ...) PRINTF(2, 3);

/* Registers a secret; values under 6 bytes are ignored, since they would blot out ordinary text.
 * Thread-safe. The value is copied into guarded memory. */
void log_redact(struct str secret);

/* `text` with every registered secret replaced. Also what progress lines
 * and errors pass through. */
char *log_redacted(struct arena *a, struct str text);

#endif
