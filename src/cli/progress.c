/*
 * Progress: see progress.h. One mutex guards everything; the ticker thread takes it every tenth of
 * a second to move the spinner, or every 30 s to say that a step is still running.
 */
#include "cli/progress.h"

#include "base/clock.h"
#include "base/env.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "cli/output.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TAIL_LINES      20   /* of a failed step's output */
#define SPIN_AFTER_MS   1000 /* quick steps need no spinner */
#define SPIN_EVERY_MS   100
#define HEARTBEAT_MS    30000 /* CI systems stop silent jobs */
#define TAIL_LINE_BYTES 400
#define SUMMARY_BYTES   (256 * KIB) /* GitHub takes up to 1 MiB a step */

enum mode {
    MODE_LIVE,   /* one line that is drawn again */
    MODE_LINES,  /* append only */
    MODE_EVENTS, /* JSON on stdout */
    MODE_SILENT,
};

struct progress {
    struct command_context *c;
    enum mode mode;
    pthread_t ticker;
    pthread_mutex_t mutex;
    pthread_cond_t stopped;
    bool is_stopping;
    struct arena *step;    /* the running step's texts; emptied when the next one begins */
    struct arena *scratch; /* one call's texts */
    struct strbuf summary; /* rows of the table in GitHub's job summary */
    const char *name;      /* NULL: no step is running */
    const char *note;
    int64_t began_ms;
    int64_t beat_ms;
    unsigned spin;
    bool is_drawn;  /* the live line is on the screen */
    bool is_paused; /* a question is on the screen */
    char tail[TAIL_LINES][TAIL_LINE_BYTES];
    size_t lines; /* seen in this step */
};

struct result_row {
    const char *word;
    enum style style;
};

// clang-format off
static const struct result_row results[] = {
    [PROGRESS_OK]   = { "ok",   STYLE_GOOD },
    [PROGRESS_FAIL] = { "FAIL", STYLE_BAD },
    [PROGRESS_WAIT] = { "wait", STYLE_WARN },
    [PROGRESS_UNDO] = { "undo", STYLE_WARN },
    [PROGRESS_KEEP] = { "keep", STYLE_WARN },
    [PROGRESS_SKIP] = { "skip", STYLE_FAINT },
};
// clang-format on

const char *progress_word(enum progress_result result)
{
    return results[result].word;
}

/* The formatted, redacted text of one call. */
static const char *vtext(struct progress *p, const char *fmt, va_list ap) PRINTF(2, 0);

static const char *vtext(struct progress *p, const char *fmt, va_list ap)
{
    return log_redacted(p->scratch, str_of(arena_vprintf(p->scratch, fmt, ap)));
}

static void erase(struct progress *p)
{
    if (p->is_drawn)
        print(&p->c->err, "\r\033[K");
    p->is_drawn = false;
}

/* Tenths that change ten times a second are noise. */
static const char *whole_seconds(struct progress *p, int64_t took_ms)
{
    if (took_ms < 60000)
        return arena_printf(p->scratch, "%lld s", (long long)took_ms / 1000);
    return clock_duration(p->scratch, took_ms);
}

static void draw(struct progress *p)
{
    static const char *const dots[] = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" };
    static const char *const bars[] = { "|", "/", "-", "\\" };
    const struct terminal *t = &p->c->err;
    int64_t took = clock_boot_ms() - p->began_ms;
    const char *mark = " ";
    if (took >= SPIN_AFTER_MS)
        mark = t->is_utf8 ? dots[p->spin % 10] : bars[p->spin % 4];
    /* one column, however many bytes the mark has */
    char *line = arena_printf(p->scratch, "  %s     %-10s %s", mark, p->name, p->note);
    if (took >= SPIN_AFTER_MS)
        line = arena_printf(p->scratch, "%s  %s", line, whole_seconds(p, took));
    erase(p);
    print(t, "%.*s", text_cut(line, t->width - 1), line);
    (void)fflush(t->file);
    p->is_drawn = true;
}

