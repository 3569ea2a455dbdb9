/*
 * `lockflight flags segment`: named conditions that rules use, {"$ref":"staff"}. The file gives an
 * environment its first ones; afterwards they are the environment's own.
 */
#include "base/fs.h"
#include "base/json.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/flags/change.h"
#include "command/flags/flags.h"
#include "flag/profile.h"

struct segment_args {
    struct flags_args flags;
    const char *name;
    const char *rule;
    bool removes;
    bool unportable;
};

// NOLINTNEXTLINE(misc-no-recursion): depth is limited
static bool uses(const json_t *rule, const char *name, int depth)
{
    const char *key;
    json_t *value;
    size_t i;
    if (depth == 0)
        return false;
    json_object_foreach ((json_t *)(uintptr_t)rule, key, value)
        if ((streq(key, "$ref") && streq(json_string_value(value), name)) ||
            uses(value, name, depth - 1))
            return true;
    json_array_foreach (rule, i, value)
        if (uses(value, name, depth - 1))
            return true;
    return false;
}

/* Keys of the flags whose rule uses it; "" none. */
static const char *users(struct arena *a, const struct flag_rows *rows, const char *name)
{
    const char *all = "";
    for (size_t i = 0; i < rows->n; i++) {
        json_auto_t *rule = flags_json(rows->v[i].targeting);
        if (uses(rule, name, LIMIT_FLAG_RULE_DEPTH))
            all = arena_printf(a, "%s%s%s", all, *all ? ", " : "", rows->v[i].key);
    }
    return all;
}

/* ---- list ---- */

static bool list(struct command_context *c, const struct segment_args *args, struct err *e)
{
    CLEANUP(flags) struct flags f = { 0 };
    struct flag_segment *all;
    struct flag_rows rows;
    size_t n;
    if (!flags_open(c, &args->flags, &f, e) || !flag_store_segments(f.db, c->arena, &all, &n, e) ||
        !flag_store_list(f.db, c->arena, false, &rows, e))
        return err_wrap(e, "list segments");
    json_t *found = json_array();
    struct table *t = table_new(c->arena, 4);
    table_head(t, "segment", "changed", "used by", "rule", NULL);
    for (size_t i = 0; i < n; i++) {
        const struct flag_segment *s = &all[i];
        const char *used = users(c->arena, &rows, s->name);
        json_array_append_new(found,
                              json_pack("{s:s, s:o, s:I, s:s, s:s}", "segment", s->name, "rule",
                                        flags_json(s->rule), "version", (json_int_t)s->version,
                                        "by", s->updated_by, "used_by", used));
        table_cell(t, STYLE_STRONG, "%s", s->name);
        table_cell(t, STYLE_PLAIN, "%s by %s", flags_ago(c->arena, s->updated_unix_ms),
                   s->updated_by);
        table_cell(t, STYLE_PLAIN, "%s", *used ? used : "nobody");
        table_cell(t, STYLE_FAINT, "%s", s->rule);
    }
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:O}", "environment", f.name, "segments", found));
    else if (n > 0)
        table_print(t, &c->out);
    else
        print(&c->out, "%s has no segments.\n", f.name);
    json_decref(found);
    return true;
}

/* ---- set and remove ---- */

static bool check_rule(struct flags *f, const struct segment_args *args, const json_t *rule,
                       struct err *e)
{
    struct arena *a = f->c->arena;
    json_auto_t *attributes = json_object();
    json_auto_t *segments = json_object();
    struct flag_findings findings = { 0 };
    if (!flags_declared(f, attributes, segments, e))
        return false;
    const struct flag_profile profile = { .attributes = attributes,
                                          .takes_unportable = args->unportable };
    return flag_check_segment(&profile, a, arena_printf(a, "segment %s", args->name), rule,
                              &findings, e);
}

static const struct flag_segment *find(const struct flag_segment *all, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (streq(all[i].name, name))
            return &all[i];
    return NULL;
}

static bool agree(struct flags *f, const char *name, const char *used, struct err *e)
{
    struct arena *a = f->c->arena;
    if (!*used && !f->is_protected)
        return true;
    const char *question =
        *used ? arena_printf(a, "%s in %s is used by %s; whom that moves is not known. Go on?",
                             name, f->name, used)
              : arena_printf(a, "Change segment %s in %s?", name, f->name);
    return prompt_continue(f->c, f->name, question, e);
}

