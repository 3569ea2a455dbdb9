/*
 * `lockflight flags diff` and `promote`: two environments side by side, and one flag's state taken
 * from one to the other.
 */
#include "base/json.h"
#include "cli/output.h"
#include "command/flags/change.h"
#include "command/flags/flags.h"
#include "flag/state.h"

struct two_args {
    struct flags_args flags;
    const char *from, *to;
    const char *key;
    bool is_all;
};

/* ---- diff ---- */

struct pair {
    const struct flag_row *a, *b; /* NULL: not there */
};

static const char *words(struct arena *a, const struct flag_row *row)
{
    if (!row)
        return "not there";
    json_auto_t *state = flags_state(row);
    return flag_state_words(a, state, row->off_variant);
}

static bool same_json(const char *a, const char *b)
{
    json_auto_t *x = flags_json(a);
    json_auto_t *y = flags_json(b);
    return json_equal(x, y);
}

/* What of the definition is another; "" nothing. */
static const char *definition(const struct pair *p)
{
    if (!p->a || !p->b)
        return "";
    if (!same_json(p->a->variants, p->b->variants))
        return "other variants";
    if (!streq(p->a->off_variant, p->b->off_variant))
        return "another off variant";
    if (!streq(p->a->exposure, p->b->exposure))
        return "another exposure";
    return same_json(p->a->requires, p->b->requires) ? "" : "other requirements";
}

static bool differs(const struct pair *p)
{
    if (!p->a || !p->b)
        return true;
    json_auto_t *x = flags_state(p->a);
    json_auto_t *y = flags_state(p->b);
    return !json_equal(x, y) || definition(p)[0];
}

static struct pair next_pair(const struct flag_rows *a, const struct flag_rows *b, size_t *i,
                             size_t *j)
{
    int order = *i == a->n ? 1 : *j == b->n ? -1 : strcmp(a->v[*i].key, b->v[*j].key);
    return (struct pair){ order <= 0 ? &a->v[(*i)++] : NULL, order >= 0 ? &b->v[(*j)++] : NULL };
}

static json_t *side_json(struct arena *a, const struct flag_row *row)
{
    return row ? json_pack("{s:s, s:o, s:I}", "text", words(a, row), "state", flags_state(row),
                           "version", (json_int_t)row->version)
               : json_null();
}

static void compare(struct flags *f, const struct two_args *args, const struct flag_rows *a,
                    const struct flag_rows *b)
{
    struct command_context *c = f->c;
    json_t *list = json_array();
    struct table *t = table_new(c->arena, 4);
    table_head(t, "flag", args->from, args->to, "", NULL);
    size_t differences = 0;
    for (size_t i = 0, j = 0; i < a->n || j < b->n;) {
        struct pair p = next_pair(a, b, &i, &j);
        bool is_other = differs(&p);
        differences += is_other;
        if (!is_other && !args->is_all)
            continue;
        const char *key = p.a ? p.a->key : p.b ? p.b->key : "";
        json_array_append_new(list,
                              json_pack("{s:s, s:b, s:o, s:o, s:s}", "flag", key, "differs",
                                        (int)is_other, "from", side_json(c->arena, p.a), "to",
                                        side_json(c->arena, p.b), "definition", definition(&p)));
        table_cell(t, STYLE_STRONG, "%s", key);
        table_cell(t, STYLE_PLAIN, "%s", words(c->arena, p.a));
        table_cell(t, is_other ? STYLE_WARN : STYLE_PLAIN, "%s", words(c->arena, p.b));
        table_cell(t, STYLE_FAINT, "%s", definition(&p));
    }
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:s, s:I, s:O}", "from", args->from, "to", args->to,
                                "differences", (json_int_t)differences, "flags", list));
    else if (differences > 0 || args->is_all)
        table_print(t, &c->out);
    else
        print(&c->out, "%s and %s are the same: %s.\n", args->from, args->to,
              text_count(c->arena, (int64_t)a->n, "flag", "flags"));
    json_decref(list);
}

static bool diff(struct command_context *c, void *args_, struct err *e)
{
    const struct two_args *args = args_;
    struct flags_args from = { .environment = args->from }, to = { .environment = args->to };
    CLEANUP(flags) struct flags f = { 0 };
    CLEANUP(flags) struct flags g = { 0 };
    struct flag_rows a, b;
    if (streq(args->from, args->to))
        return err_set(e, ERR_USAGE, "%s is the same environment twice", args->from);
    if (!flags_open(c, &from, &f, e) || !flags_open(c, &to, &g, e) ||
        !flag_store_list(f.db, c->arena, false, &a, e) ||
        !flag_store_list(g.db, c->arena, false, &b, e))
        return err_wrap(e, "compare the flags of %s and %s", args->from, args->to);
    compare(&f, args, &a, &b);
    return true;
}