/* "10:02:53Z " */
static void print_time(struct progress *p)
{
    const char *now = clock_rfc3339(p->scratch, clock_unix_ms());
    print_styled(&p->c->err, STYLE_FAINT, "%.8sZ", now + 11);
    print(&p->c->err, " ");
}

static void beat(struct progress *p)
{
    int64_t now = clock_boot_ms();
    if (now - p->beat_ms < HEARTBEAT_MS)
        return;
    p->beat_ms = now;
    print_time(p);
    print(&p->c->err, "%-9s ...   still running, %s\n", p->name,
          clock_duration(p->scratch, now - p->began_ms));
    (void)fflush(p->c->err.file);
}

static void tick(struct progress *p)
{
    if (!p->name || p->is_paused)
        return;
    if (p->mode == MODE_LIVE && clock_boot_ms() - p->began_ms >= SPIN_AFTER_MS) {
        p->spin++;
        draw(p);
    } else if (p->mode == MODE_LINES && p->c->is_ci) {
        beat(p);
    }
}

static void *ticker(void *self)
{
    struct progress *p = self;
    pthread_mutex_lock(&p->mutex);
    while (!p->is_stopping) {
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += SPIN_EVERY_MS * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000L;
        }
        pthread_cond_timedwait(&p->stopped, &p->mutex, &until);
        arena_reset(p->scratch);
        tick(p);
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

/* Signals belong to the main thread. */
static bool ticker_start(struct progress *p)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&p->ticker, NULL, ticker, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0;
}

static enum mode mode_of(const struct command_context *c)
{
    if (c->wants_json)
        return MODE_EVENTS;
    if (c->is_quiet)
        return MODE_SILENT;
    return c->err.is_tty && !c->is_ci && !streq(env_value("TERM"), "dumb") ? MODE_LIVE : MODE_LINES;
}

static bool needs_ticker(const struct progress *p)
{
    return p->mode == MODE_LIVE || (p->mode == MODE_LINES && p->c->is_ci);
}

struct progress *progress_begin(struct command_context *c)
{
    struct progress *p = ARENA_NEW(c->arena, struct progress);
    p->c = c;
    p->mode = mode_of(c);
    p->step = arena_new(0);
    p->scratch = arena_new(0);
    p->summary = strbuf_init(SUMMARY_BYTES);
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->stopped, NULL);
    p->is_stopping =
        !needs_ticker(p) || !ticker_start(p); /* without a ticker there is no spinner */
    return p;
}

/* A cell of a Markdown table: no bar, no line end, no tag. */
static void summary_cell(struct progress *p, const char *text)
{
    for (; *text; text++) {
        if (*text == '|' || *text == '<' || *text == '\n')
            strbuf_printf(&p->summary, "&#%d;", *text);
        else
            strbuf_addc(&p->summary, *text);
    }
}

static void summary_row(struct progress *p, const char *word, const char *text)
{
    if (!p->c->is_github)
        return;
    strbuf_printf(&p->summary, "| %s | %s | ", p->name, word);
    summary_cell(p, text);
    strbuf_printf(&p->summary, " | %s |\n",
                  clock_duration(p->scratch, clock_boot_ms() - p->began_ms));
}

/* Best effort: a summary that cannot be written is no reason to fail a release. */
static void write_summary(struct progress *p)
{
    const char *path = env_value("GITHUB_STEP_SUMMARY");
    if (!p->c->is_github || !path || p->summary.n == 0)
        return;
    FILE *f = fopen(path, "ae");
    if (!f)
        return;
    (void)fprintf(f, "### lockflight %s\n\n| step | result | | time |\n|---|---|---|---|\n%s\n",
                  p->c->path, strbuf_text(&p->summary));
    (void)fclose(f);
}

