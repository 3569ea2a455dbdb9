/*
 * `lockflight flags list` and `show`: what is on for whom, since when and by whom.
 */
#include "base/clock.h"
#include "base/json.h"
#include "cli/output.h"
#include "command/flags/change.h"
#include "command/flags/flags.h"
#include "flag/state.h"

#define HISTORY_SHOWN 3

struct look_args {
    struct flags_args flags;
    const char *key;
    bool with_archived;
};

static const char *words(struct arena *a, const struct flag_row *row)
{
    json_auto_t *state = flags_state(row);
    return flag_state_words(a, state, row->off_variant);
}

static json_t *time_or_null(struct arena *a, int64_t unix_ms)
{
    return unix_ms > 0 ? json_string(clock_rfc3339(a, unix_ms)) : json_null();
}

static json_t *row_json(struct arena *a, const struct flag_row *r)
{
    json_t *j = json_pack("{s:s, s:s, s:o, s:I, s:b}", "flag", r->key, "text", words(a, r), "state",
                          flags_state(r), "version", (json_int_t)r->version, "off_for_everyone",
                          (int)r->serves_off_to_all);
    json_object_set_new(j, "changed",
                        json_pack("{s:o, s:s?, s:s?, s:s?}", "at",
                                  time_or_null(a, r->updated_unix_ms), "by", r->updated_by, "via",
                                  r->updated_via, "reason", r->updated_reason));
    json_object_set_new(j, "definition",
                        json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:s?, s:o, s:o}", "type",
                                  r->value_type, "variants", flags_json(r->variants), "off",
                                  r->off_variant, "exposure", r->exposure, "kind", r->kind, "owner",
                                  r->owner, "description", r->description, "expires", r->expires_on,
                                  "requires", flags_json(r->requires), "needs",
                                  flags_json(r->needs)));
    json_object_set_new(j, "schedules", json_integer((json_int_t)r->schedules));
    json_object_set_new(j, "next_run", r->next_run ? json_string(r->next_run) : json_null());
    json_object_set_new(j, "missing", flags_json(r->missing));
    json_object_set_new(j, "code_removed", time_or_null(a, r->code_removed_unix_ms));
    json_object_set_new(j, "archived", time_or_null(a, r->archived_unix_ms));
    return j;
}

/* ---- list ---- */

static void none_yet(struct flags *f)
{
    struct config config = { 0 };
    struct err unreadable = { 0 };
    if (!config_load(f->c->arena, f->c->config_path, &config, &unreadable))
        config = (struct config){ 0 };
    print(&f->c->out, "No flags in %s yet: ", f->name);
    if (config.flags.n > 0)
        print(&f->c->out, "`lockflight deploy %s` writes the %s of lockflight.flags.toml.\n",
              f->name,
              text_count(f->c->arena, (int64_t)config.flags.n, "definition", "definitions"));
    else
        print(&f->c->out, "they are defined in lockflight.flags.toml, and a deploy writes them.\n");
}

static const char *remark(struct arena *a, const struct flag_row *r)
{
    if (r->archived_unix_ms > 0)
        return "archived";
    if (r->code_removed_unix_ms > 0)
        return "gone from the code";
    if (!streq(r->missing, "[]"))
        return "its content is not live yet";
    if (r->schedules > 0 && r->next_run)
        return arena_printf(a, "changes at %s", r->next_run);
    return r->expires_on ? arena_printf(a, "until %s", r->expires_on) : "";
}

static bool list(struct command_context *c, void *args_, struct err *e)
{
    const struct look_args *args = args_;
    CLEANUP(flags) struct flags f = { 0 };
    struct flag_rows rows;
    if (!flags_open(c, &args->flags, &f, e) ||
        !flag_store_list(f.db, c->arena, args->with_archived, &rows, e))
        return err_wrap(e, "list flags");
    json_t *all = json_array();
    struct table *t = table_new(c->arena, 5);
    table_head(t, "flag", "is", "kind", "changed", "", NULL);
    for (size_t i = 0; i < rows.n; i++) {
        const struct flag_row *r = &rows.v[i];
        if (c->wants_json)
            json_array_append_new(all, row_json(c->arena, r));
        table_cell(t, STYLE_STRONG, "%s", r->key);
        table_cell(t,
                   r->is_killed           ? STYLE_BAD
                   : r->serves_off_to_all ? STYLE_FAINT
                                          : STYLE_GOOD,
                   "%s", words(c->arena, r));
        table_cell(t, STYLE_FAINT, "%s", r->kind);
        table_cell(t, STYLE_PLAIN, "%s by %s", flags_ago(c->arena, r->updated_unix_ms),
                   flags_plain(c->arena, r->updated_by));
        table_cell(t, STYLE_WARN, "%s", remark(c->arena, r));
    }
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:I, s:o}", "environment", f.name, "version",
                                (json_int_t)rows.config_version, "flags", all));
    else
        json_decref(all);
    if (!c->wants_json && rows.n > 0)
        table_print(t, &c->out);
    else if (!c->wants_json)
        none_yet(&f);
    return true;
}

/* ---- show ---- */

static void fact(struct arena *a, struct table *t, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    table_cell(t, STYLE_FAINT, "%s", name);
    table_cell(t, STYLE_PLAIN, "%s", flags_plain(a, value));
}

