/*
 * One change of a flag's state: shown, asked for, written, told.
 *
 *     asked for   where the environment is protected, where users lose a variant that they have,
 *                 where a rule is dropped, where it cannot be said whom the change moves, and where
 *                 something else than `flags on` would end that the flag is switched off
 *     never       for the brake: switching off is what one does at night, in a hurry
 *
 * The write carries the version that was shown. If somebody was faster, the error tells who it was
 * and what they did; the brake looks again and brakes.
 */
#ifndef LOCKFLIGHT_COMMAND_FLAGS_CHANGE_H
#define LOCKFLIGHT_COMMAND_FLAGS_CHANGE_H

#include "command/flags/session.h"
#include "flag/moves.h"

struct flags_change {
    const json_t *patch;
    bool is_brake;
    bool lifts_brake; /* on purpose: that it was switched off is no reason to ask */
    int64_t expect;   /* 0: the version that is shown */
    bool is_dry;
    const char *note; /* printed below the change; NULL: none */
};

bool flags_change(struct flags *f, struct flag_row *row, const struct flags_change *x,
                  struct err *e) MUST_USE;

/* The write alone: *row becomes the state that was replaced. ERR_CONFLICT, ERR_BLOCKED. */
bool flags_write(struct flags *f, struct flag_row *row, const struct flags_change *x,
                 int64_t *ret_version, struct err *e) MUST_USE;

/* Adds to a conflict what the flag is now and who did it; to a wait that was too long, who is in the
 * way. Other errors stay. They return false. */
bool flags_tell_conflict(struct flags *f, const char *key, struct err *e);
bool flags_tell_wait(struct flags *f, struct err *e);

/* A change compared: states owned until flags_difference_done. */
struct flags_difference {
    const struct flag_row *row;
    json_t *from, *to; /* states */
    const char *from_text, *to_text;
    struct flag_moves moves;
    bool changes;
    bool drops_rule;
    bool lifts_brake; /* it was switched off, and is not afterwards */
};
void flags_difference_make(struct flags *f, const struct flag_row *row, const json_t *patch,
                           struct flags_difference *ret);
void flags_difference_done(struct flags_difference *d);

static inline void flags_difference_cleanup(struct flags_difference *d)
{
    flags_difference_done(d);
}

/* "financial in staging: off for everyone → on for 25 %", and whom it moves, on two lines. */
void flags_difference_print(struct flags *f, const struct flags_difference *d,
                            const struct terminal *to);

/* {"flag","changed","from","to","from_text","to_text","moves":{…}} */
json_t *flags_difference_json(const struct flags_difference *d);

bool flags_difference_asks(const struct flags *f, const struct flags_difference *d);

/* Which variant is "on": the one named, or the only one that is not the off variant. */
bool flags_on_variant(struct flags *f, const struct flag_row *row, const char *named,
                      const char **ret, struct err *e) MUST_USE;

/* Patches; the caller owns them. A percentage replaces the weights of the only fractional of the
 * rule that is there, if it is one this tool can read; else the rule. */
json_t *flags_patch_off(void);
json_t *flags_patch_on(const char *variant);
json_t *flags_patch_percent(const struct flag_row *row, const char *variant, int64_t thousandths);

/* "25", "25%", "0.5", in 1/1000 of a percent. ERR_USAGE */
bool flags_percent(const char *text, int64_t *ret, struct err *e) MUST_USE;

/* ERR_DATA unless the rule is of the portable profile for this flag; with `unportable` it must only
 * be one that can be run. Notes are printed on stderr. */
struct flags_rule {
    const json_t *rule;
    const json_t *attributes; /* of the environment: flags_declared */
    const json_t *segments;
    bool unportable;
};
bool flags_check_rule(struct flags *f, const struct flag_row *row, const struct flags_rule *r,
                      struct err *e) MUST_USE;

/* The same for one rule, with the environment's own attributes and segments. */
bool flags_check_one_rule(struct flags *f, const struct flag_row *row, const json_t *rule,
                          bool unportable, struct err *e) MUST_USE;

/* A rule from the command line: JSON, or "@file". The caller owns *ret. */
bool flags_read_rule(struct command_context *c, const char *word, json_t **ret,
                     struct err *e) MUST_USE;

/* Whoever reads the history must know that a rule was stored with --unportable. */
void flags_note_unportable(struct flags *f);

/* What stands in the way of being on: required flags that are off; NULL: nothing. One query, only if
 * the flag requires any. */
bool flags_unmet(struct flags *f, const struct flag_row *row, const char **ret,
                 struct err *e) MUST_USE;

#endif
