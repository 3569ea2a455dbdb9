/*
 * `lockflight log [environment] [release]`: what was released, by whom, how it ended; with a
 * release, its steps and events; with --verify, whether the hash chain of the journal is whole.
 */
#include "base/clock.h"
#include "base/json.h"
#include "cli/output.h"
#include "command/commands.h"
#include "command/flight.h"
#include "engine/journal.h"

#define LOG_RELEASES 30
#define LOG_EVENTS   1000

struct log_args {
    const char *environment;
    const char *release;
    bool wants_verify;
};

// clang-format off
static const struct option log_options[] = {
    { "verify", 0, OPT_FLAG, AT(log_args, wants_verify), NULL, "Check the hash chain of the journal" },
    { 0 },
};
static const struct argument log_arguments[] = {
    { "environment", ARG_ONE,      COMPLETE_ENVIRONMENT, AT(log_args, environment), "Which"                              },
    { "release",     ARG_OPTIONAL, COMPLETE_NOTHING,     AT(log_args, release),     "One release, by name or id"         },
    { 0 },
};
// clang-format on

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* ---- all releases ---- */

static json_t *release_json(struct arena *a, const struct release_record *r)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "id", r->id, "release",
                     r->name, "kind", r->kind, "state", release_state_name(r->state), "at",
                     clock_rfc3339(a, r->created_unix_ms), "actor", or_empty(r->actor), "commit",
                     or_empty(r->git_commit), "note", or_empty(r->note), "quarantined",
                     (int)r->is_quarantined, "source", or_empty(r->source_digest));
}

static bool print_releases(struct flight *f, struct err *e)
{
    struct command_context *c = f->c;
    struct release_record *list;
    size_t n;
    if (!journal_list(f->target.db, c->arena, f->target.name, LOG_RELEASES, &list, &n, e))
        return false;
    if (c->wants_json) {
        json_t *releases = json_array();
        for (size_t i = 0; i < n; i++)
            json_array_append_new(releases, release_json(c->arena, &list[i]));
        print_json(c, json_pack("{s:s, s:o}", "environment", f->target.name, "releases", releases));
        return true;
    }
    if (n == 0)
        print(&c->out, "Nothing was released to %s yet.\n", f->target.name);
    struct table *t = table_new(c->arena, 6);
    table_head(t, "at", "release", "kind", "by", "state", "how it ended", NULL);
    for (size_t i = 0; i < n; i++) {
        const struct release_record *r = &list[i];
        bool good = r->state == RELEASE_COMMITTED;
        table_cell(t, STYLE_FAINT, "%s", clock_rfc3339(c->arena, r->created_unix_ms));
        table_cell(t, STYLE_STRONG, "%s", r->name);
        table_cell(t, STYLE_PLAIN, "%s", r->kind);
        table_cell(t, STYLE_PLAIN, "%s", or_empty(r->actor));
        table_cell(t, good ? STYLE_GOOD : STYLE_WARN, "%s%s", release_state_name(r->state),
                   r->is_quarantined ? ", quarantined" : "");
        table_cell(t, STYLE_PLAIN, "%s", or_empty(r->note));
    }
    table_print(t, &c->out);
    return true;
}

/* ---- one release ---- */

static void print_steps(struct command_context *c, const struct step_record *steps, size_t n)
{
    struct table *t = table_new(c->arena, 5);
    table_indent(t, 2);
    for (size_t i = 0; i < n; i++) {
        const struct step_record *s = &steps[i];
        table_cell(t, STYLE_FAINT, "%d", s->seq);
        table_cell(t, STYLE_PLAIN, "%s", s->phase);
        table_cell(t, STYLE_PLAIN, "%s", streq(s->kind, "phase") ? "" : s->kind);
        table_cell(t, STYLE_PLAIN, "%s", streq(s->kind, "phase") ? "" : s->key);
        table_cell(t, s->state == STEP_DONE ? STYLE_GOOD : STYLE_WARN, "%s%s",
                   step_state_name(s->state),
                   s->attempt > 1 ? arena_printf(c->arena, ", attempt %d", s->attempt) : "");
    }
    table_print(t, &c->out);
}