void progress_end(struct progress *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->mutex);
    bool has_ticker = !p->is_stopping;
    p->is_stopping = true;
    erase(p);
    (void)fflush(p->c->err.file);
    pthread_cond_signal(&p->stopped);
    pthread_mutex_unlock(&p->mutex);
    if (has_ticker)
        pthread_join(p->ticker, NULL);
    pthread_cond_destroy(&p->stopped);
    pthread_mutex_destroy(&p->mutex);
    write_summary(p);
    strbuf_done(&p->summary);
    arena_free(p->step);
    arena_free(p->scratch);
}

static void enter(struct progress *p)
{
    pthread_mutex_lock(&p->mutex);
    arena_reset(p->scratch);
}

static void leave(struct progress *p)
{
    (void)fflush(p->c->err.file);
    pthread_mutex_unlock(&p->mutex);
}

/* Takes the reference to `members`. */
static void emit(struct progress *p, const char *event, json_t *members)
{
    const char *now = clock_rfc3339(p->scratch, clock_unix_ms());
    json_t *document = json_object();
    json_object_set_new(document, "v", json_integer(1));
    json_object_set_new(document, "at", json_string(now));
    json_object_set_new(document, "event", json_string(event));
    if (members)
        json_object_update(document, members);
    json_decref(members);
    print(&p->c->out, "%s\n", json_text_in_order(p->scratch, document));
    (void)fflush(p->c->out.file);
    json_decref(document);
}

static json_t *member(json_t *to, const char *key, const char *value)
{
    json_t *object = to ? to : json_object();
    if (value && value[0])
        json_object_set_new(object, key, json_string(value));
    return object;
}

void progress_step_begin(struct progress *p, const char *name, const char *text)
{
    enter(p);
    arena_reset(p->step);
    p->name = arena_strdup(p->step, name);
    p->note = log_redacted(p->step, str_of(text ? text : ""));
    p->began_ms = p->beat_ms = clock_boot_ms();
    p->lines = 0;
    if (p->mode == MODE_EVENTS)
        emit(p, "step_begin", member(member(NULL, "step", name), "text", p->note));
    else if (p->mode == MODE_LIVE)
        draw(p);
    else if (p->mode == MODE_LINES && p->c->is_github)
        print(&p->c->err, "::group::%s %s\n", name, p->note);
    leave(p);
}

void progress_note(struct progress *p, const char *fmt, ...)
{
    enter(p);
    va_list ap;
    va_start(ap, fmt);
    const char *text = vtext(p, fmt, ap);
    va_end(ap);
    if (p->name)
        p->note = arena_strdup(p->step, text);
    if (p->mode == MODE_EVENTS)
        emit(p, "step_note", member(member(NULL, "step", p->name), "text", text));
    else if (p->mode == MODE_LIVE && p->name)
        draw(p);
    leave(p);
}

void progress_line(struct progress *p, struct str line)
{
    enter(p);
    const char *text = log_redacted(p->scratch, line);
    (void)snprintf(p->tail[p->lines++ % TAIL_LINES], TAIL_LINE_BYTES, "%s", text);
    if (p->mode == MODE_EVENTS)
        emit(p, "step_line", member(member(NULL, "step", p->name), "text", text));
    else if (p->mode == MODE_LINES &&
             p->c->is_github) /* "| ": a child must not give GitHub orders */
        print(&p->c->err, "| %s\n", text);
    leave(p);
}

static void print_tail(struct progress *p)
{
    size_t from = p->lines > TAIL_LINES ? p->lines - TAIL_LINES : 0;
    for (size_t i = from; i < p->lines; i++) {
        print(&p->c->err, "        ");
        print_styled(&p->c->err, STYLE_FAINT, "%s\n", p->tail[i % TAIL_LINES]);
    }
}

/* How long the step took, if that is worth a word; ends the line. */
static void print_took(struct progress *p)
{
    int64_t took = clock_boot_ms() - p->began_ms;
    if (took >= SPIN_AFTER_MS)
        print_styled(&p->c->err, STYLE_FAINT, "  %s", clock_duration(p->scratch, took));
    print(&p->c->err, "\n");
}

