#include "flag/ofrep_answer.h"

#include "base/hash.h"
#include "base/limits.h"
#include "flag/evaluate.h"

/* ---- Text ------------------------------------------------------------------------------------ */

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

static void add_escape(struct strbuf *to, unsigned char c)
{
    static const char short_forms[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    for (const char *p = short_forms; *p; p += 2) {
        if ((unsigned char)*p == c) {
            strbuf_addc(to, '\\');
            strbuf_addc(to, p[1]);
            return;
        }
    }
    strbuf_printf(to, "\\u%04x", c);
}

void ofrep_add_text(struct strbuf *to, const char *text)
{
    strbuf_addc(to, '"');
    while (*text) {
        size_t n = 0;
        while (is_plain((unsigned char)text[n]))
            n++;
        strbuf_add(to, text, n);
        text += n;
        if (*text)
            add_escape(to, (unsigned char)*text++);
    }
    strbuf_addc(to, '"');
}

#define ADD(to, literal) strbuf_add((to), (literal), sizeof(literal) - 1)

static void add_error(struct strbuf *to, const char *code, const char *details)
{
    ADD(to, "\"errorCode\":\"");
    strbuf_adds(to, code);
    ADD(to, "\"");
    if (!details)
        return;
    ADD(to, ",\"errorDetails\":");
    ofrep_add_text(to, details);
}

/* ---- One flag -------------------------------------------------------------------------------- */

static bool sees_all(const struct ofrep_question *q)
{
    return q->caller.kind == FLAG_CALLER_SERVER;
}

static void add_success(struct strbuf *to, const struct flag_answer *answer, const char *metadata)
{
    ADD(to, ",\"reason\":\"");
    strbuf_adds(to, flag_reason_name(answer->reason));
    ADD(to, "\"");
    if (answer->value_json) {
        ADD(to, ",\"value\":");
        strbuf_adds(to, answer->value_json);
    }
    if (answer->variant) {
        ADD(to, ",\"variant\":");
        ofrep_add_text(to, answer->variant);
    }
    if (metadata && !streq(metadata, "{}")) {
        ADD(to, ",\"metadata\":");
        strbuf_adds(to, metadata);
    }
}

static void add_flag(const struct ofrep_question *q, struct strbuf *to, const char *key,
                     const struct flag_answer *answer)
{
    ADD(to, "{\"key\":");
    ofrep_add_text(to, key);
    if (answer->error != FLAG_OK) {
        ADD(to, ",");
        add_error(to, flag_error_name(answer->error), sees_all(q) ? answer->detail : NULL);
    } else {
        add_success(to, answer, sees_all(q) ? answer->metadata : NULL);
    }
    ADD(to, "}");
}

/* ---- The request ----------------------------------------------------------------------------- */

static void refuse(struct ofrep_answer *ret, const char *key, const struct err *e)
{
    strbuf_clear(&ret->body);
    ret->status = 400;
    ADD(&ret->body, "{");
    if (key) {
        ADD(&ret->body, "\"key\":");
        ofrep_add_text(&ret->body, key);
        ADD(&ret->body, ",");
    }
    add_error(&ret->body, "INVALID_CONTEXT", e->why);
    ADD(&ret->body, "}");
}

/* The context as rules may see it; the caller owns *ret. */
static bool read_context(const struct ofrep_question *q, json_t **ret, struct err *e)
{
    unsigned dropped = 0;
    json_auto_t *body = NULL;
    if (str_trim(q->body).n > 0) {
        body = flag_context_parse(q->body, "request", e);
        if (!body)
            return false;
        if (!json_is_object(body))
            return err_set(e, ERR_DATA, "the body is not an object");
    }
    return flag_normalise(q->snapshot->attributes, &q->caller, json_object_get(body, "context"),
                          ret, &dropped, e);
}

static void check_size(struct ofrep_answer *ret)
{
    if (!ret->body.overflowed)
        return;
    strbuf_clear(&ret->body);
    ret->status = 500;
    ret->etag[0] = '\0';
    ADD(&ret->body, "{\"errorDetails\":\"the answer is larger than 8 MiB\"}");
}

static void begin(struct ofrep_answer *ret)
{
    *ret = (struct ofrep_answer){ .status = 200, .body = strbuf_init(LIMIT_FLAG_ANSWER_BYTES) };
}

/* ---- All flags ------------------------------------------------------------------------------- */

static void add_flags(const struct ofrep_question *q, struct flag_context *context,
                      struct strbuf *to)
{
    const struct flag_document *d = q->snapshot->document;
    size_t n = flag_document_count(d);
    bool is_first = true;
    ADD(to, "[");
    for (size_t i = 0; i < n; i++) {
        const struct flag *f = flag_document_at(d, i);
        struct flag_answer answer;
        if (!sees_all(q) && !q->snapshot->is_public[i])
            continue;
        if (!is_first)
            ADD(to, ",");
        is_first = false;
        flag_evaluate(d, f, context, &answer);
        flag_usage_count(q->snapshot->usage, i, &answer);
        add_flag(q, to, flag_key(f), &answer);
    }
    ADD(to, "]");
}

static void make_etag(struct str flags, char ret[OFREP_ETAG_BYTES])
{
    char hex[SHA256_HEX_BYTES];
    hash_hex(HASH_SHA256, flags, hex);
    (void)snprintf(ret, OFREP_ETAG_BYTES, "\"%.16s\"", hex);
}

static void add_beside(const struct ofrep_question *q, struct strbuf *to)
{
    strbuf_printf(to, ",\"metadata\":{\"version\":\"%lld\"", (long long)q->snapshot->version);
    if (q->is_stale)
        ADD(to, ",\"stale\":true");
    if (q->flag_set_id) {
        ADD(to, ",\"flagSetId\":");
        ofrep_add_text(to, q->flag_set_id);
    }
    ADD(to, "}");
    if (q->stream) {
        ADD(to, ",\"eventStreams\":[{\"type\":\"sse\",\"endpoint\":{\"requestUri\":");
        ofrep_add_text(to, q->stream);
        ADD(to, "}}]");
    }
}

void ofrep_answer_bulk(const struct ofrep_question *q, struct ofrep_answer *ret)
{
    struct err e = { 0 };
    json_auto_t *values = NULL;
    begin(ret);
    if (!read_context(q, &values, &e)) {
        refuse(ret, NULL, &e);
        return;
    }
    struct flag_context context = flag_context(values, q->now_s);
    ADD(&ret->body, "{\"flags\":");
    size_t from = ret->body.n;
    add_flags(q, &context, &ret->body);
    if (!ret->body.overflowed)
        make_etag((struct str){ ret->body.p + from, ret->body.n - from }, ret->etag);
    add_beside(q, &ret->body);
    ADD(&ret->body, "}");
    check_size(ret);
}

/* ---- One ------------------------------------------------------------------------------------- */

/* NULL for a flag that is not there and for one that the caller may not see, alike. */
static const struct flag *find(const struct ofrep_question *q, const char *key, size_t *ret_place)
{
    const struct flag_document *d = q->snapshot->document;
    size_t low = 0, high = flag_document_count(d);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct flag *f = flag_document_at(d, middle);
        int order = strcmp(key, flag_key(f));
        *ret_place = middle;
        if (order == 0)
            return sees_all(q) || q->snapshot->is_public[middle] ? f : NULL;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static int status_of(enum flag_error error)
{
    switch (error) {
    case FLAG_OK:
        return 200;
    case FLAG_NOT_FOUND:
        return 404;
    case FLAG_PARSE_ERROR:
    case FLAG_GENERAL:
        break;
    }
    return 400;
}

void ofrep_answer_single(const struct ofrep_question *q, const char *key, struct ofrep_answer *ret)
{
    struct err e = { 0 };
    json_auto_t *values = NULL;
    struct flag_answer answer;
    begin(ret);
    if (!read_context(q, &values, &e)) {
        refuse(ret, key, &e);
        return;
    }
    struct flag_context context = flag_context(values, q->now_s);
    size_t place = 0;
    const struct flag *f = find(q, key, &place);
    flag_evaluate(q->snapshot->document, f, &context, &answer);
    if (f)
        flag_usage_count(q->snapshot->usage, place, &answer);
    ret->status = status_of(answer.error);
    add_flag(q, &ret->body, key, &answer);
    check_size(ret);
}

/* ---- If-None-Match --------------------------------------------------------------------------- */

bool ofrep_etag_matches(const char *if_none_match, const char *etag)
{
    const char *p = if_none_match ? if_none_match : "";
    size_t n = strlen(etag);
    for (;;) {
        p += strspn(p, " \t,");
        if (!*p)
            return false;
        if (*p == '*')
            return true;
        if (starts_with(p, "W/"))
            p += 2;
        if (*p != '"')
            return false; /* not a list of tags */
        const char *end = strchr(p + 1, '"');
        if (!end)
            return false;
        if ((size_t)(end + 1 - p) == n && memcmp(p, etag, n) == 0)
            return true;
        p = end + 1;
    }
}
