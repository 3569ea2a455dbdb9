/*
 * What a live environment has: see check.h.
 */
#include "base/json.h"
#include "command/flags/check.h"
#include "flag/profile.h"
#include "flag/state.h"

/* ---- policies ---- */

static bool check_live_policies(struct check *k, struct flags *f, struct err *e)
{
    struct arena *a = k->c->arena;
    struct policy_calls calls = { 0 };
    struct flag_policy *policies;
    size_t n;
    if (!flag_store_policies(f->db, a, &policies, &n, e))
        return false;
    for (size_t i = 0; i < n; i++)
        for (size_t x = 0; x < 2; x++) {
            const struct flag_policy *p = &policies[i];
            const struct policy_place place = {
                p->table, p->name, arena_printf(a, "%s, policy %s", f->name, p->name)
            };
            if (p->expressions[x] &&
                !policy_calls_of_expression(a, &place, p->expressions[x], &calls, e))
                return false;
        }
    check_policies(k, &calls);
    return true;
}

/* ---- rules ---- */

/* What a rule is made of, for the database to say whether it understands it. */
// NOLINTNEXTLINE(misc-no-recursion): depth is limited
static bool take_apart(const json_t *rule, json_t *conditions, json_t *shares, int depth)
{
    const json_t *share = json_object_get(rule, "fractional");
    const json_t *branches = json_object_get(rule, "if");
    if (json_is_string(rule) || json_is_null(rule))
        return true;
    if (share || depth == 0)
        return share && json_array_append(shares, (json_t *)(uintptr_t)share) == 0;
    if (!json_is_array(branches))
        return json_array_append(conditions, (json_t *)(uintptr_t)rule) == 0;
    size_t n = json_array_size(branches);
    for (size_t i = 0; i < n; i++) {
        json_t *one = json_array_get(branches, i);
        bool is_condition = i % 2 == 0 && i + 1 < n;
        if (is_condition ? json_array_append(conditions, one) != 0
                         : !take_apart(one, conditions, shares, depth - 1))
            return false;
    }
    return true;
}

static bool is_for_sql(struct flags *f, const json_t *rule, bool *ret, struct err *e)
{
    struct arena *a = f->c->arena;
    json_auto_t *conditions = json_array();
    json_auto_t *shares = json_array();
    *ret = take_apart(rule, conditions, shares, LIMIT_FLAG_RULE_DEPTH);
    return !*ret || flag_store_is_on_reads(f->db, a, conditions, shares, ret, e);
}

static bool check_rule(struct check *k, struct flags *f, const struct flag_row *row,
                       const json_t *attributes, const json_t *segments, struct err *e)
{
    struct arena *a = k->c->arena;
    json_auto_t *state = flags_state(row);
    json_auto_t *variants = flags_json(row->variants);
    const json_t *rule = flag_state_rule(state);
    struct flag_findings all = { 0 };
    const struct flag_profile profile = { .variants = variants,
                                          .attributes = attributes,
                                          .segments = segments,
                                          .is_permission = streq(row->kind, "permission") };
    bool is_understood = true;
    if (!rule)
        return true;
    flag_profile_rule(&profile, a, rule, &all);
    for (size_t i = 0; i < all.n; i++)
        check_add(k,
                  &(struct check_finding){ .is_error = !all.v[i].is_note,
                                           .rule = "not-portable",
                                           .flag = row->key,
                                           .where = f->name,
                                           .text = arena_printf(a, "the rule of %s: %s", row->key,
                                                                flag_finding_text(a, &all.v[i])) });
    if (streq(row->exposure, "db") && !is_for_sql(f, rule, &is_understood, e))
        return false;
    if (!is_understood)
        check_add(k, &(struct check_finding){
                         .is_error = true,
                         .rule = "not-for-sql",
                         .flag = row->key,
                         .where = f->name,
                         .text = arena_printf(a,
                                              "%s is asked for by policies (exposure db), and "
                                              "is_on() does not understand its rule: it is off",
                                              row->key),
                         .hint = "on, off, a share of the users, or a list of user ids",
                     });
    return true;
}

static void check_definition(struct check *k, struct flags *f, const struct flag_row *row)
{
    struct arena *a = k->c->arena;
    if (row->code_removed_unix_ms > 0 && !row->serves_off_to_all)
        check_add(
            k,
            &(struct check_finding){
                .rule = "gone-from-code",
                .flag = row->key,
                .where = f->name,
                .text = arena_printf(a, "%s is on and no code defines it any more", row->key),
                .hint = arena_printf(a, "lockflight flags archive %s --env %s", row->key, f->name),
            });
    if (!streq(row->missing, "[]"))
        check_add(k,
                  &(struct check_finding){
                      .rule = "content-not-live",
                      .flag = row->key,
                      .where = f->name,
                      .text = arena_printf(a, "%s can not be on yet: %s", row->key, row->missing),
                  });
}

bool check_live(struct check *k, struct flags *f, struct err *e)
{
    struct flag_rows rows;
    json_auto_t *attributes = json_object();
    json_auto_t *segments = json_object();
    if (!flag_store_list(f->db, k->c->arena, false, &rows, e) ||
        !flags_declared(f, attributes, segments, e) || !check_live_policies(k, f, e))
        return false;
    for (size_t i = 0; i < rows.n; i++) {
        if (!check_rule(k, f, &rows.v[i], attributes, segments, e))
            return false;
        check_definition(k, f, &rows.v[i]);
    }
    return true;
}
