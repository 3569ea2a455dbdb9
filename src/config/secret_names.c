/*
 * The names in a secrets file: see secret_names.h. A line is NAME=…; what begins with # is about
 * the file, NAME+= waits to be accepted, and ".deleted." before any blank marks a tombstone.
 */
#include "config/secret_names.h"

#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "config/vendor.h"

static bool is_tombstone(struct str value)
{
    struct str first = str_cut(&value, ' ');
    return str_starts(first, "lf") && memmem(first.p, first.n, ".deleted.", strlen(".deleted."));
}

bool secret_names_load(const struct config *c, struct config_env *env, struct err *e)
{
    struct str text;
    struct arena *a = c->arena;
    VEC(struct config_secret) names = { 0 };
    if (strchr(env->name, '/'))
        return true; /* no name of an environment: config_validate says so */
    env->secrets_file = fs_join(a, c->paths.secrets, arena_printf(a, "%s.lf", env->name));
    if (!fs_read(a, env->secrets_file, LIMIT_SECRETS_BYTES, &text, e)) {
        bool is_absent = e->code == ERR_NOT_FOUND;
        if (is_absent)
            err_clear(e);
        return is_absent;
    }
    for (int line = 1; text.n > 0; line++) {
        struct str value = str_cut(&text, '\n');
        if (value.n == 0 || value.p[0] == '#')
            continue;
        struct str name = str_cut(&value, '=');
        if (!value.p || str_ends(name, "+") || is_tombstone(value))
            continue;
        if (names.n >= LIMIT_SECRETS_LINES)
            return err_set(e, ERR_LIMIT, "%s has more than %d variables",
                           config_shown_path(c, env->secrets_file), LIMIT_SECRETS_LINES);
        *vec_add(&names, a) = (struct config_secret){
            .name = str_dup(a, name),
            .where = arena_printf(a, "%s:%d", config_shown_path(c, env->secrets_file), line),
        };
    }
    env->secrets = names.v;
    env->secrets_n = names.n;
    return true;
}
