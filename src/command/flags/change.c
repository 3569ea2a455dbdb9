#include "command/flags/change.h"

#include "base/json.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "flag/state.h"

/* ---- what it is about ---- */

void flags_difference_make(struct flags *f, const struct flag_row *row, const json_t *patch,
                           struct flags_difference *ret)
{
    struct arena *a = f->c->arena;
    *ret = (struct flags_difference){ .row = row, .from = flags_state(row) };
    ret->to = flag_state_patched(ret->from, patch);
    ret->from_text = flag_state_words(a, ret->from, row->off_variant);
    ret->to_text = flag_state_words(a, ret->to, row->off_variant);
    ret->moves = flag_moves(a, ret->from, ret->to, row->off_variant);
    ret->changes = !json_equal(ret->from, ret->to);
    ret->lifts_brake = row->is_killed && json_is_false(json_object_get(ret->to, "killed"));
    const json_t *rule = flag_state_rule(ret->from);
    ret->drops_rule = rule && !flag_state_rule(ret->to) && !json_object_get(rule, "fractional");
}

void flags_difference_done(struct flags_difference *d)
{
    json_decref(d->from);
    json_decref(d->to);
    *d = (struct flags_difference){ 0 };
}

static const char *arrow(const struct terminal *t)
{
    return symbol(t, " → ", " -> ");
}

void flags_difference_print(struct flags *f, const struct flags_difference *d,
                            const struct terminal *to)
{
    print_styled(to, STYLE_STRONG, "%s", d->row->key);
    if (!d->changes) {
        print(to, " in %s: %s already\n", f->name, d->to_text);
        return;
    }
    if (strlen(d->from_text) + strlen(d->to_text) > 70)
        print(to, " in %s\n  before  %s\n  after   %s\n", f->name, d->from_text, d->to_text);
    else
        print(to, " in %s: %s%s%s\n", f->name, d->from_text, arrow(to), d->to_text);
    print_styled(
        to, d->moves.lost > 0 || d->moves.kind == FLAG_MOVES_UNKNOWN ? STYLE_WARN : STYLE_FAINT,
        "  %s\n", flag_moves_words(f->c->arena, &d->moves, arrow(to)));
}

static json_t *moves_json(const struct flag_moves *m)
{
    static const char *const kinds[] = { "exact", "at_most", "unknown" };
    json_t *pairs = json_array();
    for (size_t i = 0; i < m->n; i++)
        json_array_append_new(pairs, json_pack("{s:s?, s:s?, s:I}", "from", m->v[i].from, "to",
                                               m->v[i].to, "buckets", (json_int_t)m->v[i].buckets));
    json_t *moves = json_pack("{s:s, s:o}", "kind", kinds[m->kind], "pairs", pairs);
    if (m->kind == FLAG_MOVES_UNKNOWN) {
        json_object_set_new(moves, "why", json_string(m->why));
        return moves;
    }
    json_object_set_new(moves, "buckets", json_integer((json_int_t)m->moved));
    json_object_set_new(moves, "lost", json_integer((json_int_t)m->lost));
    json_object_set_new(moves, "share", json_real((double)m->moved / (double)FLAG_BUCKETS));
    return moves;
}

json_t *flags_difference_json(const struct flags_difference *d)
{
    return json_pack("{s:s, s:b, s:O, s:O, s:s, s:s, s:o}", "flag", d->row->key, "changed",
                     (int)d->changes, "from", d->from, "to", d->to, "from_text", d->from_text,
                     "to_text", d->to_text, "moves", moves_json(&d->moves));
}

/* ---- asking ---- */

bool flags_difference_asks(const struct flags *f, const struct flags_difference *d)
{
    return d->changes && (f->is_protected || d->moves.lost > 0 || d->drops_rule || d->lifts_brake ||
                          d->moves.kind == FLAG_MOVES_UNKNOWN);
}

