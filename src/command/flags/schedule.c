/*
 * `lockflight flags schedule`: a change that happens by itself, to the second, without anybody or
 * anything running then. Everyone who reads the flag counts it in from its time on.
 */
#include "base/clock.h"
#include "base/duration.h"
#include "base/json.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/flags/change.h"
#include "command/flags/flags.h"
#include "flag/state.h"

struct schedule_args {
    struct flags_args flags;
    const char *word;  /* a key, "list" or "cancel" */
    const char *which; /* of list: a key; of cancel: the number */
    const char *at;
    const char *percent;
    const char *variant;
    bool is_on, is_off;
    bool with_finished;
};

/* ---- when ---- */

static bool when(const struct schedule_args *args, int64_t *ret_unix_ms, struct err *e)
{
    int64_t now_ms = clock_unix_ms(), ms = 0;
    struct str text = str_trim(str_of(args->at));
    if (text.n > 1 && text.p[0] == '+') {
        if (duration_parse((struct str){ text.p + 1, text.n - 1 }, &ms) && ms > 0) {
            *ret_unix_ms = now_ms + ms;
            return true;
        }
    } else if (clock_parse(text, &ms)) {
        if (ms > now_ms) {
            *ret_unix_ms = ms;
            return true;
        }
        err_set(e, ERR_USAGE, "--at %s is in the past", args->at);
        return err_hint(e, "without --at a change is made now: lockflight flags on, off, ramp");
    }
    err_set(e, ERR_USAGE, "--at \"%.40s\" is no time", args->at);
    return err_hint(e, "with its zone, as 2026-12-01T09:00+01:00, or from now on, as +2h");
}

/* ---- add ---- */

static bool usage(const struct schedule_args *args, struct err *e)
{
    int n = (args->is_on ? 1 : 0) + (args->is_off ? 1 : 0) + (args->percent ? 1 : 0);
    if (n == 1 && !args->which)
        return true;
    err_set(e, ERR_USAGE, "%s",
            args->which ? "one flag at a time"
            : n == 0    ? "what shall happen then?"
                        : "only one of --on, --off and --ramp");
    return err_hint(e, "lockflight flags schedule %s --at %s --on, or --off, or --ramp 25",
                    args->word, args->at);
}

static bool make_patch(struct flags *f, const struct flag_row *row,
                       const struct schedule_args *args, int64_t thousandths, json_t **ret,
                       struct err *e)
{
    const char *variant = NULL;
    if (args->is_off) {
        *ret = flags_patch_off();
        return true;
    }
    if (!flags_on_variant(f, row, args->variant, &variant, e))
        return false;
    *ret = args->percent ? flags_patch_percent(row, variant, thousandths) : flags_patch_on(variant);
    return true;
}

static void answer(struct flags *f, const struct flags_difference *d, int64_t at_ms, int64_t id,
                   bool is_dry)
{
    struct command_context *c = f->c;
    const char *at = clock_rfc3339(c->arena, at_ms);
    if (c->wants_json) {
        json_t *document = flags_difference_json(d);
        json_object_set_new(document, "environment", json_string(f->name));
        json_object_set_new(document, "at", json_string(at));
        json_object_set_new(document, "schedule", id ? json_integer((json_int_t)id) : json_null());
        json_object_set_new(document, "dry_run", json_boolean(is_dry));
        print_json(c, document);
        return;
    }
    print(&c->out, "At %s (in %s), from what it is now:\n", at,
          clock_duration(c->arena, at_ms - clock_unix_ms()));
    flags_difference_print(f, d, &c->out);
    if (is_dry)
        print(&c->out, "  nothing was scheduled: --dry-run\n");
    else
        print(&c->out, "  schedule %lld; lockflight flags schedule cancel %lld --env %s\n",
              (long long)id, (long long)id, f->name);
}

