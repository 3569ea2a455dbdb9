#include "migrate/prove/generated.h"

#include <ctype.h>

static bool prove(struct shadow *s, struct arena *a, const struct migration *m, const char *sql,
                  struct proof *ret, struct err *e)
{
    struct migration *pair = ARENA_NEW(a, struct migration); /* the proof points to it */
    *pair = *m;
    pair->has_reverse = true;
    pair->reverse_sql = str_of(sql);
    char sha256[SHA256_HEX_BYTES];
    hash_hex(HASH_SHA256, pair->reverse_sql, sha256);
    pair->reverse_sha256 = arena_strdup(a, sha256);
    return proof_run(s, a, pair, ret, e);
}

/* The script with another line `-- loss:` in its head; NULL if it has none. */
static const char *with_loss(struct arena *a, const char *sql, char loss, const char *text)
{
    const char *at = strstr(sql, "-- loss: ");
    if (!at || (at > sql && at[-1] != '\n'))
        return NULL;
    const char *end = at + strcspn(at, "\n");
    char *sentence = arena_strdup(a, text);
    sentence[0] = (char)toupper((unsigned char)sentence[0]);
    return arena_printf(a, "%.*s-- loss: %c %s.%s", (int)(at - sql), sql, loss, sentence, end);
}

static void refuse(struct arena *a, struct reverse_script *script, const char *reason)
{
    script->draft = script->sql;
    script->sql = NULL;
    script->refusal = arena_printf(a, "what was generated does not prove: %s", reason);
}

bool generated_prove(struct shadow *s, struct arena *a, const struct migration *m,
                     struct reverse_script *ret_script, struct proof *ret_proof, struct err *e)
{
    struct proof p = { 0 };
    if (!reverse_generate_on(s, a, m, ret_script, e))
        return false;
    *ret_proof = p;
    if (!ret_script->sql)
        return true;
    if (!prove(s, a, m, ret_script->sql, &p, e))
        return false;
    if (!p.is_proven && p.change_count == 0 && p.loss > ret_script->loss && p.loss < 'D') {
        const char *sql = with_loss(a, ret_script->sql, p.loss, p.loss_text);
        struct proof again = { 0 };
        if (sql && !prove(s, a, m, sql, &again, e))
            return false;
        if (sql && again.is_proven) {
            ret_script->sql = sql;
            ret_script->loss = again.loss;
            ret_script->loss_text = again.loss_text;
            p = again;
        }
    }
    *ret_proof = p;
    if (!p.is_proven)
        refuse(a, ret_script, p.reason);
    return true;
}
