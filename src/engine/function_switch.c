/*
 * Switching and restoring functions: see function_switch.h.
 */
#include "engine/function_switch.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "engine/artifact_store.h"

#define CONFIRM_MS       60000 /* how long the list may lag behind the switch */
#define CONFIRM_PAUSE_MS 300
#define TEXT_BYTES       (4 * KIB)

bool function_save(struct supabase *s, struct lease *lease, struct arena *a,
                   const struct supabase_function *live, json_t **ret_image, struct err *e)
{
    struct function_source source;
    if (!supabase_function_source(s, a, live->slug, &source, e))
        return false;
    source.verify_jwt = live->verify_jwt;
    json_auto_t *body = function_source_to_json(&source);
    char sha256[SHA256_HEX_BYTES];
    if (!artifact_put(lease, "function.body", str_of(json_text(a, body)), sha256, e))
        return false;
    *ret_image =
        json_pack("{s:s, s:I, s:s, s:s}", "body", sha256, "version", (json_int_t)live->version,
                  "hash", live->ezbr_sha256, "source", source.digest);
    return true;
}

static const struct supabase_function *find(const struct supabase_function *list, size_t n,
                                            const char *slug)
{
    for (size_t i = 0; i < n; i++) {
        if (streq(list[i].slug, slug))
            return &list[i];
    }
    return NULL;
}

/* Reads the list until it shows exactly these bundles, or the time is over. */
static bool confirm(const struct function_switch_spec *spec, const struct supabase_function *wanted,
                    struct err *e)
{
    int64_t end_ms = clock_boot_ms() + CONFIRM_MS;
    const char *late = NULL;
    for (;;) {
        struct supabase_function *list;
        size_t n;
        if (!supabase_functions(spec->supabase, spec->arena, &list, &n, e))
            return err_wrap(e, "confirm the switch");
        late = NULL;
        for (size_t i = 0; i < spec->n && !late; i++) {
            const struct supabase_function *f = find(list, n, wanted[i].slug);
            if (!f || !streq(f->ezbr_sha256, wanted[i].ezbr_sha256))
                late = wanted[i].slug;
        }
        if (!late)
            return true;
        if (clock_boot_ms() >= end_ms)
            break;
        if (!http_pause(supabase_http(spec->supabase), CONFIRM_PAUSE_MS, e))
            return err_wrap(e, "confirm the switch");
    }
    return err_set(e, ERR_REMOTE, "%s was switched, but the host does not list its new bundle",
                   late);
}

static json_t *outcome(const struct function_switch_spec *spec,
                       const struct supabase_function *bundles)
{
    json_t *after = json_object();
    for (size_t i = 0; i < spec->n; i++)
        json_object_set_new(after, bundles[i].slug,
                            json_pack("{s:s, s:s, s:I}", "source", spec->sources[i]->digest, "hash",
                                      bundles[i].ezbr_sha256, "version",
                                      (json_int_t)bundles[i].version));
    return after;
}

bool function_switch(const struct function_switch_spec *spec, json_t **ret_after, struct err *e)
{
    struct supabase_function *bundles =
        ARENA_ARRAY(spec->arena, struct supabase_function, spec->n + 1);
    for (size_t i = 0; i < spec->n; i++) {
        report_note(spec->sink, spec->phase, "bundling %s", spec->sources[i]->slug);
        if (!supabase_function_deploy(spec->supabase, spec->arena, spec->sources[i], true,
                                      &bundles[i], e))
            return err_wrap(e, "bundle %s", spec->sources[i]->slug);
    }
    if (spec->n > 0 &&
        !supabase_functions_activate(spec->supabase, spec->arena, bundles, spec->n, e))
        return err_wrap(e, "switch %zu functions", spec->n);
    if (!confirm(spec, bundles, e))
        return false;
    if (ret_after)
        *ret_after = outcome(spec, bundles);
    return true;
}

static bool load_body(const struct function_restore_spec *spec, const char *slug,
                      const json_t *image, struct function_source *ret, struct err *e)
{
    struct str text;
    if (!artifact_get(spec->db, spec->arena, json_text_or(image, "body", ""), &text, e))
        return err_wrap(e, "find the saved body of %s", slug);
    json_auto_t *body = json_parse(text, "a saved function", e);
    return body && function_source_from_json(spec->arena, body, ret, e);
}

bool function_restore(const struct function_restore_spec *spec, json_t **ret_after,
                      const char **ret_text, struct err *e)
{
    CLEANUP(strbuf) struct strbuf text = strbuf_init(TEXT_BYTES);
    VEC(const struct function_source *) sources = { 0 };
    VEC(const char *) created = { 0 };
    const char *slug;
    json_t *image;
    json_object_foreach (spec->images, slug, image) {
        const char *comma = text.n > 0 ? ", " : "";
        if (json_is_null(image)) {
            *vec_add(&created, spec->arena) = slug;
            (void)strbuf_printf(&text, "%s%s %s", comma, slug,
                                spec->delete_new ? "deleted" : "stays");
            continue;
        }
        struct function_source *source = ARENA_NEW(spec->arena, struct function_source);
        if (!load_body(spec, slug, image, source, e))
            return false;
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
        *vec_add(&sources, spec->arena) = source;
        (void)strbuf_printf(&text, "%s%s restored to v%lld", comma, slug,
                            (long long)json_int_or(image, "version", 0));
    }
    struct function_switch_spec back = { spec->supabase, spec->arena, spec->sink,
                                         spec->phase,    sources.v,   sources.n };
    if (!function_switch(&back, ret_after, e))
        return false;
    for (size_t i = 0; spec->delete_new && i < created.n; i++) {
        if (!supabase_function_delete(spec->supabase, spec->arena, created.v[i], e))
            return err_wrap(e, "delete %s", created.v[i]);
    }
    *ret_text = text.n > 0 ? arena_strdup(spec->arena, strbuf_text(&text)) : "nothing to restore";
    return true;
}
