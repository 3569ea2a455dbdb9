/*
 * `lockflight flags history` and `revert`: who did what and why, and one of these taken back. Taking
 * back is a new entry: nothing leaves the history.
 */
#include "base/clock.h"
#include "base/json.h"
#include "cli/output.h"
#include "command/flags/change.h"
#include "command/flags/flags.h"
#include "flag/state.h"

struct history_args {
    struct flags_args flags;
    const char *key;
    const char *entry;
    int64_t before;
    int64_t limit;
};

#define HISTORY_MOST 1000

/* ---- in words ---- */

static bool is_state(const json_t *image)
{
    return json_object_get(image, "killed") && json_object_get(image, "enabled");
}

static const char *state_words(struct arena *a, const json_t *image)
{
    json_auto_t *state = flag_state_of(image);
    return flag_state_words(a, state, "off");
}

/* Names of the members in which two objects differ. */
static const char *differing(struct arena *a, const json_t *old, const json_t *new)
{
    const char *all = "", *key;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t) new, key, value)
        if (!json_equal(json_object_get(old, key), value))
            all = arena_printf(a, "%s%s%s", all, *all ? ", " : "", key);
    return all;
}

const char *flags_entry_words(struct command_context *c, const struct flag_audit *h)
{
    struct arena *a = c->arena;
    json_auto_t *old = flags_json(h->old_image);
    json_auto_t *new = flags_json(h->new_image);
    if (is_state(old) && is_state(new))
        return arena_printf(a, "%s: %s%s%s", h->action, state_words(a, old),
                            symbol(&c->out, " → ", " -> "), state_words(a, new));
    /* "create flag crm", but not "segment segment staff" */
    const char *done = starts_with(h->object, h->action)
                           ? h->object
                           : arena_printf(a, "%s %s", h->action, h->object);
    const json_t *either = json_is_object(new) ? new : old;
    const char *at = json_text_or(either, "run_at", NULL);
    if (at) {
        json_auto_t *state = flag_state_patched(NULL, json_object_get(either, "patch"));
        int64_t at_ms = 0;
        if (clock_parse(str_of(at), &at_ms))
            at = clock_rfc3339(a, at_ms);
        return arena_printf(a, "%s at %s: %s", done, at, state_words(a, state));
    }
    if (json_is_object(old) && json_is_object(new))
        return arena_printf(a, "%s: %s", done, differing(a, old, new));
    return done;
}

static json_t *entry_json(struct command_context *c, const struct flag_audit *h)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:s?, s:s, s:s?, s:s, s:s, s:o, s:o, s:I}", "entry",
                     (json_int_t)h->seq, "at", clock_rfc3339(c->arena, h->at_unix_ms), "by",
                     h->actor, "via", h->via, "reason", h->reason, "action", h->action, "flag",
                     h->key, "object", h->object, "text", flags_entry_words(c, h), "old",
                     flags_json(h->old_image), "new", flags_json(h->new_image), "version",
                     (json_int_t)h->config_version);
}

static void show(struct flags *f, const struct flag_audit *all, size_t n)
{
    struct command_context *c = f->c;
    struct table *t = table_new(c->arena, 5);
    table_head(t, "entry", "at", "by", "flag", "what (why)", NULL);
    table_wrap(t);
    for (size_t i = 0; i < n; i++) {
        const struct flag_audit *h = &all[i];
        table_cell(t, STYLE_STRONG, "%lld", (long long)h->seq);
        table_cell(t, STYLE_FAINT, "%s", clock_rfc3339(c->arena, h->at_unix_ms));
        table_cell(t, STYLE_PLAIN, "%s%s%s", flags_plain(c->arena, h->actor),
                   streq(h->via, "cli") ? "" : " via ", streq(h->via, "cli") ? "" : h->via);
        table_cell(t, STYLE_PLAIN, "%s", h->key ? h->key : "");
        table_cell(t, STYLE_PLAIN, "%s%s%s%s", flags_entry_words(c, h), h->reason ? " (" : "",
                   flags_plain(c->arena, h->reason), h->reason ? ")" : "");
    }
    table_print(t, &c->out);
}

