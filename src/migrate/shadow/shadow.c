/*
 * Scratch databases: see shadow.h for the contract, inside.h for the parts.
 */
#include "migrate/shadow/shadow.h"

#include "base/cleanup.h"
#include "migrate/shadow/inside.h"

struct shadow {
    struct shadow_server server;
    const char *name;
    struct pg *db;
    struct shadow_notes notes;
};

/* How many migrations of the set are before the version. */
static size_t count_before(const struct migration_set *set, const char *version)
{
    size_t n = 0;
    while (set && n < set->n && (!version || strcmp(set->v[n].version, version) < 0))
        n++;
    return n;
}

bool shadow_open(const struct shadow_spec *spec, struct arena *a, struct shadow **ret,
                 struct err *e)
{
    struct shadow *s = ARENA_NEW(a, struct shadow);
    if (!shadow_server_open(spec->server_url, spec->set, a, &s->server, e))
        return false;
    const char *name = shadow_name(a);
    if (!template_clone(&s->server, spec->set, count_before(spec->set, spec->upto), name, &s->notes,
                        e)) {
        shadow_close(s);
        return false;
    }
    s->name = name;
    if (!shadow_connect(&s->server, s->name, &s->db, e)) {
        shadow_close(s);
        return false;
    }
    *ret = s;
    return true;
}

struct pg *shadow_db(const struct shadow *s)
{
    return s->db;
}

const char *shadow_database(const struct shadow *s)
{
    return s->name;
}

const char *shadow_server_url(const struct shadow *s)
{
    return s->server.url;
}

static bool explain(const struct shadow *s, struct err *e)
{
    if (s->server.lacks && e->code == ERR_DB && !e->hint[0])
        err_hint(e, "%s", s->server.lacks);
    return false;
}

bool shadow_run(struct shadow *s, const char *file, struct str sql, struct err *e)
{
    return replay_script(s->db, file, sql, &s->notes, e) || explain(s, e);
}

bool shadow_run_inside(struct shadow *s, const char *file, struct str sql, struct err *e)
{
    return replay_inside(s->db, file, sql, &s->notes, e) || explain(s, e);
}

bool shadow_advance(struct shadow *s, const struct migration *m, struct err *e)
{
    return shadow_run(s, m->file, m->sql, e) || err_wrap(e, "apply %s", m->file);
}

bool shadow_fork(struct shadow *s, struct shadow **ret, struct err *e)
{
    struct arena *a = s->server.a;
    struct shadow *copy = ARENA_NEW(a, struct shadow);
    if (!shadow_server_open(s->server.url, NULL, a, &copy->server, e))
        return false;
    copy->server.has_prelude = s->server.has_prelude; /* it was decided by the migrations */
    copy->server.lacks = s->server.lacks;
    copy->notes = s->notes;
    pg_close(s->db);
    s->db = NULL;
    const char *name = shadow_name(a);
    bool ok = shadow_create(&copy->server, name, s->name, e);
    copy->name = ok ? name : NULL;
    struct err lost = { 0 };
    if (!shadow_connect(&s->server, s->name, &s->db, ok ? e : &lost) || !ok ||
        !shadow_connect(&copy->server, name, &copy->db, e)) {
        shadow_close(copy);
        return false;
    }
    *ret = copy;
    return true;
}

const char *const *shadow_notes(const struct shadow *s, size_t *ret_count)
{
    *ret_count = s->notes.list.n;
    return s->notes.list.v;
}

void shadow_close(struct shadow *s)
{
    if (!s)
        return;
    pg_close(s->db);
    s->db = NULL;
    if (s->name && s->server.admin)
        shadow_drop(&s->server, s->name);
    pg_close(s->server.admin);
    s->server.admin = NULL;
}