static bool add(struct command_context *c, const struct schedule_args *args, struct err *e)
{
    CLEANUP(flags) struct flags f = { 0 };
    CLEANUP(flags_difference) struct flags_difference d = { 0 };
    struct flag_row row;
    json_auto_t *patch = NULL;
    int64_t at_ms = 0, id = 0, thousandths = 0;
    if (!usage(args, e) || !when(args, &at_ms, e) ||
        (args->percent && !flags_percent(args->percent, &thousandths, e)) ||
        !flags_open_flag_to_write(c, &args->flags, args->word, &f, &row, e) ||
        !make_patch(&f, &row, args, thousandths, &patch, e))
        return false;
    flags_difference_make(&f, &row, patch, &d);
    const char *question = arena_printf(c->arena, "At %s, %s in %s: %s. Go on?",
                                        clock_rfc3339(c->arena, at_ms), row.key, f.name, d.to_text);
    if (!args->flags.is_dry &&
        ((!args->is_off && flags_difference_asks(&f, &d) &&
          !prompt_continue(c, f.name, question, e)) ||
         !flag_store_schedule_add(f.db, row.key, at_ms, patch, &f.by, &id, e))) {
        (void)flags_tell_wait(&f, e);
        return err_wrap(e, "schedule a change of %s in %s", row.key, f.name);
    }
    answer(&f, &d, at_ms, id, args->flags.is_dry);
    return true;
}

/* ---- list ---- */

/* What the patch makes of nothing but itself: "on for everyone". */
static const char *patch_words(struct arena *a, const char *text)
{
    json_auto_t *patch = flags_json(text);
    json_auto_t *state = flag_state_patched(NULL, patch);
    if (json_object_size(patch) == 1 && json_is_true(json_object_get(patch, "killed")))
        return "off for everyone, held off";
    if (json_object_size(patch) == 1 && json_is_false(json_object_get(patch, "killed")))
        return "on again as it was";
    return flag_state_words(a, state, json_text_or(state, "default_variant", "off"));
}

static json_t *schedule_json(const struct flag_schedule *s)
{
    return json_pack("{s:I, s:s, s:s, s:o, s:s, s:s?, s:s, s:s?}", "schedule", (json_int_t)s->id,
                     "flag", s->key, "at", s->run_at, "patch", flags_json(s->patch), "state",
                     s->state, "detail", s->detail, "by", s->created_by, "reason", s->reason);
}

static bool list(struct command_context *c, const struct schedule_args *args, struct err *e)
{
    CLEANUP(flags) struct flags f = { 0 };
    struct flag_schedule *all;
    size_t n;
    if (!flags_open(c, &args->flags, &f, e) ||
        !flag_store_schedules(f.db, c->arena, args->which, args->with_finished, &all, &n, e))
        return err_wrap(e, "list schedules");
    struct flag_row row;
    if (n == 0 && args->which && !flags_get(&f, args->which, &row, e))
        return false; /* there is no such flag */
    json_t *rows = json_array();
    struct table *t = table_new(c->arena, 6);
    table_head(t, "schedule", "at", "flag", "becomes", "state", "by", NULL);
    for (size_t i = 0; i < n; i++) {
        const struct flag_schedule *s = &all[i];
        bool is_odd = streq(s->state, "held") || streq(s->state, "suspended");
        json_array_append_new(rows, schedule_json(s));
        table_cell(t, STYLE_STRONG, "%lld", (long long)s->id);
        table_cell(t, STYLE_PLAIN, "%s", s->run_at);
        table_cell(t, STYLE_PLAIN, "%s", s->key);
        table_cell(t, STYLE_PLAIN, "%s", patch_words(c->arena, s->patch));
        table_cell(t, is_odd ? STYLE_WARN : STYLE_PLAIN, "%s%s%s", s->state,
                   s->detail && s->detail[0] ? ": " : "", s->detail ? s->detail : "");
        table_cell(t, STYLE_FAINT, "%s", flags_plain(c->arena, s->created_by));
    }
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:O}", "environment", f.name, "schedules", rows));
    else if (n > 0)
        table_print(t, &c->out);
    else
        print(&c->out, "Nothing is scheduled in %s.\n", f.name);
    json_decref(rows);
    return true;
}

