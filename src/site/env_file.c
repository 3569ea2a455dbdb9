/*
 * The per-environment files: see env_file.h.
 */
#include "site/env_file.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/strbuf.h"

#define HEADERS_PATH "/_headers"
#define HEADERS_RULE ARTEFACT_ENV_PATH "\n  Cache-Control: no-store\n"

bool env_file_headers(struct arena *a, struct artefact *art, struct err *e)
{
    const struct artefact_file *old = artefact_find(art, HEADERS_PATH);
    CLEANUP(strbuf) struct strbuf text = strbuf_init(2 * LIMIT_CONFIG_BYTES);
    if (old) {
        if (!old->content.p)
            return err_set(e, ERR_INTERNAL, "the content of %s is not at hand", HEADERS_PATH);
        if (memmem(old->content.p, old->content.n, HEADERS_RULE, sizeof HEADERS_RULE - 1))
            return true;
        strbuf_add(&text, old->content.p, old->content.n);
        if (old->content.n > 0 && old->content.p[old->content.n - 1] != '\n')
            strbuf_addc(&text, '\n');
    }
    strbuf_adds(&text, HEADERS_RULE);
    artefact_put(a, art, HEADERS_PATH, strbuf_str(&text));
    return true;
}

void env_file_put(struct arena *a, struct artefact *art, const struct env_file_spec *spec)
{
    json_auto_t *values = json_object();
    for (size_t i = 0; i < spec->n_values; i++)
        json_object_set_new(values, spec->values[i].name, json_string(spec->values[i].value));
    json_auto_t *env = json_pack("{s:s, s:s, s:O}", "environment", spec->environment, "release",
                                 spec->release, "values", values);
    if (json_object_size(spec->flags) > 0)
        json_object_set_new(env, "flags", json_deep_copy(spec->flags));
    const char *script =
        arena_printf(a, "globalThis.__LOCKFLIGHT__ = %s;\n", json_text_in_order(a, env));
    artefact_put(a, art, ARTEFACT_ENV_PATH, str_of(script));

    json_auto_t *known =
        json_pack("{s:i, s:s, s:s, s:s, s:s}", "v", 1, "environment", spec->environment, "release",
                  spec->release, "artefact", art->digest, "source", spec->source_digest);
    artefact_put(a, art, ARTEFACT_WELL_KNOWN_PATH,
                 str_of(arena_printf(a, "%s\n", json_text_in_order(a, known))));
}
