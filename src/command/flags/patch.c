/*
 * What "off", "on" and "on for 25 %" mean as a change of a state: see change.h.
 */
#include "base/fs.h"
#include "base/json.h"
#include "cli/output.h"
#include "command/flags/change.h"
#include "flag/profile.h"
#include "flag/state.h"

#define TOTAL       100
#define FINE_TOTAL  100000 /* three decimals of a percent */
#define PERCENT_MAX 8      /* letters: "99.999" and a little room */

json_t *flags_patch_off(void)
{
    return json_pack("{s:b}", "killed", 1);
}

json_t *flags_patch_on(const char *variant)
{
    return json_pack("{s:b, s:b, s:s, s:n}", "enabled", 1, "killed", 0, "default_variant", variant,
                     "targeting");
}

/* ---- which variant ---- */

static const char *variant_names(struct arena *a, const json_t *variants, const char *but)
{
    const char *all = "", *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)variants, name, value)
        if (!streq(name, but))
            all = arena_printf(a, "%s%s%s", all, *all ? ", " : "", name);
    return all;
}

bool flags_on_variant(struct flags *f, const struct flag_row *row, const char *named,
                      const char **ret, struct err *e)
{
    json_auto_t *variants = flags_json(row->variants);
    struct arena *a = f->c->arena;
    if (named && json_object_get(variants, named)) {
        *ret = arena_strdup(a, named);
        return true;
    }
    if (named) {
        err_set(e, ERR_USAGE, "%s has no variant \"%s\"", row->key, named);
        return err_hint(e, "it has %s", variant_names(a, variants, NULL));
    }
    if (json_object_size(variants) == 2) {
        *ret = variant_names(a, variants, row->off_variant);
        return true;
    }
    err_set(e, ERR_USAGE, "which variant of %s? It has %s", row->key,
            variant_names(a, variants, NULL));
    struct str others = str_of(variant_names(a, variants, row->off_variant));
    return err_hint(e, "add --variant %s", str_dup(a, str_cut(&others, ',')));
}

/* ---- percentages ---- */

/* "25", "25%", "0.5", in 1/1000 of a percent. */
bool flags_percent(const char *text, int64_t *ret, struct err *e)
{
    uint64_t whole = 0, part = 0;
    struct str rest = str_of(text);
    if (str_ends(rest, "%"))
        rest.n--;
    rest = str_trim(rest);
    struct str decimals = rest, digits = str_cut(&decimals, '.');
    bool ok = rest.n > 0 && rest.n <= PERCENT_MAX && str_to_u64(digits, &whole) && whole <= 100 &&
              decimals.n <= 3 && (!decimals.p || str_to_u64(decimals, &part));
    for (size_t n = decimals.n; ok && n < 3; n++)
        part *= 10;
    *ret = (int64_t)(whole * 1000 + part);
    if (ok && *ret <= FINE_TOTAL)
        return true;
    err_set(e, ERR_USAGE, "\"%.20s\" is no percentage", text);
    return err_hint(e, "a number from 0 to 100 with at most three decimals: 25, 0.5");
}

/* The growing variant first: then nobody who is in is put out. */
static json_t *fractional(const json_t *key, const char *variant, const char *off,
                          int64_t thousandths)
{
    bool is_coarse = thousandths % 1000 == 0;
    int64_t part = is_coarse ? thousandths / 1000 : thousandths;
    int64_t total = is_coarse ? TOTAL : FINE_TOTAL;
    json_t *arguments = json_array();
    if (key)
        (void)json_array_append(arguments, (json_t *)(uintptr_t)key);
    json_array_append_new(arguments, json_pack("[s, I]", variant, (json_int_t)part));
    json_array_append_new(arguments, json_pack("[s, I]", off, (json_int_t)(total - part)));
    return json_pack("{s:o}", "fractional", arguments);
}

/* Replaces the only fractional inside; *found counts them. The caller owns the result. */
// NOLINTNEXTLINE(misc-no-recursion): depth is limited
static json_t *replace(const json_t *rule, const char *variant, const char *off,
                       int64_t thousandths, int *found, int depth)
{
    const json_t *arguments = json_is_object(rule) ? json_object_get(rule, "fractional") : NULL;
    if (arguments) {
        const json_t *first = json_array_get(arguments, 0);
        ++*found;
        return fractional(first && !json_is_array(first) ? first : NULL, variant, off, thousandths);
    }
    const json_t *branches = json_is_object(rule) ? json_object_get(rule, "if") : NULL;
    if (!json_is_array(branches) || depth == 0)
        return json_deep_copy(rule);
    json_t *list = json_array();
    size_t n = json_array_size(branches);
    for (size_t i = 0; i < n; i++) {
        bool is_condition = i % 2 == 0 && i + 1 < n;
        const json_t *one = json_array_get(branches, i);
        json_array_append_new(
            list, is_condition ? json_deep_copy(one)
                               : replace(one, variant, off, thousandths, found, depth - 1));
    }
    return json_pack("{s:o}", "if", list);
}

