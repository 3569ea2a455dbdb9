/*
 * `lockflight flags on`, `off`, `ramp`: the switch itself. Off keeps what was rolled out, so that on
 * brings exactly that back.
 */
#include "base/json.h"
#include "cli/output.h"
#include "command/flags/change.h"
#include "command/flags/flags.h"
#include "command/flags/ramp.h"

struct switch_args {
    struct flags_args flags;
    const char *key;
    const char *variant;
    const char *percent;
    const char *steps;
    int64_t every_ms;
    bool is_everyone;
};

static bool off(struct command_context *c, void *args_, struct err *e)
{
    const struct switch_args *args = args_;
    CLEANUP(flags) struct flags f = { 0 };
    struct flag_row row;
    json_auto_t *patch = flags_patch_off();
    if (!flags_open_flag_to_write(c, &args->flags, args->key, &f, &row, e))
        return false;
    const struct flags_change x = {
        .patch = patch, .is_brake = true, .expect = args->flags.expect, .is_dry = args->flags.is_dry
    };
    return flags_change(&f, &row, &x, e);
}

/* What was rolled out before it was switched off comes back, unless --everyone says more. */
static bool patch_on(struct flags *f, const struct flag_row *row, const struct switch_args *args,
                     json_t **ret, const char **ret_note, struct err *e)
{
    const char *variant = NULL;
    if (row->is_killed && !args->is_everyone && !args->variant) {
        *ret = json_pack("{s:b}", "killed", 0);
        bool was_on =
            row->is_enabled && (row->targeting || !streq(row->default_variant, row->off_variant));
        *ret_note = was_on ? "as it was before it was switched off; --everyone for all"
                           : "it was off before it was switched off; --everyone switches it on";
        return true;
    }
    if (!flags_on_variant(f, row, args->variant, &variant, e))
        return false;
    *ret = flags_patch_on(variant);
    return true;
}

/* `x` says what is special about it; what the command line says is added. */
static bool apply(struct flags *f, struct flag_row *row, const struct switch_args *args,
                  struct flags_change x, struct err *e)
{
    const char *unmet = NULL;
    if (!flags_unmet(f, row, &unmet, e))
        return false;
    x.expect = args->flags.expect;
    x.is_dry = args->flags.is_dry;
    x.note = unmet ? unmet : x.note;
    return flags_change(f, row, &x, e);
}

static bool on(struct command_context *c, void *args_, struct err *e)
{
    const struct switch_args *args = args_;
    CLEANUP(flags) struct flags f = { 0 };
    struct flag_row row;
    json_auto_t *patch = NULL;
    const char *note = NULL;
    return flags_open_flag_to_write(c, &args->flags, args->key, &f, &row, e) &&
           patch_on(&f, &row, args, &patch, &note, e) &&
           apply(&f, &row, args,
                 (struct flags_change){ .patch = patch, .lifts_brake = true, .note = note }, e);
}

static bool ramp_by_itself(struct command_context *c, const struct switch_args *args, struct err *e)
{
    const struct flags_ramp_args guarded = { .flags = &args->flags,
                                             .key = args->key,
                                             .variant = args->variant,
                                             .steps = args->steps,
                                             .every_ms = args->every_ms };
    if (!args->steps || !args->every_ms || args->percent) {
        err_set(e, ERR_USAGE, "either one percentage, or --steps and --every");
        return err_hint(e, "lockflight flags ramp %s --steps 5,25,100 --every 10m", args->key);
    }
    return flags_ramp_guarded(c, &guarded, e);
}

static bool ramp(struct command_context *c, void *args_, struct err *e)
{
    const struct switch_args *args = args_;
    CLEANUP(flags) struct flags f = { 0 };
    struct flag_row row;
    json_auto_t *patch = NULL;
    const char *variant = NULL;
    int64_t thousandths = 0;
    if (args->steps || args->every_ms)
        return ramp_by_itself(c, args, e);
    if (!args->percent) {
        err_set(e, ERR_USAGE, "on for how many percent?");
        return err_hint(e, "lockflight flags ramp %s 25", args->key);
    }
    if (!flags_percent(args->percent, &thousandths, e) ||
        !flags_open_flag_to_write(c, &args->flags, args->key, &f, &row, e) ||
        !flags_on_variant(&f, &row, args->variant, &variant, e))
        return false;
    patch = flags_patch_percent(&row, variant, thousandths);
    return apply(&f, &row, args, (struct flags_change){ .patch = patch }, e);
}

