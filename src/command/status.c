/*
 * `lockflight status [environment]`: what is live per layer, what waits, what differs.
 */
#include "engine/status.h"

#include "base/vec.h"
#include "cli/output.h"
#include "command/commands.h"
#include "command/flags/session.h"
#include "command/flight.h"

struct status_args {
    const char *environment;
};

static const struct argument status_arguments[] = {
    { "environment", ARG_OPTIONAL, COMPLETE_ENVIRONMENT, AT(status_args, environment),
      "Which (default: all)" },
    { 0 },
};

struct view {
    struct command_context *c;
    struct table *table;
    json_t *list; /* with --json */
    VEC(struct status) found;
    VEC(const char *) held_off; /* flags that somebody switched off: a sentence each */
};

static const char *or_dash(const char *text)
{
    return text && text[0] ? text : "-";
}

static const char *database_text(struct arena *a, const struct status *s)
{
    if (s->ahead > 0)
        return arena_printf(a, "+%zu ahead", s->ahead);
    if (s->pending > 0)
        return arena_printf(a, "%zu pending", s->pending);
    return "current";
}

static void add_row(struct view *v, const struct status *s)
{
    struct arena *a = v->c->arena;
    table_cell(v->table, STYLE_STRONG, "%s", s->environment);
    table_cell(v->table, STYLE_PLAIN, "%s", or_dash(s->site));
    table_cell(v->table, STYLE_PLAIN, "%s", or_dash(s->functions));
    table_cell(v->table, s->ahead > 0 ? STYLE_WARN : STYLE_PLAIN, "%s", database_text(a, s));
    table_cell(v->table, s->drift_n > 0 ? STYLE_WARN : STYLE_GOOD, "%s",
               s->drift_n > 0 ? arena_printf(a, "%zu drifted", s->drift_n) : "as released");
    table_cell(v->table, STYLE_PLAIN, "%s", status_sentence(a, s));
}

static void add_unreachable(struct view *v, const char *name, const struct err *why)
{
    if (v->list) {
        json_array_append_new(v->list,
                              json_pack("{s:s, s:s}", "environment", name, "error", why->why));
        return;
    }
    table_cell(v->table, STYLE_STRONG, "%s", name);
    for (int i = 0; i < 4; i++)
        table_cell(v->table, STYLE_FAINT, "-");
    table_cell(v->table, STYLE_BAD, "%s%s%s", why->why, why->hint[0] ? "; next: " : "", why->hint);
}

/* What somebody switched off is seldom meant to stay so. */
static bool read_flags(struct view *v, struct target *t, json_t *document, struct err *e)
{
    struct arena *a = v->c->arena;
    struct flag_rows rows;
    json_auto_t *keys = json_array();
    if (!flag_store_list(t->db, a, false, &rows, e))
        return false;
    for (size_t i = 0; i < rows.n; i++) {
        const struct flag_row *r = &rows.v[i];
        if (!r->is_killed)
            continue;
        json_array_append_new(keys, json_string(r->key));
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers */
        *vec_add(&v->held_off, a) =
            arena_printf(a, "%s: %s is off, held off by %s %s%s%s", t->name, r->key,
                         flags_plain(a, r->updated_by), flags_ago(a, r->updated_unix_ms),
                         r->updated_reason ? ": " : "", flags_plain(a, r->updated_reason));
    }
    return !document || json_object_set(document, "flags_held_off", keys) == 0;
}

static bool read_one(struct view *v, const struct config *config, const char *name, struct err *e)
{
    struct command_context *c = v->c;
    CLEANUP(target) struct target t = { 0 };
    if (!target_open(c->arena, config, name, &t, e))
        return false;
    struct status s;
    json_t *document = NULL;
    bool ok = status_read(&t, c->wants_json, &s, e);
    if (ok && v->list)
        document = status_json(c->arena, &s);
    if (!ok || !read_flags(v, &t, document, e)) {
        json_decref(document);
        status_done(&s);
        return false;
    }
    if (document)
        json_array_append_new(v->list, document);
    else
        add_row(v, &s);
    *vec_add(&v->found, c->arena) = s;
    return true;
}

static void print_notes(const struct view *v)
{
    const struct terminal *out = &v->c->out;
    for (size_t i = 0; i < v->found.n; i++) {
        const struct status *s = &v->found.v[i];
        for (size_t j = 0; j < s->drift_n; j++)
            print(out, "Drift    %s: %s\n", s->environment, s->drift[j].text);
        for (size_t j = 0; j < s->to_rotate.n; j++)
            print(out, "Rotate   %s: %s\n", s->environment, s->to_rotate.v[j]);
        if (s->waiting_reason)
            print(out, "Waiting  %s for %s, quarantined: %s\n", s->waiting, s->environment,
                  s->waiting_reason);
        else if (s->waiting && !s->live.has_open)
            print(out, "Waiting  %s for %s: lockflight deploy %s\n", s->waiting, s->environment,
                  s->environment);
        if (s->functions_changed > 0 && s->live.has_release)
            print(out, "Tree     %zu function%s differ%s from what runs in %s\n",
                  s->functions_changed, s->functions_changed == 1 ? "" : "s",
                  s->functions_changed == 1 ? "s" : "", s->environment);
    }
}

static void print_flags(const struct view *v)
{
    for (size_t i = 0; i < v->held_off.n; i++)
        print(&v->c->out, "Flag     %s\n", v->held_off.v[i]);
}

static void print_answer(struct view *v)
{
    if (v->list) {
        print_json(v->c, json_pack("{s:o}", "environments", v->list));
        return;
    }
    table_keep_layout(v->table);
    table_print(v->table, &v->c->out);
    print_notes(v);
    print_flags(v);
}

static bool status(struct command_context *c, void *args_, struct err *e)
{
    const struct status_args *args = args_;
    struct config config;
    if (!config_load(c->arena, c->config_path, &config, e))
        return false;
    struct view v = { .c = c,
                      .table = table_new(c->arena, 6),
                      .list = c->wants_json ? json_array() : NULL };
    table_head(v.table, "", "site", "functions", "database", "drift", "state", NULL);
    bool ok = true;
    if (args->environment)
        ok = read_one(&v, &config, args->environment, e) ||
             err_wrap(e, "status of %s", args->environment);
    for (size_t i = 0; !args->environment && i < config.envs_n; i++) {
        struct err unreachable = { 0 };
        if (!read_one(&v, &config, config.envs[i].name, &unreachable))
            add_unreachable(&v, config.envs[i].name, &unreachable);
    }
    if (ok)
        print_answer(&v);
    else
        json_decref(v.list);
    for (size_t i = 0; i < v.found.n; i++)
        status_done(&v.found.v[i]);
    return ok;
}

const struct command cmd_status = {
    .name = "status",
    .synopsis = "status [environment]",
    .summary = "Show what is live per layer, what waits, and what differs",
    .examples = "lockflight status\nlockflight status production --json",
    .group = GROUP_FLY,
    .offers = COMMAND_JSON,
    .arguments = status_arguments,
    .args_size = sizeof(struct status_args),
    .run = status,
};
