#include "engine/secret_pins.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "engine/journal_write.h"

#include <stdio.h>

#define NUMBER_BYTES 24

/* ---- reading ---- */

bool secret_pins_read(struct pg *db, struct arena *a, const char *target, struct secret_pins *ret,
                      struct err *e)
{
    struct pg_rows keys, names;
    *ret = (struct secret_pins){ 0 };
    if (!pg_query(db, a, "SELECT key_id, generation FROM lockflight.secret_keys WHERE target = $1",
                  PG_PARAMS(target), &keys, e)) {
        bool is_absent = streq(e->sqlstate, "42P01") || streq(e->sqlstate, "3F000");
        if (is_absent)
            err_clear(e);
        return is_absent || err_wrap(e, "read what is known of the secrets file");
    }
    if (!pg_query(db, a,
                  "SELECT name, revision FROM lockflight.secret_revisions WHERE target = $1"
                  " ORDER BY name",
                  PG_PARAMS(target), &names, e))
        return err_wrap(e, "read what is known of the secrets file");
    if (keys.n > 0) {
        ret->key_id = pg_value(&keys, 0, 0);
        ret->generation = (uint64_t)pg_int(&keys, 0, 1);
    }
    ret->v = ARENA_ARRAY(a, struct secret_pin, names.n + 1);
    ret->n = names.n;
    for (size_t i = 0; i < names.n; i++)
        ret->v[i] = (struct secret_pin){ pg_value(&names, i, 0), (uint64_t)pg_int(&names, i, 1) };
    return true;
}

/* ---- judging ---- */

static bool check_key(const struct secret_pins *pins, const struct vault *v, struct err *e)
{
    const char *id = vault_key_id(v->arena, v);
    if (!pins->key_id || streq(pins->key_id, id))
        return true;
    err_set(e, ERR_BLOCKED, "%s has another key than %s trusts (%.12s…, not %.12s…)", v->place.name,
            v->place.environment, id, pins->key_id);
    err_where(e, "%s:%d", v->place.name, v->file.key_line);
    return err_hint(e, "if it was changed on purpose: lockflight vars trust %s %s",
                    v->place.environment, id);
}

static bool check_pin(const struct secret_pin *pin, const struct vault *v, struct err *e)
{
    const struct secrets_line *line = secrets_file_find(&v->file, pin->name);
    uint64_t have = vault_revision(v, pin->name, 0);
    if (have >= pin->revision)
        return true;
    if (have > 0)
        err_set(e, ERR_BLOCKED, "%s is revision %llu in %s, older than revision %llu that %s had",
                pin->name, (unsigned long long)have, v->place.name,
                (unsigned long long)pin->revision, v->place.environment);
    else
        err_set(e, ERR_BLOCKED, "%s is gone from %s without being removed; %s had revision %llu",
                pin->name, v->place.name, v->place.environment, (unsigned long long)pin->revision);
    if (line)
        err_where(e, "%s:%d", v->place.name, line->line);
    return err_hint(e, "bring the line back, set a new value, or say that it is meant: "
                       "--allow-older");
}

bool secret_pins_check(const struct secret_pins *pins, const struct vault *v, bool allow_older,
                       struct err *e)
{
    if (!check_key(pins, v, e))
        return false;
    for (size_t i = 0; i < pins->n && !allow_older; i++)
        if (!check_pin(&pins->v[i], v, e))
            return false;
    return true;
}

/* ---- writing ---- */

static json_t *revisions(const struct vault *v)
{
    json_t *all = json_object();
    for (size_t i = 0; i < v->file.lines.n; i++) {
        const struct secrets_line *line = &v->file.lines.v[i];
        if (line->kind == SECRETS_SEALED)
            (void)json_object_set_new(all, line->name,
                                      json_integer((json_int_t)line->values[0].revision));
    }
    return all;
}

static bool is_remembered(const struct secret_pins *pins, const struct vault *v, const json_t *all)
{
    if (!streq(pins->key_id, vault_key_id(v->arena, v)) || pins->n != json_object_size(all))
        return false;
    for (size_t i = 0; i < pins->n; i++)
        if (json_int_or(all, pins->v[i].name, 0) != (int64_t)pins->v[i].revision)
            return false;
    return true;
}

bool secret_pins_write(struct lease *l, const struct vault *v, const char *release_id,
                       const char *by, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct secret_pins before;
    char generation[NUMBER_BYTES];
    json_auto_t *all = revisions(v);
    if (!secret_pins_read(lease_db(l), a, lease_target(l), &before, e))
        return false;
    if (is_remembered(&before, v, all))
        return true;
    (void)snprintf(generation, sizeof generation, "%llu", (unsigned long long)v->file.generation);
    const char *const params[] = { lease_target(l), generation, vault_key_id(a, v), by,
                                   json_text(a, all) };
    struct journal_write w = {
        .name = "secrets",
        .sql = "WITH gone AS (DELETE FROM lockflight.secret_revisions"
               " WHERE target = $1 AND NOT ($5::jsonb ? name)),"
               " sent AS (INSERT INTO lockflight.secret_revisions (target, name, revision)"
               " SELECT $1, key, value::bigint FROM jsonb_each_text($5::jsonb)"
               " ON CONFLICT (target, name) DO UPDATE SET revision = excluded.revision,"
               " sent_at = clock_timestamp()"
               " WHERE secret_revisions.revision <> excluded.revision)"
               " INSERT INTO lockflight.secret_keys (target, generation, key_id, trusted_by)"
               " VALUES ($1, $2, $3, $4)"
               " ON CONFLICT (target) DO UPDATE SET generation = excluded.generation,"
               " key_id = excluded.key_id, trusted_by = CASE WHEN secret_keys.key_id ="
               " excluded.key_id THEN secret_keys.trusted_by ELSE excluded.trusted_by END",
        .params = { params, sizeof params / sizeof *params },
        .event = "secrets.sent",
        .release_id = release_id,
        .body = params[4],
    };
    return journal_write(l, &w, e) || err_wrap(e, "remember the revisions of the secrets");
}

bool secret_pins_trust(struct lease *l, const struct vault *v, const char *by, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    char generation[NUMBER_BYTES];
    (void)snprintf(generation, sizeof generation, "%llu", (unsigned long long)v->file.generation);
    const char *const params[] = { lease_target(l), generation, vault_key_id(a, v), by };
    json_auto_t *body = json_pack("{s:s, s:s}", "key_id", params[2], "by", by);
    struct journal_write w = {
        .name = "trust",
        .sql = "INSERT INTO lockflight.secret_keys (target, generation, key_id, trusted_by)"
               " VALUES ($1, $2, $3, $4)"
               " ON CONFLICT (target) DO UPDATE SET generation = excluded.generation,"
               " key_id = excluded.key_id, trusted_by = excluded.trusted_by,"
               " trusted_at = clock_timestamp()",
        .params = { params, sizeof params / sizeof *params },
        .event = "secrets.trusted",
        .body = json_text(a, body),
    };
    return journal_write(l, &w, e) || err_wrap(e, "trust the key");
}