// clang-format off
static const struct option off_options[] = {
    FLAGS_WRITE_OPTIONS(switch_args, flags),
    { 0 },
};
static const struct option on_options[] = {
    { "everyone", 0, OPT_FLAG, AT(switch_args, is_everyone), NULL,       "For all, not as it was before it was switched off" },
    { "variant",  0, OPT_TEXT, AT(switch_args, variant),     "<variant>", "Which one, if there are more than two"            },
    FLAGS_WRITE_OPTIONS(switch_args, flags),
    { 0 },
};
static const struct option ramp_options[] = {
    { "variant",  0, OPT_TEXT, AT(switch_args, variant),     "<variant>", "Which one grows, if there are more than two"      },
    { "steps",    0, OPT_TEXT, AT(switch_args, steps),       "<list>",    "Grow by itself while the environment's checks stay green: 5,25,50,100" },
    { "every",    0, OPT_MS,   AT(switch_args, every_ms),    "<time>",    "How long each of --steps must stay green: 10m"   },
    FLAGS_WRITE_OPTIONS(switch_args, flags),
    { 0 },
};
static const struct argument switch_arguments[] = {
    { "flag", ARG_ONE, COMPLETE_FLAG, AT(switch_args, key), "Its key" },
    { 0 },
};
static const struct argument ramp_arguments[] = {
    { "flag",    ARG_ONE,      COMPLETE_FLAG,    AT(switch_args, key),     "Its key"                                 },
    { "percent", ARG_OPTIONAL, COMPLETE_NOTHING, AT(switch_args, percent), "For how many of the users: 25, 0.5, 100" },
    { 0 },
};
// clang-format on

const struct command cmd_flags_off = {
    .name = "off",
    .synopsis = "flags off <flag>",
    .summary = "Switch a flag off for everyone, at once",
    .description = "The emergency brake: it is never asked for, and it does not care who else is "
                   "changing the flag. What was rolled out is kept, and `flags on` brings it back. "
                   "Visitors get the flag's off variant. In an environment that requires another "
                   "one it needs a reason.",
    .examples = "lockflight flags off financial --env production --reason 'invoices go out twice'",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON | COMMAND_ASKS,
    .options = off_options,
    .arguments = switch_arguments,
    .args_size = sizeof(struct switch_args),
    .run = off,
};

const struct command cmd_flags_on = {
    .name = "on",
    .synopsis = "flags on <flag>",
    .summary = "Switch a flag on again as it was, or on for everyone",
    .description =
        "A flag that was switched off comes back as it was rolled out before; --everyone is for "
        "all. Another flag is on for everyone afterwards, and a rule that it had goes, which is "
        "asked for. A flag whose content is not live yet can not be switched on.",
    .examples = "lockflight flags on financial --env staging\n"
                "lockflight flags on financial --env production --everyone --reason 'fixed'",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON | COMMAND_ASKS,
    .options = on_options,
    .arguments = switch_arguments,
    .args_size = sizeof(struct switch_args),
    .run = on,
};

const struct command cmd_flags_ramp = {
    .name = "ramp",
    .synopsis = "flags ramp <flag> <percent>",
    .summary = "Switch a flag on for a share of the users",
    .description =
        "Whoever is in at 5 % is in at 25 %: users are divided by a hash of flag and user, and a "
        "growing share takes nobody out. The share inside a rule (\"staff always, 25 % of the "
        "others\") is changed there, the rest of the rule stays. A smaller share takes users out "
        "and is asked for.\n\n"
        "With --steps the share grows by itself: the environment's checks, and those whose module "
        "is the flag, are made again and again, and the next step comes when they stayed green for "
        "--every. One that is red switches the flag off for everyone at once. A signal leaves the "
        "last step; a change by somebody else ends it.",
    .examples = "lockflight flags ramp financial 25 --env production --reason 'week one'\n"
                "lockflight flags ramp financial --steps 5,25,50,100 --every 10m --env production "
                "--reason 'week one'\n"
                "lockflight flags ramp financial 0.5 --env staging",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON | COMMAND_ASKS,
    .options = ramp_options,
    .arguments = ramp_arguments,
    .args_size = sizeof(struct switch_args),
    .run = ramp,
};
