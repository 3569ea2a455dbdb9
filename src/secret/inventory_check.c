/*
 * Judging uses: see inventory_check.h.
 */
#include "secret/inventory_check.h"

#include "base/nearest.h"
#include "base/vec.h"
#include "config/config.h"
#include "secret/inventory_known.h"
#include "secret/public_name.h"

#include <stdlib.h>

struct check {
    struct arena *a;
    const struct inventory *inv;
    const struct inventory_facts *facts;
    VEC(struct inventory_finding) found;
};

// clang-format off
static const struct {
    const char *text, *target;
    unsigned served_by;
} places[USE_PLACES] = {
    [USE_EDGE_FUNCTION] = { "an Edge Function",   "supabase",          VAR_TO_SUPABASE },
    [USE_FRONTEND]      = { "the frontend",       "netlify:build",     VAR_TO_NETLIFY_BUILD },
    [USE_BUILD]         = { "the build",          "netlify:build",     VAR_TO_NETLIFY_BUILD },
    [USE_SITE_FUNCTION] = { "a function of the site", "netlify:functions", VAR_TO_NETLIFY_FUNCTIONS },
};
// clang-format on

const char *use_place_target(enum use_place place)
{
    return places[place].target;
}

const char *use_place_text(enum use_place place)
{
    return places[place].text;
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; names && *names; names++)
        if (streq(name, *names))
            return true;
    return false;
}

static const struct inventory_variable *find_variable(const struct check *c, const char *name)
{
    for (size_t i = 0; i < c->facts->n_variables; i++)
        if (streq(c->facts->variables[i].name, name))
            return &c->facts->variables[i];
    return NULL;
}

static void add(struct check *c, struct inventory_finding finding)
{
    *vec_add(&c->found, c->a) = finding;
}

/* ---- uses ---- */

/* One finding for a name in a place: at its first use. */
static bool is_told(const struct check *c, size_t i)
{
    size_t n;
    const struct env_use *v = inventory_uses(c->inv, &n);
    for (size_t k = 0; k < i; k++)
        if (v[k].place == v[i].place && streq(v[k].name, v[i].name))
            return true;
    return false;
}

static size_t count(const struct check *c, const struct env_use *use)
{
    size_t n, uses = 0;
    const struct env_use *v = inventory_uses(c->inv, &n);
    for (size_t k = 0; k < n; k++)
        uses += v[k].place == use->place && streq(v[k].name, use->name);
    return uses;
}

/* "X is used in the frontend, here and in 2 more places" */
static const char *used(const struct check *c, const struct env_use *use, const char *rest)
{
    size_t more = count(c, use) - 1;
    const char *others =
        more ? arena_printf(c->a, " (and %zu time%s more)", more, more == 1 ? "" : "s") : "";
    return arena_printf(c->a, "%s is used by %s%s%s", use->name, places[use->place].text, others,
                        rest);
}

static void undeclared(struct check *c, const struct env_use *use)
{
    struct nearest n = nearest_to(use->name);
    for (size_t i = 0; i < c->facts->n_variables; i++)
        nearest_offer(&n, c->facts->variables[i].name);
    const char *hint =
        n.best ? arena_printf(c->a, "did you mean %s? Else declare [var.%s]", n.best, use->name)
               : arena_printf(c->a,
                              "lockflight.toml: [var.%s] to = [\"%s\"] …, or "
                              "[inventory] optional = [\"%s\"] if it may be missing",
                              use->name, places[use->place].target, use->name);
    add(c, (struct inventory_finding){ INVENTORY_ERROR, "undeclared", use->name,
                                       env_use_where(c->a, use), used(c, use, " and not declared"),
                                       hint });
}

static void not_sent(struct check *c, const struct env_use *use, const struct inventory_variable *v)
{
    bool is_front = use->place == USE_FRONTEND;
    const char *rest =
        arena_printf(c->a, ", where [var.%s] (%s) does not send it", use->name, v->where);
    const char *hint =
        is_front && (v->to & VAR_TO_RUNTIME)
            ? arena_printf(c->a, "read it as __LOCKFLIGHT__.values.%s from /_lockflight/env.js",
                           use->name)
        : is_front && v->is_secret
            ? "a secret cannot be read in the frontend: read it in an Edge Function"
            : arena_printf(c->a, "add \"%s\" to its `to`", places[use->place].target);
    add(c, (struct inventory_finding){ INVENTORY_ERROR, "not-sent", use->name,
                                       env_use_where(c->a, use), used(c, use, rest), hint });
}

static bool is_served(const struct env_use *use, const struct inventory_variable *v)
{
    unsigned by = places[use->place].served_by;
    /* rendered on the server, the same source runs in a function of the site */
    if (use->place == USE_FRONTEND && streq(use->object, "process.env"))
        by |= VAR_TO_NETLIFY_FUNCTIONS;
    return (v->to & by) != 0;
}

static const char *secret_hint(struct check *c, const char *name)
{
    const char *prefix = public_prefix(name);
    return arena_printf(c->a,
                        "rename it %s with to = [\"supabase\"] and use it in an Edge Function that "
                        "the site calls; if it is made to be public: [allow.%s] reason = \"…\"",
                        name + strlen(prefix), name);
}

static bool is_public_secret(const struct check *c, const char *name)
{
    return public_prefix(name) && secret_word(name) && !is_one_of(name, c->facts->allowed);
}

