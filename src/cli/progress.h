/*
 * Progress of a long command on stderr, one line per step:
 *
 *     on a terminal    the live line with a spinner after 1 s and the time; it collapses to
 *                      "  ok    draft      212 files, 4 uploaded                 11 s"
 *     otherwise        append-only lines with UTC time, without cursor codes:
 *                      "10:02:53Z draft     ok    212 files, 4 uploaded"; under CI one each 30 s
 *     GitHub Actions   each step's log lines in a group, warnings as annotations, and the steps as
 *                      a table in the summary of the job
 *     --json           newline-delimited events on stdout, nothing else there:
 *                      {"v":1,"at":"…","event":"step_done","step":"draft","result":"ok","text":"…"}
 *
 * All calls are thread-safe; texts are redacted on the way out. A thread of the module's own moves
 * the spinner and the heartbeat.
 *
 * CALLS   progress_begin → { step_begin → (note | line)* → step_done }* → progress_end
 */
#ifndef LOCKFLIGHT_CLI_PROGRESS_H
#define LOCKFLIGHT_CLI_PROGRESS_H

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/command.h"

#include <jansson.h>

enum progress_result {
    PROGRESS_OK,   /* ok    done and confirmed */
    PROGRESS_FAIL, /* FAIL  the last 20 lines of the step are shown */
    PROGRESS_WAIT, /* wait  something outside has to happen first; the last lines, too */
    PROGRESS_UNDO, /* undo  taken back */
    PROGRESS_KEEP, /* keep  left as it is, on purpose */
    PROGRESS_SKIP, /* skip  nothing to do */
};

struct progress;

struct progress *progress_begin(struct command_context *c);
void progress_end(struct progress *p); /* accepts NULL; ends an unfinished step's live line */

/* A step starts. `name` is the short word of the left column ("draft"), `text` what it is about. */
void progress_step_begin(struct progress *p, const char *name, const char *text);

/* What the running step is at: replaces the live line's text ("120 of 212 files"). */
void progress_note(struct progress *p, const char *fmt, ...) PRINTF(2, 3);

/* A line that a child or the step itself printed. Kept, and shown if the step fails. */
void progress_line(struct progress *p, struct str line);

/* The step is over. */
void progress_step_done(struct progress *p, enum progress_result result, const char *fmt, ...)
    PRINTF(3, 4);

/* Takes the live line away while a question is asked, and lets it come back. */
void progress_pause(struct progress *p);
void progress_resume(struct progress *p);

/* A sentence between the steps ("Unwinding, one layer at a time"). Not shown with --json. */
void progress_say(struct progress *p, const char *fmt, ...) PRINTF(2, 3);

/* A warning: on GitHub an annotation, with --json an event. */
void progress_warn(struct progress *p, const char *fmt, ...) PRINTF(2, 3);

/* An event of the caller's own, with --json only: {"v":1,"at":…,"event":name, …members}. Takes the
 * reference to `members` (may be NULL). */
void progress_event(struct progress *p, const char *name, json_t *members);

/* "ok", "FAIL", …: the word a result is shown as, also in JSON (lower case). */
const char *progress_word(enum progress_result result);

static inline void progress_cleanup(struct progress **p)
{
    progress_end(*p);
}

#endif