static bool history(struct command_context *c, void *args_, struct err *e)
{
    const struct history_args *args = args_;
    CLEANUP(flags) struct flags f = { 0 };
    struct flag_audit *all;
    size_t n;
    if (args->limit > HISTORY_MOST)
        return err_set(e, ERR_USAGE, "--limit %lld: %d are the most at a time; go on with --before",
                       (long long)args->limit, HISTORY_MOST);
    if (!flags_open(c, &args->flags, &f, e) ||
        !flag_store_history(f.db, c->arena, args->key, args->before, (int)args->limit, &all, &n, e))
        return err_wrap(e, "history of flags");
    struct flag_row row;
    if (n == 0 && args->key && !args->before && !flags_get(&f, args->key, &row, e))
        return false; /* there is no such flag */
    if (c->wants_json) {
        json_t *entries = json_array();
        for (size_t i = 0; i < n; i++)
            json_array_append_new(entries, entry_json(c, &all[i]));
        print_json(c, json_pack("{s:s, s:o}", "environment", f.name, "entries", entries));
    } else if (n > 0) {
        show(&f, all, n);
    } else {
        print(&c->out, "Nothing happened to %s in %s yet.\n", args->key ? args->key : "flags",
              f.name);
    }
    return true;
}

/* ---- back ---- */

static bool revert(struct command_context *c, void *args_, struct err *e)
{
    const struct history_args *args = args_;
    CLEANUP(flags) struct flags f = { 0 };
    struct flag_audit entry;
    struct flag_row row;
    json_auto_t *patch = NULL;
    uint64_t seq = 0;
    if (!str_to_u64(str_of(args->entry), &seq) || seq == 0 || seq > INT64_MAX) {
        err_set(e, ERR_USAGE, "\"%.20s\" is no entry of the history", args->entry);
        return err_hint(e, "its number: lockflight flags history");
    }
    if (!flags_open_to_write(c, &args->flags, &f, e) ||
        !flag_store_revert(f.db, c->arena, (int64_t)seq, &entry, &patch, e) ||
        !flags_get(&f, entry.key, &row, e))
        return err_wrap(e, "take back entry %s", args->entry);
    if (!f.by.reason)
        f.by.reason = arena_printf(c->arena, "takes back entry %llu", (unsigned long long)seq);
    const char *note = arena_printf(c->arena, "as before entry %llu (%s by %s)",
                                    (unsigned long long)seq, entry.action, entry.actor);
    const struct flags_change x = {
        .patch = patch, .expect = args->flags.expect, .is_dry = args->flags.is_dry, .note = note
    };
    return flags_change(&f, &row, &x, e);
}

// clang-format off
static const struct option history_options[] = {
    FLAGS_LOOK_OPTIONS(history_args, flags),
    { "limit",  'n', OPT_INT, AT(history_args, limit),  "<count>", "How many, newest first (default: 50)" },
    { "before", 0,   OPT_INT, AT(history_args, before), "<entry>", "Only what was before this entry"      },
    { 0 },
};
static const struct argument history_arguments[] = {
    { "flag", ARG_OPTIONAL, COMPLETE_FLAG, AT(history_args, key), "Only of this one" },
    { 0 },
};
static const struct option revert_options[] = {
    FLAGS_WRITE_OPTIONS(history_args, flags),
    { 0 },
};
static const struct argument revert_arguments[] = {
    { "entry", ARG_ONE, COMPLETE_NOTHING, AT(history_args, entry), "Its number in the history" },
    { 0 },
};
// clang-format on

const struct command cmd_flags_history = {
    .name = "history",
    .synopsis = "flags history [flag]",
    .summary = "Show who changed which flag, when, how and why",
    .description = "Newest first. The database refuses to change or delete an entry.",
    .examples = "lockflight flags history financial --env production\n"
                "lockflight flags history --env production --json",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON,
    .options = history_options,
    .arguments = history_arguments,
    .args_size = sizeof(struct history_args),
    .run = history,
};

const struct command cmd_flags_revert = {
    .name = "revert",
    .synopsis = "flags revert <entry>",
    .summary = "Bring a flag back to what it was before an entry of the history",
    .description = "Writes the old state again, as a new entry with you as its author.",
    .examples = "lockflight flags revert 41 --env production --reason 'wrong flag'",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON | COMMAND_ASKS,
    .options = revert_options,
    .arguments = revert_arguments,
    .args_size = sizeof(struct history_args),
    .run = revert,
};
