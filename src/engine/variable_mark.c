#include "engine/variable_mark.h"

json_t *variable_mark(const struct variable_spec *spec, const char *sha256)
{
    char fingerprint[RECORD_FINGERPRINT_BYTES];
    const struct vault *v = spec->vault;
    if (!v || !spec->is_secret)
        return json_pack("{s:s}", "digest", sha256);
    record_fingerprint(&v->key, spec->name, sha256, fingerprint);
    json_t *mark =
        json_pack("{s:s, s:I}", "fingerprint", fingerprint, "key", (json_int_t)v->file.generation);
    uint64_t revision = vault_find_digest(v, spec->name, sha256);
    if (revision > 0)
        json_object_set_new(mark, "revision", json_integer((json_int_t)revision));
    return mark;
}

enum mark_verdict variable_mark_is(struct target *t, const char *name, const json_t *mark,
                                   const char *sha256)
{
    const struct vault *v = NULL;
    struct err no_key = { 0 };
    char fingerprint[RECORD_FINGERPRINT_BYTES];
    const char *digest = json_text_or(mark, "digest", NULL);
    const char *kept = json_text_or(mark, "fingerprint", NULL);
    if (digest)
        return streq(digest, sha256) ? MARK_SAME : MARK_OTHER;
    if (!kept || !target_vault(t, &v, &no_key) || !v)
        return MARK_UNKNOWN;
    if (json_int_or(mark, "key", 0) == (int64_t)v->file.generation) {
        record_fingerprint(&v->key, name, sha256, fingerprint);
        return streq(kept, fingerprint) ? MARK_SAME : MARK_OTHER;
    }
    int64_t revision = json_int_or(mark, "revision", 0);
    for (size_t i = 0; revision > 0 && i <= SECRETS_OLDER; i++)
        if (vault_revision(v, name, i) == (uint64_t)revision)
            return vault_find_digest(v, name, sha256) == (uint64_t)revision ? MARK_SAME
                                                                            : MARK_OTHER;
    return MARK_UNKNOWN;
}