/* ---- cancel ---- */

static bool cancel(struct command_context *c, const struct schedule_args *args, struct err *e)
{
    CLEANUP(flags) struct flags f = { 0 };
    uint64_t id = 0;
    if (!args->which || !str_to_u64(str_of(args->which), &id) || id == 0 || id > INT64_MAX) {
        err_set(e, ERR_USAGE, "which schedule is to be cancelled?");
        return err_hint(e, "its number: lockflight flags schedule list");
    }
    if (!flags_open_to_write(c, &args->flags, &f, e) ||
        !flag_store_schedule_cancel(f.db, (int64_t)id, &f.by, e)) {
        (void)flags_tell_wait(&f, e);
        return err_wrap(e, "cancel schedule %s", args->which);
    }
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:I, s:b}", "environment", f.name, "schedule",
                                (json_int_t)id, "cancelled", 1));
    else
        print(&c->out, "Schedule %llu of %s is cancelled.\n", (unsigned long long)id, f.name);
    return true;
}

static bool schedule(struct command_context *c, void *args_, struct err *e)
{
    const struct schedule_args *args = args_;
    if (args->at)
        return add(c, args, e);
    if (streq(args->word, "list"))
        return list(c, args, e);
    if (streq(args->word, "cancel"))
        return cancel(c, args, e);
    err_set(e, ERR_USAGE, "when shall %s change?", args->word);
    return err_hint(e, "add --at 2026-12-01T09:00+01:00, or --at +2h");
}

// clang-format off
static const struct option schedule_options[] = {
    { "at",      0, OPT_TEXT, AT(schedule_args, at),            "<time>",    "When: 2026-12-01T09:00+01:00, or +2h from now" },
    { "on",      0, OPT_FLAG, AT(schedule_args, is_on),         NULL,        "On for everyone"                               },
    { "off",     0, OPT_FLAG, AT(schedule_args, is_off),        NULL,        "Off for everyone, keeping what is rolled out"  },
    { "ramp",    0, OPT_TEXT, AT(schedule_args, percent),       "<percent>", "On for a share of the users"                   },
    { "variant", 0, OPT_TEXT, AT(schedule_args, variant),       "<variant>", "Which one, if there are more than two"         },
    { "all",     0, OPT_FLAG, AT(schedule_args, with_finished), NULL,        "List those that have run or were cancelled too" },
    FLAGS_WRITE_OPTIONS(schedule_args, flags),
    { 0 },
};
static const struct argument schedule_arguments[] = {
    { "flag",  ARG_ONE,      COMPLETE_FLAG,    AT(schedule_args, word),  "Its key; or the words list, cancel"         },
    { "which", ARG_OPTIONAL, COMPLETE_NOTHING, AT(schedule_args, which), "To list: of one flag; to cancel: the number" },
    { 0 },
};
// clang-format on

const struct command cmd_flags_schedule = {
    .name = "schedule",
    .synopsis = "flags schedule <flag>|list|cancel [number]",
    .summary = "Change a flag at a time to come; list, cancel",
    .description =
        "Nothing has to run at that time: whoever reads the flag counts the change in from then "
        "on, to the second. A change of the same thing by hand before then suspends the schedule, "
        "which `flags schedule list` shows. The history names who scheduled it.",
    .examples =
        "lockflight flags schedule financial --at 2026-12-01T09:00+01:00 --on --env production "
        "--reason 'launch day'\n"
        "lockflight flags schedule financial --at +2h --off --env staging\n"
        "lockflight flags schedule list --env production\n"
        "lockflight flags schedule cancel 12 --env staging",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON | COMMAND_ASKS,
    .options = schedule_options,
    .arguments = schedule_arguments,
    .args_size = sizeof(struct schedule_args),
    .run = schedule,
};
