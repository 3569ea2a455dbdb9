#include "local/identity.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "net/jwt.h"
#include "net/url.h"

#include <stdlib.h>
#include <string.h>

#define KEY_LIFE_MS    ((int64_t)10 * 365 * 24 * 3600 * 1000) /* as long as the hosted keys' */
#define PASSWORD_BYTES 20

bool identity_load(struct arena *a, const char *state_dir, const char *project,
                   struct local_platform *ret, struct err *e)
{
    if (fs_exists(local_platform_file(a, state_dir)))
        return local_platform_read(a, state_dir, ret, e);
    *ret = (struct local_platform){
        .project = arena_strdup(a, project),
        .netlify_token = arena_printf(a, "nfp_%s", random_hex(a, 20)),
        .supabase_token = arena_printf(a, "sbp_%s", random_hex(a, 20)),
    };
    return true;
}

bool identity_password(struct arena *a, const char *state_dir, const char **ret, struct err *e)
{
    const char *path = fs_join(a, state_dir, "password");
    struct str kept;
    if (fs_exists(path)) {
        if (!fs_read(a, path, 256, &kept, e))
            return false;
        *ret = str_dup(a, str_trim(kept));
        return true;
    }
    const char *fresh = random_hex(a, PASSWORD_BYTES);
    if (!fs_replace(path, str_of(fresh), 0600, e))
        return false;
    *ret = fresh;
    return true;
}

static char *project_ref(struct arena *a)
{
    char *ref = arena_alloc(a, 21);
    for (int i = 0; i < 20; i++)
        ref[i] = (char)('a' + random_below(26));
    return ref;
}

static const char *key_of(struct arena *a, const struct local_environment *env, const char *role)
{
    int64_t now_s = clock_unix_ms() / 1000;
    int64_t expires_s = now_s + KEY_LIFE_MS / 1000;
    json_t *claims =
        json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss", "supabase", "ref", env->project_ref, "role",
                  role, "iat", (json_int_t)now_s, "exp", (json_int_t)expires_s);
    const char *token = jwt_sign(a, claims, env->jwt_secret);
    json_decref(claims);
    return token;
}

void identity_environment(struct arena *a, const struct local_platform *p, const char *name,
                          struct local_environment *ret)
{
    const struct local_environment *kept = local_environment_find(p, name);
    if (kept) {
        *ret = *kept;
        return;
    }
    struct local_environment env = {
        .name = arena_strdup(a, name),
        .site_id = random_uuid(a),
        .site_name = arena_printf(a, "%s-%s", p->project, name),
        .project_ref = project_ref(a),
        .jwt_secret = random_hex(a, 24),
    };
    env.anon_key = key_of(a, &env, "anon");
    env.service_role_key = key_of(a, &env, "service_role");
    *ret = env;
}

void identity_created(struct arena *a, const char *title, const char *region, const char *password,
                      struct local_environment *ret)
{
    struct local_environment env = {
        .project_ref = project_ref(a),
        .site_id = "",
        .site_name = "",
        .jwt_secret = random_hex(a, 24),
        .is_created = true,
        .title = arena_strdup(a, title),
        .region = arena_strdup(a, region),
        .created_at = clock_rfc3339(a, clock_unix_ms()),
        .password = arena_strdup(a, password),
    };
    env.name = env.project_ref;
    env.anon_key = key_of(a, &env, "anon");
    env.service_role_key = key_of(a, &env, "service_role");
    *ret = env;
}

void identity_finish(struct arena *a, const struct local_platform *p, const char *password,
                     const char *database, struct local_environment *env)
{
    env->url = arena_printf(a, "http://127.0.0.1:%d", env->port);
    if (env->is_created)
        env->database =
            arena_printf(a, "postgresql://postgres.%s:%s@127.0.0.1:%d/%s", env->project_ref,
                         url_encode(a, env->password), p->pg_port, database);
    else
        env->database = arena_printf(a, "postgresql://postgres:%s@127.0.0.1:%d/%s", password,
                                     p->pg_port, database);
}

int identity_api_port(const struct local_platform *p)
{
    const char *colon = p->api ? strrchr(p->api, ':') : NULL;
    return colon ? (int)strtol(colon + 1, NULL, 10) : 0;
}
