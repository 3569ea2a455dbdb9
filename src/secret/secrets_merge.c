#include "secret/secrets_merge.h"

struct merge {
    const struct secrets_file *base;
    struct secrets_file *ours;
    const struct secrets_file *theirs;
    const char *conflicts; /* names, or NULL */
};

/* ---- three sides of one thing ---- */

enum verdict {
    TAKE_OURS,
    TAKE_THEIRS,
    CONFLICT,
};

static bool same(struct str x, struct str y)
{
    return !x.p || !y.p ? x.p == y.p : str_eq(str_trim(x), str_trim(y));
}

/* p NULL: it is not there. */
static enum verdict judge(struct str base, struct str ours, struct str theirs)
{
    if (same(ours, theirs) || same(base, theirs))
        return TAKE_OURS;
    return same(base, ours) ? TAKE_THEIRS : CONFLICT;
}

static void conflict(struct merge *m, const char *name)
{
    struct arena *a = m->ours->arena;
    m->conflicts = m->conflicts ? arena_printf(a, "%s, %s", m->conflicts, name) : name;
}

/* ---- variables ---- */

static struct secrets_line *find(const struct secrets_file *f, const char *name, bool is_addition)
{
    return is_addition ? secrets_file_find_addition(f, name) : secrets_file_find(f, name);
}

static struct str text_of(const struct secrets_line *line)
{
    return line ? line->text : (struct str){ 0 };
}

static bool take_line(struct merge *m, const struct secrets_line *theirs, const char *name,
                      bool is_addition, struct err *e)
{
    struct secrets_line *line = find(m->ours, name, is_addition);
    if (!theirs) {
        if (line)
            secrets_file_drop(m->ours, line);
        return true;
    }
    if (!secrets_file_line(m->ours, name, theirs->kind, &line, e))
        return false;
    struct str above = line->above;
    *line = *theirs;
    line->above = above;
    return true;
}

static bool merge_line(struct merge *m, const char *name, bool is_addition, struct err *e)
{
    const struct secrets_line *theirs = find(m->theirs, name, is_addition);
    switch (judge(text_of(find(m->base, name, is_addition)),
                  text_of(find(m->ours, name, is_addition)), text_of(theirs))) {
    case TAKE_OURS:
        return true;
    case TAKE_THEIRS:
        return take_line(m, theirs, name, is_addition, e);
    case CONFLICT:
        conflict(m, name);
        return true;
    }
    return true;
}

/* ---- recipients ---- */

/* The key counts, not the wrap: sealing for the same key twice gives two texts. */
static struct str key_of(struct merge *m, const struct secrets_recipient *to)
{
    return to ? str_of(key_public_text(m->ours->arena, &to->key)) : (struct str){ 0 };
}

static bool merge_recipient(struct merge *m, const char *name, struct err *e)
{
    const struct secrets_recipient *ours = secrets_file_recipient(m->ours, name);
    const struct secrets_recipient *theirs = secrets_file_recipient(m->theirs, name);
    enum verdict verdict =
        judge(key_of(m, secrets_file_recipient(m->base, name)), key_of(m, ours), key_of(m, theirs));
    if (verdict == CONFLICT)
        conflict(m, name);
    if (verdict != TAKE_THEIRS)
        return true;
    if (ours)
        secrets_file_revoke(m->ours, ours);
    return !theirs || secrets_file_grant(m->ours, theirs, e);
}

/* ---- the whole ---- */

static bool is_same_key(const struct secrets_file *x, const struct secrets_file *y)
{
    return streq(x->project, y->project) && streq(x->environment, y->environment) &&
           x->generation == y->generation &&
           memcmp(x->key_id.bytes, y->key_id.bytes, sizeof x->key_id.bytes) == 0;
}

static bool merge_all(struct merge *m, struct err *e)
{
    const struct secrets_file *sides[] = { m->base, m->theirs };
    for (size_t s = 0; s < 2; s++) {
        for (size_t i = 0; i < sides[s]->to.n; i++)
            if (!merge_recipient(m, sides[s]->to.v[i].name, e))
                return false;
        for (size_t i = 0; i < sides[s]->lines.n; i++) {
            const struct secrets_line *line = &sides[s]->lines.v[i];
            bool is_known = s > 0 && find(m->base, line->name, line->kind == SECRETS_ADDITION);
            if (!is_known && !merge_line(m, line->name, line->kind == SECRETS_ADDITION, e))
                return false;
        }
    }
    return true;
}

bool secrets_merge(const struct secrets_file *base, struct secrets_file *ours,
                   const struct secrets_file *theirs, struct err *e)
{
    struct merge m = { base, ours, theirs, NULL };
    if (!is_same_key(base, ours) || !is_same_key(base, theirs)) {
        err_set(e, ERR_CONFLICT, "the key of %s was changed on one side: its lines cannot be mixed",
                ours->name);
        return err_hint(e, "take the side with the new key, and set there again what the other "
                           "side had set");
    }
    if (!merge_all(&m, e))
        return false;
    if (!m.conflicts)
        return true;
    err_set(e, ERR_CONFLICT, "both sides changed %s", m.conflicts);
    return err_hint(e, "take one side's line of each");
}
