/*
 * `lockflight flags stale` and `archive`: flags that have done their work, and their end.
 */
#include "base/clock.h"
#include "base/json.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/flags/change.h"
#include "command/flags/flags.h"
#include "flag/state.h"

#define STALE_DAYS    30
#define STALE_MS      ((int64_t)STALE_DAYS * 86400 * 1000)
#define EXIT_IS_STALE 3

struct stale_args {
    struct flags_args flags;
    const char *key;
    bool fails;
};

/* ---- stale ---- */

/* One variant for everyone, whoever asks. */
static bool is_one_for_all(const struct flag_row *r)
{
    return r->is_killed || !r->is_enabled || !r->targeting || !*r->targeting;
}

static int64_t times_used(const struct flag_use *uses, size_t n, const char *key)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += streq(uses[i].key, key) ? uses[i].n : 0;
    return sum;
}

/* What the code that was published last knows; NULL: nothing was published with flags yet. */
struct published {
    json_t *flags;
};

static void published_cleanup(struct published *p)
{
    json_decref(p->flags);
}

static bool read_published(struct flags *f, struct published *ret, struct err *e)
{
    struct flag_manifest *all;
    size_t n;
    if (!flag_store_manifests(f->db, f->c->arena, &all, &n, e))
        return false;
    ret->flags = n > 0 ? flags_json(all[0].flags) : NULL;
    return true;
}

/* The reasons, as the end of a sentence; "" it is in use. Where nobody counts evaluations, nothing
 * is said about them. */
static const char *why_stale(struct arena *a, const struct flag_row *r, const struct flag_use *uses,
                             size_t n, const struct published *code)
{
    const char *why = "";
    int64_t now_ms = clock_unix_ms();
    bool is_old = now_ms - r->updated_unix_ms > STALE_MS;
    bool may_rest = streq(r->kind, "ops") || streq(r->kind, "permission");
    if (r->code_removed_unix_ms > 0)
        why =
            arena_printf(a, "gone from the code since %s", clock_date(a, r->code_removed_unix_ms));
    if (r->expires_on && strcmp(r->expires_on, clock_date(a, now_ms)) < 0)
        why = arena_printf(a, "%s%sexpired on %s", why, *why ? "; " : "", r->expires_on);
    if (is_old && !may_rest && is_one_for_all(r))
        why = arena_printf(a, "%s%sthe same for everyone since %s", why, *why ? "; " : "",
                           clock_date(a, r->updated_unix_ms));
    if (code->flags && !json_object_get(code->flags, r->key) && r->code_removed_unix_ms == 0)
        why = arena_printf(a, "%s%sunknown to the code that is published", why, *why ? "; " : "");
    if (is_old && n > 0 && times_used(uses, n, r->key) == 0)
        why = arena_printf(a, "%s%snobody asked for it in %d days", why, *why ? "; " : "",
                           STALE_DAYS);
    return why;
}

static bool stale(struct command_context *c, void *args_, struct err *e)
{
    const struct stale_args *args = args_;
    CLEANUP(flags) struct flags f = { 0 };
    struct flag_rows rows;
    struct flag_use *uses;
    size_t n, found = 0;
    CLEANUP(published) struct published code = { 0 };
    if (!flags_open(c, &args->flags, &f, e) || !read_published(&f, &code, e) ||
        !flag_store_list(f.db, c->arena, false, &rows, e) ||
        !flag_store_usage(f.db, c->arena, STALE_DAYS, &uses, &n, e))
        return err_wrap(e, "stale flags");
    json_t *list = json_array();
    struct table *t = table_new(c->arena, 3);
    table_head(t, "flag", "owner", "why", NULL);
    for (size_t i = 0; i < rows.n; i++) {
        const struct flag_row *r = &rows.v[i];
        const char *why = why_stale(c->arena, r, uses, n, &code);
        if (!*why)
            continue;
        found++;
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s}", "flag", r->key, "owner", r->owner, "why", why));
        table_cell(t, STYLE_STRONG, "%s", r->key);
        table_cell(t, STYLE_PLAIN, "%s", r->owner);
        table_cell(t, STYLE_WARN, "%s", why);
    }
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:O}", "environment", f.name, "flags", list));
    else if (found > 0)
        table_print(t, &c->out);
    else
        print(&c->out, "No flag of %s is stale.\n", f.name);
    json_decref(list);
    c->exit_status = found > 0 && args->fails ? EXIT_IS_STALE : 0;
    return true;
}

/* ---- archive ---- */

static bool archive(struct command_context *c, void *args_, struct err *e)
{
    const struct stale_args *args = args_;
    CLEANUP(flags) struct flags f = { 0 };
    struct flag_row row;
    if (!flags_open_flag_to_write(c, &args->flags, args->key, &f, &row, e))
        return false;
    json_auto_t *state = flags_state(&row);
    const char *question = arena_printf(
        c->arena, "%s in %s is %s. Callers get the default in their code then. Archive?", row.key,
        f.name, flag_state_words(c->arena, state, row.off_variant));
    if (!args->flags.is_dry && (!prompt_continue(c, f.name, question, e) ||
                                !flag_store_archive(f.db, row.key, &f.by, e))) {
        (void)flags_tell_wait(&f, e);
        return err_wrap(e, "archive %s in %s", row.key, f.name);
    }
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:s, s:b}", "environment", f.name, "flag", row.key,
                                "archived", (int)!args->flags.is_dry));
    else
        print(&c->out,
              args->flags.is_dry ? "%s in %s would be archived: --dry-run.\n"
                                 : "%s in %s is archived. Its history stays.\n",
              row.key, f.name);
    return true;
}

// clang-format off
static const struct option stale_options[] = {
    FLAGS_LOOK_OPTIONS(stale_args, flags),
    { "fail", 0, OPT_FLAG, AT(stale_args, fails), NULL, "Exit status 3 if there are any" },
    { 0 },
};
static const struct option archive_options[] = {
    FLAGS_LOOK_OPTIONS(stale_args, flags),
    FLAGS_AUTHOR_OPTIONS(stale_args, flags),
    { "dry-run", 0, OPT_FLAG, AT(stale_args, flags.is_dry), NULL, "Show what would happen, and stop" },
    { 0 },
};
static const struct argument archive_arguments[] = {
    { "flag", ARG_ONE, COMPLETE_FLAG, AT(stale_args, key), "Its key" },
    { 0 },
};
// clang-format on

const struct command cmd_flags_stale = {
    .name = "stale",
    .synopsis = "flags stale",
    .summary = "Show flags that have done their work",
    .description = "Past their date; the same for everyone and unchanged for 30 days (not those of "
                   "kind ops and permission, which may rest); not asked for in 30 days, where "
                   "evaluations are counted; gone from the code, or unknown to the code that is "
                   "published.",
    .examples = "lockflight flags stale --env production --fail",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON,
    .options = stale_options,
    .args_size = sizeof(struct stale_args),
    .run = stale,
};

const struct command cmd_flags_archive = {
    .name = "archive",
    .synopsis = "flags archive <flag>",
    .summary = "Take a flag that no code needs any more out of an environment",
    .description = "Refused while another flag requires it, or while one of the last ten published "
                   "deploys knows it: one could roll back to that. The key is used up: a release "
                   "that defines it again is refused. The history stays.",
    .examples = "lockflight flags archive old-checkout --env production --reason 'removed in May'",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON | COMMAND_ASKS,
    .options = archive_options,
    .arguments = archive_arguments,
    .args_size = sizeof(struct stale_args),
    .run = archive,
};