static json_t *steps_json(const struct step_record *steps, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(
            list, json_pack("{s:i, s:s, s:s, s:s, s:s, s:i}", "seq", steps[i].seq, "phase",
                            steps[i].phase, "kind", steps[i].kind, "key", steps[i].key, "state",
                            step_state_name(steps[i].state), "attempt", steps[i].attempt));
    return list;
}

static json_t *events_json(struct arena *a, const struct event_record *events, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        struct err ignored = { 0 };
        json_t *body =
            json_parse(str_of(events[i].body ? events[i].body : "{}"), "an event", &ignored);
        json_array_append_new(list,
                              json_pack("{s:I, s:s, s:s, s:o}", "seq", (json_int_t)events[i].seq,
                                        "at", clock_rfc3339(a, events[i].at_unix_ms), "type",
                                        events[i].type, "body", body ? body : json_null()));
    }
    return list;
}

static bool print_release(struct flight *f, const char *name, struct err *e)
{
    struct command_context *c = f->c;
    struct release_record r;
    bool found;
    if (!journal_find(f->target.db, c->arena, f->target.name, name, &r, &found, e))
        return false;
    if (!found) {
        err_set(e, ERR_NOT_FOUND, "%s was never released to %s", name, f->target.name);
        return err_hint(e, "lockflight log %s", f->target.name);
    }
    struct step_record *steps;
    struct event_record *events;
    size_t n_steps, n_events;
    if (!journal_steps(f->target.db, c->arena, r.id, &steps, &n_steps, e) ||
        !journal_events(f->target.db, c->arena, f->target.name, r.id, 0, LOG_EVENTS, &events,
                        &n_events, e))
        return false;
    if (c->wants_json) {
        json_t *document = release_json(c->arena, &r);
        json_object_set_new(document, "steps", steps_json(steps, n_steps));
        json_object_set_new(document, "events", events_json(c->arena, events, n_events));
        print_json(c, document);
        return true;
    }
    print_styled(&c->out, STYLE_STRONG, "%s %s", r.kind, r.name);
    print(&c->out, "  %s  by %s, %s\n", release_state_name(r.state), or_empty(r.actor),
          clock_rfc3339(c->arena, r.created_unix_ms));
    if (r.git_commit && r.git_commit[0])
        print(&c->out, "commit %.12s %s\n", r.git_commit, or_empty(r.git_subject));
    print(&c->out, "source %.12s  artefact %.12s\n%s%s", or_empty(r.source_digest),
          or_empty(r.artefact_digest), or_empty(r.note), r.note ? "\n" : "");
    print_steps(c, steps, n_steps);
    return true;
}

static bool verify_chain(struct flight *f, struct err *e)
{
    int64_t events = 0;
    if (!journal_verify(f->target.db, f->target.name, &events, e))
        return false;
    if (f->c->wants_json)
        print_json(f->c, json_pack("{s:s, s:I, s:b}", "environment", f->target.name, "events",
                                   (json_int_t)events, "whole", 1));
    else
        print(&f->c->out, "The journal of %s is whole: %lld events.\n", f->target.name,
              (long long)events);
    return true;
}

static bool log_run(struct command_context *c, void *args_, struct err *e)
{
    const struct log_args *args = args_;
    CLEANUP(flight) struct flight f = { 0 };
    if (!flight_open_database(c, args->environment, &f, e))
        return false;
    bool ok = args->wants_verify ? verify_chain(&f, e)
              : args->release    ? print_release(&f, args->release, e)
                                 : print_releases(&f, e);
    return ok || err_wrap(e, "log of %s", args->environment);
}

const struct command cmd_log = {
    .name = "log",
    .synopsis = "log <environment> [release]",
    .summary = "Show what was released, by whom, and how it ended",
    .examples = "lockflight log production\nlockflight log production 2026-03-14.1a2b3c4d --json\n"
                "lockflight log staging --verify",
    .group = GROUP_LOOK,
    .offers = COMMAND_JSON,
    .options = log_options,
    .arguments = log_arguments,
    .args_size = sizeof(struct log_args),
    .run = log_run,
};
