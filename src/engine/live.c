/*
 * Reading what is live: see live.h.
 */
#include "engine/live.h"

static bool read_manifest(struct live *live, struct err *e)
{
    if (!live->has_release || !live->release.manifest)
        return true;
    live->manifest =
        json_parse(str_of(live->release.manifest), "the manifest of the live release", e);
    return live->manifest != NULL;
}

static bool read_database(struct target *t, struct live *live, struct err *e)
{
    struct arena *a = t->arena;
    return schema_look(t->db, &live->schema, e) && lease_read(t->db, a, t->name, &live->lease, e) &&
           journal_find_live(t->db, a, t->name, &live->release, &live->has_release, e) &&
           journal_find_open(t->db, a, t->name, &live->open, &live->has_open, e) &&
           history_read(t->db, a, &live->history, e) && read_manifest(live, e);
}

bool live_read_database(struct target *t, struct live *ret, struct err *e)
{
    *ret = (struct live){ 0 };
    return read_database(t, ret, e) || err_wrap(e, "read the database of %s", t->name);
}

bool live_read(struct target *t, struct live *ret, struct err *e)
{
    struct arena *a = t->arena;
    if (!live_read_database(t, ret, e))
        return false;
    if (!netlify_site_get(t->netlify, a, &ret->site, e))
        return err_wrap(e, "read the site of %s", t->name);
    if (!supabase_functions(t->supabase, a, &ret->functions, &ret->functions_n, e))
        return err_wrap(e, "list the functions of %s", t->name);
    if (!supabase_secrets(t->supabase, a, &ret->secrets, &ret->secrets_n, e))
        return err_wrap(e, "list the variables of %s", t->name);
    return true;
}

bool live_is_settled(const struct live *live, const char *environment, struct err *e)
{
    const struct release_record *open = &live->open;
    if (!live->has_open)
        return true;
    err_set(e, ERR_INTERRUPTED, "release %s (%s, by %s) is not finished: it stands at \"%s\"",
            open->name, open->kind, open->actor ? open->actor : "somebody",
            release_state_name(open->state));
    err_state(e, "nothing was changed");
    return err_hint(e, "lockflight resume %s, or: lockflight resume %s --unwind", environment,
                    environment);
}

void live_done(struct live *live)
{
    json_decref(live->manifest);
    live->manifest = NULL;
}

const struct supabase_function *live_function(const struct live *live, const char *slug)
{
    for (size_t i = 0; i < live->functions_n; i++) {
        if (streq(live->functions[i].slug, slug))
            return &live->functions[i];
    }
    return NULL;
}

const char *live_secret_digest(const struct live *live, const char *name)
{
    for (size_t i = 0; i < live->secrets_n; i++) {
        if (streq(live->secrets[i].name, name))
            return live->secrets[i].digest;
    }
    return NULL;
}

static const json_t *manifest_function(const struct live *live, const char *slug)
{
    return json_object_get(json_object_get(live->manifest, "functions"), slug);
}

const char *live_function_source(const struct live *live, const char *slug)
{
    return json_text_or(manifest_function(live, slug), "source", NULL);
}

const char *live_function_hash(const struct live *live, const char *slug)
{
    return json_text_or(manifest_function(live, slug), "hash", NULL);
}

const char *live_release_name(const struct live *live)
{
    const char *named = json_text_or(live->manifest, "release", NULL);
    if (named)
        return named;
    return live->has_release ? live->release.name : "";
}

const char *live_title_release(struct arena *a, const char *title)
{
    struct str rest = str_of(title);
    if (!title || !str_is(str_cut(&rest, ' '), "lockflight") || rest.n == 0)
        return "";
    return str_dup(a, str_cut(&rest, ' '));
}

static bool said_release(const struct live *live, const char *name)
{
    const char *digest = live_secret_digest(live, LIVE_RELEASE_SECRET);
    char hex[SHA256_HEX_BYTES];
    if (!digest || !name || !name[0])
        return false;
    hash_hex(HASH_SHA256, str_of(name), hex);
    return streq(hex, digest);
}

const char *live_functions_release(struct target *t, const struct live *live)
{
    if (said_release(live, live_release_name(live)))
        return live_release_name(live);
    if (live->has_open && said_release(live, live->open.name))
        return live->open.name;
    struct release_record *list;
    size_t n;
    struct err ignored = { 0 };
    if (!live_secret_digest(live, LIVE_RELEASE_SECRET) ||
        !journal_list(t->db, t->arena, t->name, 20, &list, &n, &ignored))
        return "";
    for (size_t i = 0; i < n; i++) {
        if (said_release(live, list[i].name))
            return list[i].name;
    }
    return "";
}
