/*
 * .env files: lines NAME=value, with optional "export", quotes and comments. See dotenv.h.
 */
#include "config/dotenv.h"

#include "base/env.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/vec.h"

#include <stdlib.h>

struct variable {
    struct str name;
    struct str value;
};

struct dotenv {
    struct arena *arena;
    VEC(struct variable) variables; /* the first of a name counts */
};

static struct str unquoted(struct str value)
{
    value = str_trim(value);
    if (value.n >= 2 && (value.p[0] == '"' || value.p[0] == '\'')) {
        const char *end = memchr(value.p + 1, value.p[0], value.n - 1);
        if (end)
            return (struct str){ value.p + 1, (size_t)(end - value.p) - 1 };
    }
    for (size_t i = 1; i < value.n; i++) { /* " # comment" */
        if (value.p[i] == '#' && (value.p[i - 1] == ' ' || value.p[i - 1] == '\t'))
            return str_trim((struct str){ value.p, i });
    }
    return value;
}

bool dotenv_line(struct str line, struct str *ret_name, struct str *ret_raw)
{
    line = str_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return false;
    if (str_starts(line, "export "))
        line = str_trim((struct str){ line.p + 7, line.n - 7 });
    *ret_name = str_trim(str_cut(&line, '='));
    if (!line.p || ret_name->n == 0)
        return false;
    *ret_raw = str_trim(line);
    return true;
}

static void add_line(struct dotenv *d, struct str line)
{
    struct str name, raw;
    if (dotenv_line(line, &name, &raw))
        *vec_add(&d->variables, d->arena) = (struct variable){ name, unquoted(raw) };
}

static void add_file(struct dotenv *d, const char *dir, const char *name)
{
    struct str text;
    struct err ignored;
    if (!fs_read(d->arena, fs_join(d->arena, dir, name), LIMIT_CONFIG_BYTES, &text, &ignored))
        return;
    while (text.n > 0)
        add_line(d, str_cut(&text, '\n'));
}

struct dotenv *dotenv_load(struct arena *a, const char *supabase_dir, const char *project_dir)
{
    struct dotenv *d = ARENA_NEW(a, struct dotenv);
    d->arena = a;
    const char *given = env_value("SUPABASE_ENV");
    const char *stage = given ? given : "development";
    const char *dirs[] = { supabase_dir, project_dir };
    for (size_t i = 0; i < 2; i++) {
        add_file(d, dirs[i], arena_printf(a, ".env.%s.local", stage));
        if (!streq(stage, "test"))
            add_file(d, dirs[i], ".env.local");
        add_file(d, dirs[i], arena_printf(a, ".env.%s", stage));
        add_file(d, dirs[i], ".env");
    }
    return d;
}

static const char *find(const struct dotenv *d, struct str name)
{
    const char *value = env_value(str_dup(d->arena, name));
    if (value)
        return value;
    for (size_t i = 0; i < d->variables.n; i++) {
        const struct variable *v = &d->variables.v[i];
        if (str_eq(v->name, name) && v->value.n > 0)
            return str_dup(d->arena, v->value);
    }
    return NULL;
}

const char *dotenv_resolve(void *dotenv, const char *text)
{
    struct str whole = str_of(text);
    if (!str_starts(whole, "env(") || !str_ends(whole, ")"))
        return text;
    const char *value = find(dotenv, (struct str){ whole.p + 4, whole.n - 5 });
    return value ? value : text;
}