/* ---- promote ---- */

/* A state that names variants which are not there would be refused by the database; say which. */
static bool variants_exist(const struct two_args *args, const struct flag_row *from,
                           const struct flag_row *to, struct err *e)
{
    json_auto_t *here = flags_json(to->variants);
    json_auto_t *there = flags_json(from->variants);
    const char *name;
    json_t *value;
    json_object_foreach (there, name, value) {
        const json_t *other = json_object_get(here, name);
        if (other && json_equal(other, value))
            continue;
        err_set(e, ERR_BLOCKED, "variant %s of %s is %s in %s", name, args->key,
                other ? "another value" : "not known", args->to);
        return err_hint(e, "lockflight deploy %s brings the definition there first", args->to);
    }
    return true;
}

static bool promote(struct command_context *c, void *args_, struct err *e)
{
    const struct two_args *args = args_;
    struct flags_args from = { .environment = args->from };
    struct flags_args to = args->flags;
    CLEANUP(flags) struct flags f = { 0 };
    CLEANUP(flags) struct flags g = { 0 };
    struct flag_row source, row;
    to.environment = args->to;
    if (streq(args->from, args->to))
        return err_set(e, ERR_USAGE, "%s is the same environment twice", args->from);
    if (!flags_prepare(c, &to, true, &g, e) || !flags_open(c, &from, &f, e) ||
        !flags_get(&f, args->key, &source, e))
        return false;
    flags_close(&f);
    if (!flags_open_to_write(c, &to, &g, e) || !flags_get(&g, args->key, &row, e) ||
        !variants_exist(args, &source, &row, e))
        return false;
    json_auto_t *there = flags_state(&source);
    json_auto_t *here = flags_state(&row);
    json_auto_t *patch = flag_state_difference(here, there);
    const json_t *rule = json_object_get(patch, "targeting");
    if (rule && !json_is_null(rule) && !flags_check_one_rule(&g, &row, rule, true, e))
        return false;
    if (!g.by.reason)
        g.by.reason =
            arena_printf(c->arena, "as in %s, version %lld", args->from, (long long)source.version);
    const struct flags_change x = { .patch = patch,
                                    .expect = to.expect,
                                    .is_dry = to.is_dry,
                                    .note = arena_printf(c->arena, "as in %s", args->from) };
    return flags_change(&g, &row, &x, e);
}

// clang-format off
static const struct option diff_options[] = {
    { "all", 0, OPT_FLAG, AT(two_args, is_all), NULL, "Those that are the same too" },
    { 0 },
};
static const struct argument diff_arguments[] = {
    { "environment", ARG_ONE, COMPLETE_ENVIRONMENT, AT(two_args, from), "One"     },
    { "other",       ARG_ONE, COMPLETE_ENVIRONMENT, AT(two_args, to),   "Another" },
    { 0 },
};
static const struct option promote_options[] = {
    FLAGS_AUTHOR_OPTIONS(two_args, flags),
    { "dry-run", 0, OPT_FLAG, AT(two_args, flags.is_dry), NULL,        "Show what would change, and stop"               },
    { "expect",  0, OPT_INT,  AT(two_args, flags.expect), "<version>", "Only if the flag there is still at this version" },
    { 0 },
};
static const struct argument promote_arguments[] = {
    { "from", ARG_ONE, COMPLETE_ENVIRONMENT, AT(two_args, from), "Where it is as it should be" },
    { "to",   ARG_ONE, COMPLETE_ENVIRONMENT, AT(two_args, to),   "Where it is written"         },
    { "flag", ARG_ONE, COMPLETE_FLAG,        AT(two_args, key),  "Its key"                     },
    { 0 },
};
// clang-format on

const struct command cmd_flags_diff = {
    .name = "diff",
    .synopsis = "flags diff <environment> <other>",
    .summary = "Compare the flags of two environments",
    .examples = "lockflight flags diff staging production\n"
                "lockflight flags diff staging production --all --json",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON,
    .options = diff_options,
    .arguments = diff_arguments,
    .args_size = sizeof(struct two_args),
    .run = diff,
};

const struct command cmd_flags_promote = {
    .name = "promote",
    .synopsis = "flags promote <from> <to> <flag>",
    .summary = "Give a flag the state that it has in another environment",
    .description =
        "The state goes over: on or off, default, rule. Segments that the rule uses must "
        "be there; what they mean is each environment's own.",
    .examples = "lockflight flags promote staging production financial --reason 'tried for a week'",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON | COMMAND_ASKS,
    .options = promote_options,
    .arguments = promote_arguments,
    .args_size = sizeof(struct two_args),
    .run = promote,
};