static const char *why_asked(struct flags *f, const struct flags_difference *d)
{
    struct arena *a = f->c->arena;
    const struct flag_row *row = d->row;
    if (d->lifts_brake)
        return arena_printf(a, " It is switched off (%s, %s%s%s).", flags_plain(a, row->updated_by),
                            flags_ago(a, row->updated_unix_ms), row->updated_reason ? ": " : "",
                            flags_plain(a, row->updated_reason));
    if (d->moves.kind == FLAG_MOVES_UNKNOWN)
        return " It is not known whom that moves.";
    if (d->moves.lost > 0)
        return " Users lose a variant that they have.";
    return d->drops_rule ? " The rule that is there goes." : "";
}

static bool ask(struct flags *f, struct flags_difference *d, const struct flags_change *x,
                bool *ret_shown, struct err *e)
{
    struct command_context *c = f->c;
    d->lifts_brake = d->lifts_brake && !x->lifts_brake;
    if (!flags_difference_asks(f, d))
        return true;
    flags_difference_print(f, d, &c->err);
    *ret_shown = true;
    return prompt_continue(
        c, f->name,
        arena_printf(c->arena, "Change %s in %s?%s", d->row->key, f->name, why_asked(f, d)), e);
}

static bool check_expected(struct flags *f, const struct flag_row *row, int64_t expect,
                           struct err *e)
{
    if (expect == 0 || expect == row->version)
        return true;
    err_set(e, ERR_CONFLICT, "%s is at version %lld, not %lld: changed by %s", row->key,
            (long long)row->version, (long long)expect, flags_plain(f->c->arena, row->updated_by));
    return flags_tell_conflict(f, row->key, e);
}

/* ---- telling ---- */

static void answer(struct flags *f, const struct flags_difference *d, const struct flags_change *x,
                   int64_t version, bool is_shown)
{
    struct command_context *c = f->c;
    if (c->wants_json) {
        json_t *document = flags_difference_json(d);
        json_object_set_new(document, "environment", json_string(f->name));
        json_object_set_new(document, "dry_run", json_boolean(x->is_dry));
        json_object_set_new(document, "version", json_integer((json_int_t)version));
        json_object_set_new(document, "actor", json_string(f->by.actor));
        if (f->by.reason)
            json_object_set_new(document, "reason", json_string(f->by.reason));
        if (x->note)
            json_object_set_new(document, "note", json_string(x->note));
        print_json(c, document);
        return;
    }
    if (is_shown)
        print(&c->out, "%s in %s is %s.\n", d->row->key, f->name, d->to_text);
    else
        flags_difference_print(f, d, &c->out);
    if (x->note)
        print_styled(&c->out, STYLE_WARN, "  %s\n", x->note);
    if (x->is_dry)
        print(&c->out, "  nothing was changed: --dry-run\n");
    else if (d->changes && d->row->schedules > 0)
        print_styled(&c->out, STYLE_WARN,
                     "  %s; one about the same thing is suspended now: lockflight flags schedule "
                     "list --env %s\n",
                     text_count(c->arena, d->row->schedules, "schedule waits", "schedules wait"),
                     f->name);
}

bool flags_change(struct flags *f, struct flag_row *row, const struct flags_change *x,
                  struct err *e)
{
    CLEANUP(flags_difference) struct flags_difference d = { 0 };
    bool is_shown = false;
    int64_t version = row->version;
    flags_difference_make(f, row, x->patch, &d);
    bool ok = check_expected(f, row, x->expect, e);
    if (ok && d.changes && !x->is_dry)
        ok = (x->is_brake || ask(f, &d, x, &is_shown, e)) && flags_write(f, row, x, &version, e);
    if (!ok)
        return err_wrap(e, "%s in %s", row->key, f->name);
    flags_difference_done(&d); /* the brake may have met another state than it began with */
    flags_difference_make(f, row, x->patch, &d);
    answer(f, &d, x, version, is_shown);
    return true;
}
