/*
 * `lockflight flags set`: any part of a flag's state, with a rule of its own.
 */
#include "base/fs.h"
#include "base/json.h"
#include "cli/output.h"
#include "command/flags/change.h"
#include "command/flags/flags.h"

struct set_args {
    struct flags_args flags;
    const char *key;
    const char *rule; /* JSON or @file */
    const char *otherwise;
    const char *state;
    int64_t bucketing;
    bool no_rule;
    bool unportable;
};

static bool make_patch(struct flags *f, const struct flag_row *row, const struct set_args *args,
                       json_t **ret, struct err *e)
{
    json_t *patch = *ret = json_object(); /* the caller frees it, whatever happens */
    if (args->rule) {
        json_t *rule = NULL;
        if (!flags_read_rule(f->c, args->rule, &rule, e))
            return false;
        json_object_set_new(patch, "targeting", rule);
        if (!flags_check_one_rule(f, row, rule, args->unportable, e))
            return false;
    }
    if (args->no_rule)
        json_object_set_new(patch, "targeting", json_null());
    if (args->otherwise) {
        const char *variant;
        bool is_code = streq(args->otherwise, "code");
        if (!is_code && !flags_on_variant(f, row, args->otherwise, &variant, e))
            return false;
        json_object_set_new(patch, "default_variant", is_code ? json_null() : json_string(variant));
    }
    if (args->state)
        json_object_set_new(patch, "enabled", json_boolean(streq(args->state, "enabled")));
    if (args->bucketing > 0)
        json_object_set_new(patch, "bucketing", json_integer(args->bucketing));
    return true;
}

static bool usage(const struct set_args *args, struct err *e)
{
    if (args->rule && args->no_rule)
        return err_set(e, ERR_USAGE, "either --rule or --no-rule, not both");
    if (args->unportable && !args->rule)
        return err_set(e, ERR_USAGE, "--unportable is about a rule; there is no --rule");
    if (args->rule || args->no_rule || args->otherwise || args->state || args->bucketing)
        return true;
    err_set(e, ERR_USAGE, "what is to be set?");
    return err_hint(e, "--rule, --no-rule, --default, --state; or lockflight flags on, off, ramp");
}

static bool set(struct command_context *c, void *args_, struct err *e)
{
    const struct set_args *args = args_;
    CLEANUP(flags) struct flags f = { 0 };
    struct flag_row row;
    json_auto_t *patch = NULL;
    const char *unmet = NULL;
    if (!usage(args, e) || !flags_open_flag_to_write(c, &args->flags, args->key, &f, &row, e) ||
        !make_patch(&f, &row, args, &patch, e) || !flags_unmet(&f, &row, &unmet, e))
        return false;
    if (args->unportable)
        flags_note_unportable(&f);
    if (row.is_killed && !unmet)
        unmet = "it is switched off all the same, until `lockflight flags on`";
    const struct flags_change x = {
        .patch = patch, .expect = args->flags.expect, .is_dry = args->flags.is_dry, .note = unmet
    };
    return flags_change(&f, &row, &x, e);
}

// clang-format off
static const struct option set_options[] = {
    { "rule",       0, OPT_TEXT, AT(set_args, rule),       "<json>",           "A JsonLogic rule that answers with a variant, or @file" },
    { "no-rule",    0, OPT_FLAG, AT(set_args, no_rule),    NULL,               "Take the rule away"                                     },
    { "default",    0, OPT_TEXT, AT(set_args, otherwise),  "<variant>",        "What is served without a rule, or where it says null; \"code\": the code's own" },
    { "state",      0, OPT_TEXT, AT(set_args, state),      "enabled|disabled", "Disabled: every caller uses the default in its code"    },
    { "bucketing",  0, OPT_INT,  AT(set_args, bucketing),  "<generation>",     "How users are divided; another one divides them anew"   },
    { "unportable", 0, OPT_FLAG, AT(set_args, unportable), NULL,               "Store a rule that other engines may read otherwise"     },
    FLAGS_WRITE_OPTIONS(set_args, flags),
    { 0 },
};
static const struct argument set_arguments[] = {
    { "flag", ARG_ONE, COMPLETE_FLAG, AT(set_args, key), "Its key" },
    { 0 },
};
// clang-format on

const struct command cmd_flags_set = {
    .name = "set",
    .synopsis = "flags set <flag>",
    .summary = "Set a flag's rule, default or state",
    .description =
        "A rule is JsonLogic in flagd's form. It is held against the portable profile, in which "
        "every engine gives the same answer; --unportable stores another one all the same, and the "
        "history says so. It is shown how many users get another variant; the change is asked for "
        "where users lose one that they have, or where that can not be known.",
    .examples =
        "lockflight flags set financial --env staging --rule "
        "'{\"if\":[{\"$ref\":\"staff\"},\"on\",{\"fractional\":[[\"on\",10],[\"off\",90]]}]}'\n"
        "lockflight flags set financial --env staging --rule @rule.json --default off\n"
        "lockflight flags set financial --env staging --no-rule",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON | COMMAND_ASKS,
    .options = set_options,
    .arguments = set_arguments,
    .args_size = sizeof(struct set_args),
    .run = set,
};