static const char *texts(struct arena *a, const char *json)
{
    json_auto_t *list = flags_json(json);
    const char *all = "";
    size_t i;
    json_t *one;
    json_array_foreach (list, i, one)
        all = arena_printf(a, "%s%s%s", all, *all ? "; " : "",
                           json_is_string(one) ? json_string_value(one) : json_text(a, one));
    return all;
}

static const char *required(struct arena *a, const char *json)
{
    json_auto_t *list = flags_json(json);
    const char *all = "";
    size_t i;
    json_t *one;
    json_array_foreach (list, i, one)
        all = arena_printf(a, "%s%s%s = %s", all, *all ? ", " : "", json_text_or(one, "flag", "?"),
                           json_text_or(one, "variant", "?"));
    return all;
}

static void show_row(struct flags *f, const struct flag_row *r)
{
    struct command_context *c = f->c;
    struct arena *a = c->arena;
    print_styled(&c->out, STYLE_STRONG, "%s", r->key);
    print(&c->out, " in %s: %s\n", f->name, words(a, r));
    struct table *t = table_new(a, 2);
    table_indent(t, 2);
    table_keep_layout(t);
    table_wrap(t);
    fact(a, t, "changed",
         arena_printf(a, "%s by %s via %s, version %lld", flags_ago(a, r->updated_unix_ms),
                      r->updated_by, r->updated_via, (long long)r->version));
    fact(a, t, "because", r->updated_reason);
    fact(a, t, "rule", r->targeting);
    fact(a, t, "variants", r->variants);
    fact(a, t, "off is", r->off_variant);
    fact(a, t, "about", r->description);
    fact(a, t, "owner", r->owner);
    fact(a, t, "kind", r->kind);
    fact(a, t, "visible to", r->exposure);
    fact(a, t, "until", r->expires_on);
    fact(a, t, "requires", required(a, r->requires));
    fact(a, t, "not live yet", texts(a, r->missing));
    if (r->schedules > 0)
        fact(a, t, "scheduled",
             arena_printf(a, "%lld, next at %s", (long long)r->schedules,
                          r->next_run ? r->next_run : "?"));
    if (r->code_removed_unix_ms > 0)
        fact(a, t, "gone from code", clock_rfc3339(a, r->code_removed_unix_ms));
    table_print(t, &c->out);
}

/* What was done to it last. */
static bool show_history(struct flags *f, const struct flag_row *row, struct err *e)
{
    struct arena *a = f->c->arena;
    struct flag_audit *all;
    size_t n;
    if (!flag_store_history(f->db, a, row->key, 0, HISTORY_SHOWN + 1, &all, &n, e))
        return false;
    struct table *t = table_new(a, 4);
    table_indent(t, 2);
    table_keep_layout(t);
    for (size_t i = 0; i < n && i < HISTORY_SHOWN; i++) {
        table_cell(t, STYLE_STRONG, "%lld", (long long)all[i].seq);
        table_cell(t, STYLE_FAINT, "%s", flags_ago(a, all[i].at_unix_ms));
        table_cell(t, STYLE_PLAIN, "%s", flags_plain(a, all[i].actor));
        table_cell(t, STYLE_PLAIN, "%s", flags_entry_words(f->c, &all[i]));
    }
    print_styled(&f->c->out, STYLE_FAINT, "Last changes%s\n",
                 n > HISTORY_SHOWN ? ", more with `lockflight flags history`" : "");
    table_print(t, &f->c->out);
    return true;
}

static bool show(struct command_context *c, void *args_, struct err *e)
{
    const struct look_args *args = args_;
    CLEANUP(flags) struct flags f = { 0 };
    struct flag_row row;
    if (!flags_open_flag(c, &args->flags, args->key, &f, &row, e))
        return false;
    if (c->wants_json) {
        json_t *document = row_json(c->arena, &row);
        json_object_set_new(document, "environment", json_string(f.name));
        print_json(c, document);
        return true;
    }
    show_row(&f, &row);
    return show_history(&f, &row, e);
}

// clang-format off
static const struct option list_options[] = {
    FLAGS_LOOK_OPTIONS(look_args, flags),
    { "archived", 0, OPT_FLAG, AT(look_args, with_archived), NULL, "Archived ones too" },
    { 0 },
};
static const struct option show_options[] = {
    FLAGS_LOOK_OPTIONS(look_args, flags),
    { 0 },
};
static const struct argument show_arguments[] = {
    { "flag", ARG_ONE, COMPLETE_FLAG, AT(look_args, key), "Its key" },
    { 0 },
};
// clang-format on

const struct command cmd_flags_list = {
    .name = "list",
    .synopsis = "flags list",
    .summary = "Show every flag of an environment: on for whom, since when, by whom",
    .examples =
        "lockflight flags list --env production\nlockflight flags list --env staging --json",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON,
    .options = list_options,
    .args_size = sizeof(struct look_args),
    .run = list,
};

const struct command cmd_flags_show = {
    .name = "show",
    .synopsis = "flags show <flag>",
    .summary = "Show all there is to know about one flag",
    .examples = "lockflight flags show financial --env production",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON,
    .options = show_options,
    .arguments = show_arguments,
    .args_size = sizeof(struct look_args),
    .run = show,
};