static bool change(struct command_context *c, const struct segment_args *args, struct err *e)
{
    CLEANUP(flags) struct flags f = { 0 };
    json_auto_t *rule = NULL;
    struct flag_segment *all;
    struct flag_rows rows;
    size_t n;
    int64_t version = 0;
    if ((args->rule && !flags_read_rule(c, args->rule, &rule, e)) ||
        !flags_open_to_write(c, &args->flags, &f, e) || (rule && !check_rule(&f, args, rule, e)) ||
        !flag_store_segments(f.db, c->arena, &all, &n, e) ||
        !flag_store_list(f.db, c->arena, false, &rows, e))
        return false;
    const struct flag_segment *now = find(all, n, args->name);
    const char *used = users(c->arena, &rows, args->name);
    if (args->unportable)
        flags_note_unportable(&f);
    if (!args->flags.is_dry &&
        (!agree(&f, args->name, used, e) ||
         !flag_store_segment_set(f.db, args->name, rule, now ? now->version : 0, &f.by, &version,
                                 e))) {
        (void)flags_tell_wait(&f, e);
        return err_wrap(e, "segment %s in %s", args->name, f.name);
    }
    bool changes = args->flags.is_dry || version != (now ? now->version : 0);
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:s, s:b, s:b, s:s, s:I}", "environment", f.name, "segment",
                                args->name, "changed", (int)changes, "dry_run",
                                (int)args->flags.is_dry, "used_by", used, "version",
                                (json_int_t)version));
    else
        print(&c->out, "segment %s in %s is %s%s.\n", args->name, f.name,
              !changes        ? "so already"
              : args->removes ? "removed"
                              : json_text_in_order(c->arena, rule),
              args->flags.is_dry ? ": --dry-run, nothing was changed" : "");
    return true;
}

static bool segment(struct command_context *c, void *args_, struct err *e)
{
    const struct segment_args *args = args_;
    if (args->rule && args->removes)
        return err_set(e, ERR_USAGE, "either --rule or --remove, not both");
    if (args->name && !args->rule && !args->removes) {
        err_set(e, ERR_USAGE, "what is to be done to %s?", args->name);
        return err_hint(e, "--rule '{\"ends_with\":[{\"var\":\"email\"},\"@acme.example\"]}', or "
                           "--remove");
    }
    if (!args->name && (args->rule || args->removes))
        return err_set(e, ERR_USAGE, "which segment?");
    return args->name ? change(c, args, e) : list(c, args, e);
}

// clang-format off
static const struct option segment_options[] = {
    { "rule",       0, OPT_TEXT, AT(segment_args, rule),       "<json>", "A JsonLogic condition, or @file"               },
    { "remove",     0, OPT_FLAG, AT(segment_args, removes),    NULL,     "Take it away; refused while a rule uses it"    },
    { "unportable", 0, OPT_FLAG, AT(segment_args, unportable), NULL,     "Store one that other engines may read otherwise" },
    FLAGS_LOOK_OPTIONS(segment_args, flags),
    FLAGS_AUTHOR_OPTIONS(segment_args, flags),
    { "dry-run", 0, OPT_FLAG, AT(segment_args, flags.is_dry), NULL, "Show what would change, and stop" },
    { 0 },
};
static const struct argument segment_arguments[] = {
    { "name", ARG_OPTIONAL, COMPLETE_NOTHING, AT(segment_args, name), "Which one (default: list all)" },
    { 0 },
};
// clang-format on

const struct command cmd_flags_segment = {
    .name = "segment",
    .synopsis = "flags segment [name]",
    .summary = "List the named conditions that rules use, or set one",
    .description = "Rules name them: {\"$ref\":\"staff\"}. A change is asked for while a rule uses "
                   "the segment, because nobody can count whom it moves.",
    .examples = "lockflight flags segment --env production\n"
                "lockflight flags segment staff --env staging --rule "
                "'{\"ends_with\":[{\"var\":\"email\"},\"@studio.example\"]}'",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON | COMMAND_ASKS,
    .options = segment_options,
    .arguments = segment_arguments,
    .args_size = sizeof(struct segment_args),
    .run = segment,
};
