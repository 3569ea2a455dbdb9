/*
 * Supabase: the connection and a project's secrets. The account is in supabase_account.c, the
 * project in supabase_project.c, functions are in supabase_function.c.
 *
 * A secret's value cannot be read back; the list has its SHA-256. That digest has no salt, so it is
 * compared here and never written down.
 */
#include "provider/supabase.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/vec.h"
#include "net/url.h"
#include "provider/supabase_inside.h"

#include <string.h>

enum {
    REF_BYTES = 20,
    RESERVED_CALLS = 20,
    CALLS_PER_MINUTE = 50, /* of 60; beyond, the hosted API refuses for a full minute */
};

static bool check_ref(const char *ref, struct err *e)
{
    return (strlen(ref) == REF_BYTES && strspn(ref, "abcdefghijklmnopqrstuvwxyz") == REF_BYTES) ||
           err_set(e, ERR_CONFIG, "\"%s\" is not a Supabase project ref (20 lower-case letters)",
                   ref);
}

bool supabase_open(const struct supabase_spec *spec, struct supabase **ret, struct err *e)
{
    if (!http_check_base(spec->api, e))
        return err_wrap(e, "Supabase API address");
    if (spec->ref && !check_ref(spec->ref, e))
        return false;

    struct arena *a = arena_new(0);
    bool is_local = url_is_loopback(a, spec->api);
    struct supabase *s = ARENA_NEW(a, struct supabase);
    *s = (struct supabase){ .arena = a, .ref = arena_strdup(a, spec->ref ? spec->ref : "") };
    s->http = http_open(&(struct http_spec){
        .name = "Supabase",
        .base_url = spec->api,
        .token = spec->token,
        .reset = HTTP_RESET_SECONDS,
        .calls_per_minute = is_local ? 0 : CALLS_PER_MINUTE,
        .reserved_calls = is_local ? 0 : RESERVED_CALLS,
    });
    *ret = s;
    return true;
}

void supabase_close(struct supabase *s)
{
    if (!s)
        return;
    http_close(s->http);
    arena_free(s->arena);
}

bool supabase_use_project(struct supabase *s, const char *ref, struct err *e)
{
    if (!check_ref(ref, e))
        return false;
    s->ref = arena_strdup(s->arena, ref);
    return true;
}

struct http *supabase_http(struct supabase *s)
{
    return s->http;
}

const char *supabase_path(const struct supabase *s, struct arena *a, const char *rest)
{
    return arena_printf(a, "/v1/projects/%s%s", s->ref, rest);
}

bool supabase_list(struct supabase *s, struct arena *a, const char *what, const char *path,
                   const char *thing, json_t **ret, struct err *e)
{
    struct http_request q = { .what = what, .method = "GET", .path = path };
    json_auto_t *list = NULL;
    if (!http_json(s->http, a, &q, &list, NULL, e))
        return err_wrap(e, "list the %s", thing);
    if (!http_checked(s->http, answer_is_list(list, thing, e), e))
        return err_wrap(e, "list the %s", thing);
    *ret = json_incref(list);
    return true;
}

bool supabase_unreadable(struct supabase *s, bool ok, struct err *e)
{
    return http_checked(s->http, ok, e) || err_recode(e, ERR_UNKNOWN_OUTCOME);
}

/* ---- secrets ---- */

/* Anything but a digest would be compared with one, and differ for ever. */
static bool check_digest(const struct supabase_secret *s, struct err *e)
{
    return (strlen(s->digest) == SHA256_HEX_BYTES - 1 &&
            strspn(s->digest, "0123456789abcdef") == SHA256_HEX_BYTES - 1) ||
           err_set(e, ERR_DATA, "secret %s: \"value\" is no SHA-256 in lower-case hex", s->name);
}

bool supabase_secrets(struct supabase *s, struct arena *a, struct supabase_secret **ret,
                      size_t *ret_count, struct err *e)
{
    json_auto_t *list = NULL;
    if (!supabase_list(s, a, "supabase.secrets", supabase_path(s, a, "/secrets"), "secrets", &list,
                       e))
        return err_wrap(e, "project %s", s->ref);
    VEC(struct supabase_secret) secrets = { 0 };
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        struct fields f = fields_of(a, item, "secret", e);
        struct supabase_secret secret = {
            .name = field_id(&f, "name"),
            .digest = field_id(&f, "value"),
            .updated_at = field_text(&f, "updated_at"),
        };
        bool ok = fields_ok(&f) && check_digest(&secret, e);
        if (!http_checked(s->http, ok, e))
            return err_wrap(e, "list the secrets of project %s", s->ref);
        *vec_add(&secrets, a) = secret;
    }
    *ret = secrets.v;
    *ret_count = secrets.n;
    return true;
}

/* What the vendor would refuse is refused here, before anything is sent. */
static bool check_secret(const struct supabase_secret_value *v, struct err *e)
{
    if (starts_with(v->name, "SUPABASE_"))
        return err_set(e, ERR_CONFIG, "%s: names that begin with SUPABASE_ belong to the platform",
                       v->name);
    if (v->name[0] == '\0' || strlen(v->name) > LIMIT_SECRET_NAME_BYTES)
        return err_set(e, ERR_LIMIT, "a secret's name has 1 to %d bytes", LIMIT_SECRET_NAME_BYTES);
    if (v->value.n > LIMIT_SECRET_VALUE_BYTES)
        return err_set(e, ERR_LIMIT, "the value of %s has %zu bytes, %d are allowed", v->name,
                       v->value.n, LIMIT_SECRET_VALUE_BYTES);
    if (!str_is_utf8(v->value))
        return err_set(e, ERR_CONFIG, "the value of %s is not UTF-8 text", v->name);
    return true;
}

bool supabase_secrets_set(struct supabase *s, struct arena *a,
                          const struct supabase_secret_value *values, size_t n, struct err *e)
{
    if (n == 0)
        return true;
    json_auto_t *body = json_array();
    struct str *sent = ARENA_ARRAY(a, struct str, n);
    for (size_t i = 0; i < n; i++) {
        sent[i] = values[i].value;
        if (!check_secret(&values[i], e))
            return false;
        json_array_append_new(body, json_pack("{s:s, s:s%}", "name", values[i].name, "value",
                                              values[i].value.p, values[i].value.n));
    }
    struct http_request q = {
        .what = "supabase.secrets_set",
        .sent_values = sent,
        .n_sent_values = n,
        .method = "POST",
        .path = supabase_path(s, a, "/secrets"),
        .effect = HTTP_MUTATING,
        .json = body,
    };
    return http_done(s->http, a, &q, e) || err_wrap(e, "set %zu secrets of project %s", n, s->ref);
}

bool supabase_secrets_unset(struct supabase *s, struct arena *a, const char *const *names, size_t n,
                            struct err *e)
{
    if (n == 0)
        return true;
    json_auto_t *body = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(body, json_string(names[i]));
    struct http_request q = {
        .what = "supabase.secrets_unset",
        .method = "DELETE",
        .path = supabase_path(s, a, "/secrets"),
        .effect = HTTP_MUTATING,
        .json = body,
    };
    return http_done(s->http, a, &q, e) ||
           err_wrap(e, "unset %zu secrets of project %s", n, s->ref);
}
