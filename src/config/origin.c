/*
 * Origins: see origin.h. A project has a few hundred values and asks about few of them, so a plain
 * list, searched from its end, is enough.
 */
#include "config/origin.h"

#include "base/vec.h"

struct known {
    const void *field;
    struct origin origin;
};

struct origins {
    struct arena *arena;
    VEC(struct known) list;
};

struct origins *origins_new(struct arena *a)
{
    struct origins *o = ARENA_NEW(a, struct origins);
    o->arena = a;
    return o;
}

void origin_set(struct origins *o, const void *field, struct origin origin)
{
    *vec_add(&o->list, o->arena) = (struct known){ field, origin };
}

struct origin origin_get(const struct origins *o, const void *field)
{
    for (size_t i = o->list.n; i > 0; i--) {
        if (o->list.v[i - 1].field == field)
            return o->list.v[i - 1].origin;
    }
    return (struct origin){ .kind = ORIGIN_DEFAULT };
}

void origins_copied(struct origins *o, const void *from, const void *to, size_t bytes)
{
    const char *begin = from;
    size_t n = o->list.n; /* the copies go behind */
    for (size_t i = 0; i < n; i++) {
        const char *field = o->list.v[i].field;
        struct origin origin = o->list.v[i].origin;
        if (field >= begin && field < begin + bytes)
            origin_set(o, (const char *)to + (field - begin), origin);
    }
}

bool err_where_origin(struct err *e, struct origin origin)
{
    if (origin.kind == ORIGIN_FILE)
        return err_where(e, "%s:%d:%d", origin.file, origin.line, origin.column);
    if (origin.kind == ORIGIN_VARIABLE)
        return err_where(e, "environment variable %s", origin.file);
    return false;
}

struct origin config_origin(const struct config *c, const void *field)
{
    return origin_get(c->origins, field);
}

const char *config_where(const struct config *c, const void *field)
{
    struct origin origin = config_origin(c, field);
    switch (origin.kind) {
    case ORIGIN_DEFAULT:
        return "default";
    case ORIGIN_FILE:
        return arena_printf(c->arena, "%s:%d:%d", origin.file, origin.line, origin.column);
    case ORIGIN_VARIABLE:
        return arena_printf(c->arena, "%s (environment)", origin.file);
    case ORIGIN_PLATFORM:
        return "local platform";
    }
    return "";
}