static void check_use(struct check *c, const struct env_use *use)
{
    bool is_site = use->place == USE_FRONTEND || use->place == USE_BUILD;
    const struct inventory_variable *v = find_variable(c, use->name);
    if (is_site && is_public_secret(c, use->name)) {
        const char *rest = arena_printf(c->a,
                                        ": names with %s are published with the site, and %s says "
                                        "that it is a secret",
                                        public_prefix(use->name), secret_word(use->name));
        add(c, (struct inventory_finding){ INVENTORY_ERROR, "public-secret", use->name,
                                           env_use_where(c->a, use), used(c, use, rest),
                                           secret_hint(c, use->name) });
        return;
    }
    if (inventory_given(use->place, use->name) || is_one_of(use->name, c->facts->optional) ||
        (is_site && is_one_of(use->name, c->facts->build_names)))
        return;
    if (!v)
        undeclared(c, use);
    else if (!is_served(use, v))
        not_sent(c, use, v);
}

static void unresolved(struct check *c, const struct env_use *use)
{
    static const char *const texts[] = {
        [USE_COMPUTED] = "which variable %s is asked for is known only at run time",
        [USE_ALIAS] = "%s goes on under another name here, so what is asked for cannot be followed",
        [USE_WHOLE] = "all of %s is asked for",
    };
    const char *at = strstr(texts[use->kind], "%s");
    add(c,
        (struct inventory_finding){ INVENTORY_NOTE, "unresolved", NULL, env_use_where(c->a, use),
                                    arena_printf(c->a, "%.*s%s%s", (int)(at - texts[use->kind]),
                                                 texts[use->kind], use->object, at + 2),
                                    "say in a comment what it may be: // lockflight: env A, B" });
}

/* ---- declarations ---- */

static bool has_unresolved(const struct check *c, const struct inventory_variable *v)
{
    size_t n;
    const struct env_use *u = inventory_uses(c->inv, &n);
    for (size_t i = 0; i < n; i++)
        if (u[i].kind != USE_LITERAL && !u[i].is_resolved && (v->to & places[u[i].place].served_by))
            return true;
    return false;
}

static bool is_used(const struct check *c, const char *name)
{
    size_t n;
    const struct env_use *u = inventory_uses(c->inv, &n);
    for (size_t i = 0; i < n; i++)
        if (streq(u[i].name, name))
            return true;
    return inventory_mentions(c->inv, name);
}

static void check_variable(struct check *c, const struct inventory_variable *v)
{
    bool is_published = public_prefix(v->name) && !is_one_of(v->name, c->facts->allowed);
    if (v->no_value)
        add(c, (struct inventory_finding){ INVENTORY_ERROR, "no-value", v->name, v->where,
                                           arena_printf(c->a, "%s has no value in %s: %s", v->name,
                                                        c->facts->environment, v->no_value),
                                           v->no_value_hint });
    if (is_published && (v->is_secret || secret_word(v->name) || v->has_random_value)) {
        const char *why = v->is_secret           ? "it is declared secret"
                          : secret_word(v->name) ? "its name says that it is a secret"
                                                 : "its value looks like a secret";
        add(c, (struct inventory_finding){
                   INVENTORY_ERROR, "public-secret", v->name, v->where,
                   arena_printf(c->a, "%s would be published with the site (%s), and %s", v->name,
                                public_prefix(v->name), why),
                   secret_hint(c, v->name) });
    }
    if (!is_used(c, v->name) && !has_unresolved(c, v))
        add(c, (struct inventory_finding){
                   INVENTORY_WARNING, "unused", v->name, v->where,
                   arena_printf(c->a, "%s is declared, but its name stands nowhere in the sources",
                                v->name),
                   arena_printf(c->a,
                                "remove [var.%s], or say where it is used: // lockflight: env %s",
                                v->name, v->name) });
}

static int by_severity(const void *one, const void *other)
{
    const struct inventory_finding *x = one, *y = other;
    if (x->severity != y->severity)
        return x->severity < y->severity ? -1 : 1;
    int by_where = strverscmp(x->where, y->where); /* line 9 before line 10 */
    return by_where ? by_where : strcmp(x->rule, y->rule);
}

void inventory_check(struct arena *a, const struct inventory *inv,
                     const struct inventory_facts *facts, struct inventory_report *ret)
{
    struct check c = { .a = a, .inv = inv, .facts = facts };
    size_t n;
    const struct env_use *uses = inventory_uses(inv, &n);
    for (size_t i = 0; i < n; i++) {
        if (uses[i].kind != USE_LITERAL && !uses[i].is_resolved)
            unresolved(&c, &uses[i]);
        else if (uses[i].kind == USE_LITERAL && !is_told(&c, i))
            check_use(&c, &uses[i]);
    }
    for (size_t i = 0; i < facts->n_variables; i++)
        check_variable(&c, &facts->variables[i]);
    *ret = (struct inventory_report){ .v = c.found.v, .n = c.found.n };
    if (c.found.n > 0)
        qsort(c.found.v, c.found.n, sizeof c.found.v[0], by_severity);
    for (size_t i = 0; i < c.found.n; i++) {
        ret->errors += c.found.v[i].severity == INVENTORY_ERROR;
        ret->warnings += c.found.v[i].severity == INVENTORY_WARNING;
        ret->notes += c.found.v[i].severity == INVENTORY_NOTE;
    }
}
