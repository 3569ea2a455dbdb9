/*
 * The state of a flag as a value: what operators change, show, compare and take back.
 *
 * FORM     A JSON object {"enabled","killed","default_variant","targeting","bucketing"}, the same as
 *          in the audit. A null default is the code's own default; a null rule is no rule.
 *
 * WORDS    "off for everyone" · "on for 25 %" · "on if staff, else off" · "off for everyone, held off;
 *          kept: on for 25 %" · "disabled: callers use the default in their code".
 */
#ifndef LOCKFLIGHT_FLAG_STATE_H
#define LOCKFLIGHT_FLAG_STATE_H

#include "base/arena.h"

#include <jansson.h>

/* All five members, with defaults for those that `from` (a state, an image of the audit, or NULL)
 * lacks or has in another type. The caller owns it. */
json_t *flag_state_of(const json_t *from);

/* What the state is after a patch. The caller owns it. */
json_t *flag_state_patched(const json_t *state, const json_t *patch);

/* The members of `to` that are not so in `from`: a patch. The caller owns it. */
json_t *flag_state_difference(const json_t *from, const json_t *to);

/* A rule that is null or {} is none. NULL: there is none. */
const json_t *flag_state_rule(const json_t *state);

/* What it is for visitors, in a person's words. `off` is the flag's off variant. */
const char *flag_state_words(struct arena *a, const json_t *state, const char *off);

/* A rule alone: "on for 25 %", "on if staff, else off". */
const char *flag_rule_words(struct arena *a, const json_t *rule, const char *otherwise,
                            const char *off);

/* "25 %", "0.125 %": `part` of `whole`, with at most three decimals and never rounded to 0 or 100. */
const char *flag_percent(struct arena *a, double part, double whole);

#endif