/* "  ok    draft      212 files, 4 uploaded   11 s" */
static void print_collapsed(struct progress *p, enum progress_result result, const char *text)
{
    const struct terminal *t = &p->c->err;
    erase(p);
    print(t, "  ");
    print_styled(t, results[result].style, "%-4s", results[result].word);
    print(t, "  %-10s %s", p->name, text);
    print_took(p);
}

/* "10:02:53Z draft     ok    212 files, 4 uploaded" */
static void print_appended(struct progress *p, enum progress_result result, const char *text)
{
    const struct terminal *t = &p->c->err;
    if (p->c->is_github)
        print(t, "::endgroup::\n");
    print_time(p);
    print(t, "%-9s ", p->name);
    print_styled(t, results[result].style, "%-4s", results[result].word);
    print(t, "%s%s", text[0] ? "  " : "", text);
    print_took(p);
}

static void emit_done(struct progress *p, enum progress_result result, const char *text)
{
    json_t *members = member(NULL, "step", p->name);
    member(members, "result", result == PROGRESS_FAIL ? "fail" : results[result].word);
    member(members, "text", text);
    json_object_set_new(members, "took_ms", json_integer(clock_boot_ms() - p->began_ms));
    emit(p, "step_done", members);
}

void progress_step_done(struct progress *p, enum progress_result result, const char *fmt, ...)
{
    enter(p);
    va_list ap;
    va_start(ap, fmt);
    const char *text = vtext(p, fmt, ap);
    va_end(ap);
    if (!p->name)
        p->name = "";
    summary_row(p, results[result].word, text);
    if (p->mode == MODE_EVENTS)
        emit_done(p, result, text);
    else if (p->mode == MODE_LIVE)
        print_collapsed(p, result, text);
    else if (p->mode == MODE_LINES)
        print_appended(p, result, text);
    bool is_stopped = result == PROGRESS_FAIL || result == PROGRESS_WAIT;
    if (is_stopped && (p->mode == MODE_LIVE || p->mode == MODE_LINES))
        print_tail(p);
    p->name = NULL;
    leave(p);
}

void progress_pause(struct progress *p)
{
    enter(p);
    erase(p);
    p->is_paused = true;
    leave(p);
}

void progress_resume(struct progress *p)
{
    enter(p);
    p->is_paused = false;
    if (p->mode == MODE_LIVE && p->name)
        draw(p);
    leave(p);
}

static void sentence(struct progress *p, enum style style, const char *prefix, const char *text)
{
    erase(p);
    if (p->mode == MODE_LINES)
        print_time(p);
    print_styled(&p->c->err, style, "%s", prefix);
    print(&p->c->err, "%s\n", text);
}

void progress_say(struct progress *p, const char *fmt, ...)
{
    enter(p);
    va_list ap;
    va_start(ap, fmt);
    const char *text = vtext(p, fmt, ap);
    va_end(ap);
    if (p->mode == MODE_LIVE || p->mode == MODE_LINES)
        sentence(p, STYLE_PLAIN, "", text);
    leave(p);
}

void progress_warn(struct progress *p, const char *fmt, ...)
{
    enter(p);
    va_list ap;
    va_start(ap, fmt);
    const char *text = vtext(p, fmt, ap);
    va_end(ap);
    if (p->mode == MODE_EVENTS)
        emit(p, "warning", member(NULL, "text", text));
    else if (p->c->is_github)
        print(&p->c->err, "::warning::%s\n", text);
    else
        sentence(p, STYLE_WARN, "warning ", text);
    leave(p);
}

void progress_event(struct progress *p, const char *name, json_t *members)
{
    enter(p);
    if (p->mode == MODE_EVENTS)
        emit(p, name, members);
    else
        json_decref(members);
    leave(p);
}
