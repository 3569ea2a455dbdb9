/*
 * Reverse scripts for migrations that have none: generated and proved where a server for scratch
 * databases was named, else a stub that says what to do.
 *
 * A stub has comments only. `migration reverse --write` fills it in, and the gates of a release do
 * not take it for a way back.
 */
#include "base/cleanup.h"
#include "base/fs.h"
#include "command/init/draft.h"
#include "migrate/prove/generated.h"

static const char *stub(struct arena *a, const struct migration *m)
{
    return arena_printf(
        a,
        "-- Takes back supabase/migrations/%s_%s.sql. Nothing is here yet:\n"
        "--\n"
        "--   lockflight migration reverse %s --write    generates it and proves it\n"
        "--   lockflight migration prove %s              proves one that you write\n"
        "--\n"
        "-- What cannot be restored is declared: -- loss: B what goes, and why\n",
        m->version, m->name, m->version, m->version);
}

static const char *file_name(const struct found *f, const struct migration *m)
{
    return arena_printf(f->arena, "supabase/rollbacks/%s_%s.sql", m->version, m->name);
}

static bool add_stub(const struct found *f, struct draft *d, const struct migration *m,
                     struct err *e)
{
    return draft_add(f, d, file_name(f, m), str_of(stub(f->arena, m)), e);
}

/* What `migration reverse` would write; a stub with its reason where it refuses. */
static bool add_generated(const struct found *f, struct draft *d, struct shadow *before,
                          const struct migration *m, struct err *e)
{
    struct reverse_script script;
    struct proof proof;
    if (!generated_prove(before, f->arena, m, &script, &proof, e))
        return err_wrap(e, "reverse %s", m->file);
    if (script.sql)
        return draft_add(f, d, file_name(f, m), str_of(script.sql), e);
    draft_note(d, "%s: no proven reverse script could be generated: %s", m->file, script.refusal);
    return add_stub(f, d, m, e);
}

static bool generate(const struct found *f, const struct answers *answers, struct draft *d,
                     size_t first, size_t last, struct err *e)
{
    CLEANUP(shadow) struct shadow *shadow = NULL;
    const struct migration_set *set = &f->migrations;
    struct shadow_spec spec = { answers->server, set, set->v[first].version };
    if (!shadow_open(&spec, f->arena, &shadow, e))
        return err_wrap(e, "make a scratch database for the reverse scripts");
    for (size_t i = first; i <= last; i++) {
        const struct migration *m = &set->v[i];
        if (!m->has_reverse && !add_generated(f, d, shadow, m, e))
            return false;
        if (i < last && !shadow_advance(shadow, m, e))
            return err_wrap(e, "apply %s to a scratch database", m->file);
    }
    return true;
}

bool draft_reverse(const struct found *f, const struct answers *answers, struct draft *d,
                   struct err *e)
{
    const struct migration_set *set = &f->migrations;
    size_t first = set->n, last = 0, missing = 0;
    for (size_t i = 0; i < set->n; i++) {
        if (set->v[i].has_reverse)
            continue;
        first = missing++ == 0 ? i : first;
        last = i;
    }
    for (size_t i = 0; i < set->skipped_count; i++)
        draft_note(d, "%s", set->skipped[i]);
    if (missing == 0)
        return true;
    if (answers->server)
        return generate(f, answers, d, first, last, e);
    for (size_t i = first; i <= last; i++) {
        if (!set->v[i].has_reverse && !add_stub(f, d, &set->v[i], e))
            return false;
    }
    draft_note(d,
               "%zu migration%s no reverse script: %s stubs for now. `lockflight migration reverse "
               "--write` fills them in.",
               missing, missing == 1 ? " has" : "s have", missing == 1 ? "it gets a" : "they get");
    return true;
}