json_t *flags_patch_percent(const struct flag_row *row, const char *variant, int64_t thousandths)
{
    json_auto_t *state = flags_state(row);
    const json_t *rule = flag_state_rule(state);
    const char *off = row->off_variant;
    int found = 0;
    json_t *now =
        rule ? replace(rule, variant, off, thousandths, &found, LIMIT_FLAG_RULE_DEPTH) : NULL;
    bool is_simple = !rule || json_object_get(rule, "fractional") || found != 1;
    if (is_simple && thousandths == FINE_TOTAL) {
        json_decref(now);
        return flags_patch_on(variant);
    }
    if (is_simple && thousandths == 0) {
        json_decref(now);
        return flags_patch_on(off);
    }
    if (found != 1) {
        json_decref(now);
        now = fractional(NULL, variant, off, thousandths);
    }
    return json_pack("{s:b, s:b, s:s, s:o}", "enabled", 1, "killed", 0, "default_variant", off,
                     "targeting", now);
}

/* ---- rules ---- */

bool flags_read_rule(struct command_context *c, const char *word, json_t **ret, struct err *e)
{
    const char *name = "--rule";
    struct str text = str_of(word);
    if (word[0] == '@') {
        name = word + 1;
        if (!fs_read(c->arena, name, LIMIT_FLAG_TEXT_BYTES, &text, e))
            return err_wrap(e, "--rule %s", word);
    }
    if (text.n > LIMIT_FLAG_TEXT_BYTES)
        return err_set(e, ERR_LIMIT, "%s has %zu bytes; %zu are the most of a rule", name, text.n,
                       LIMIT_FLAG_TEXT_BYTES);
    *ret = json_parse(text, name, e);
    if (*ret)
        return true;
    return err_hint(e, "a JsonLogic object, such as "
                       "{\"if\":[{\"$ref\":\"staff\"},\"on\",\"off\"]}, or @file");
}

void flags_note_unportable(struct flags *f)
{
    const char *reason = f->by.reason;
    f->by.reason = arena_printf(f->c->arena, "%s%s(stored with --unportable)", reason ? reason : "",
                                reason ? " " : "");
}

bool flags_declared(struct flags *f, json_t *attributes, json_t *segments, struct err *e)
{
    struct flag_attribute *attribute;
    struct flag_segment *segment;
    size_t n;
    if (!flag_store_attributes(f->db, f->c->arena, &attribute, &n, e))
        return false;
    for (size_t i = 0; i < n; i++)
        json_object_set_new(attributes, attribute[i].name,
                            json_pack("{s:s, s:b}", "type", attribute[i].type, "trusted",
                                      (int)attribute[i].is_trusted));
    if (!flag_store_segments(f->db, f->c->arena, &segment, &n, e))
        return false;
    for (size_t i = 0; i < n; i++)
        json_object_set_new(segments, segment[i].name, flags_json(segment[i].rule));
    return true;
}

bool flags_check_rule(struct flags *f, const struct flag_row *row, const struct flags_rule *r,
                      struct err *e)
{
    json_auto_t *variants = flags_json(row->variants);
    struct flag_findings findings = { 0 };
    const struct flag_profile profile = { .variants = variants,
                                          .attributes = r->attributes,
                                          .segments = r->segments,
                                          .is_permission = streq(row->kind, "permission"),
                                          .takes_unportable = r->unportable };
    const char *what = arena_printf(f->c->arena, "flag %s", row->key);
    bool ok = flag_check_rule(&profile, f->c->arena, what, r->rule, &findings, e);
    for (size_t i = 0; ok && i < findings.n; i++)
        print_styled(&f->c->err, STYLE_WARN, "note: %s\n",
                     flag_finding_text(f->c->arena, &findings.v[i]));
    return ok;
}

bool flags_check_one_rule(struct flags *f, const struct flag_row *row, const json_t *rule,
                          bool unportable, struct err *e)
{
    json_auto_t *attributes = json_object();
    json_auto_t *segments = json_object();
    const struct flags_rule r = { rule, attributes, segments, unportable };
    return flags_declared(f, attributes, segments, e) && flags_check_rule(f, row, &r, e);
}

bool flags_unmet(struct flags *f, const struct flag_row *row, const char **ret, struct err *e)
{
    json_auto_t *requires = flags_json(row->requires);
    struct flag_rows all;
    size_t i;
    json_t *one;
    *ret = NULL;
    if (json_array_size(requires) == 0)
        return true;
    if (!flag_store_list(f->db, f->c->arena, true, &all, e))
        return false;
    json_array_foreach (requires, i, one) {
        const char *needed = json_text_or(one, "flag", "");
        for (size_t k = 0; k < all.n; k++)
            if (streq(all.v[k].key, needed) && all.v[k].serves_off_to_all && !*ret)
                *ret = arena_printf(f->c->arena,
                                    "%s requires %s, which is off: it stays %s until %s is on",
                                    row->key, needed, row->off_variant, needed);
    }
    return true;
}
