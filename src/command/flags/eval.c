/*
 * `lockflight flags eval`: what flags are for a context, from a document in a file or from an
 * environment. One question on the command line, or a stream of them: one JSON line in, one out.
 *
 * LINE     {"key":"financial","context":{"targetingKey":"u1"}}      one flag; without "key" all of them
 *          "doc" is a document to use from this line on, "kind" and "claims" are as the options, "now"
 *          is the clock for this line in unix seconds.
 * ANSWER   as OFREP has it: {"key","reason","value","variant","metadata"}, or
 *          {"key","errorCode","errorDetails"}; all of them: {"flags":[…],"metadata":{…}}. A line that is
 *          no question is answered {"errorCode","errorDetails"}, and the next one is read.
 *
 * A plain flagd document is evaluated with the context as it is. What an environment has, or an
 * export of it, also says which attributes there are and who may see which flag; that is applied as
 * the server does, for the kind of caller that is asked for.
 */
#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "cli/output.h"
#include "command/flags/flags.h"
#include "command/flags/session.h"
#include "flag/evaluate.h"
#include "flag/json_text.h"
#include "flag/normalise.h"

#define LINE_BYTES (LIMIT_FLAG_DOCUMENT_BYTES + 2 * LIMIT_FLAG_REQUEST_BYTES)

struct eval_args {
    struct flags_args flags;
    const char *key;
    const char *file;
    const char *context;
    const char *kind;
    const char *claims;
    bool explain;
};

struct eval {
    struct command_context *c;
    const struct eval_args *args;
    json_t *source; /* what the document was made of; NULL: there is none yet */
    struct flag_document *document;
    const json_t *attributes; /* of source; NULL: a plain flagd document */
    const json_t *exposures;  /* of source; NULL likewise */
    json_t *claims;
    struct strbuf line;
    struct strbuf answer;
    const char *blame; /* the error code of a question that gets no answer */
    int64_t refused;
};

/* One question. */
struct question {
    const char *key; /* NULL: all */
    const json_t *context;
    const json_t *claims;
    const char *kind; /* NULL: nobody in particular */
    int64_t now_s;
};

static void eval_cleanup(struct eval *v)
{
    flag_document_free(v->document);
    json_decref(v->source);
    json_decref(v->claims);
    strbuf_done(&v->line);
    strbuf_done(&v->answer);
}

/* ---- the document ---- */

/* Takes a flagd document, or what an environment has: {"document","attributes","flags"}. */
static bool use_document(struct eval *v, json_t *source, const char *name, struct err *e)
{
    json_t *inner = json_object_get(source, "document");
    flag_document_free(v->document); /* a bad one must not leave the old one to answer for it */
    json_decref(v->source);
    v->document = NULL;
    v->source = NULL;
    if (!flag_document_compile(inner ? inner : source, name, &v->document, e))
        return false;
    v->source = json_incref(source);
    v->attributes = inner ? json_object_get(source, "attributes") : NULL;
    v->exposures = inner ? json_object_get(source, "flags") : NULL;
    return true;
}

static bool use_text(struct eval *v, struct str text, const char *name, struct err *e)
{
    json_t *source = flag_json_parse(text, name, e);
    bool ok = source && use_document(v, source, name, e);
    json_decref(source);
    return ok;
}

static bool use_file(struct eval *v, struct err *e)
{
    struct str text;
    return fs_read(v->c->arena, v->args->file, 2 * LIMIT_FLAG_DOCUMENT_BYTES, &text, e) &&
           use_text(v, text, v->args->file, e);
}

static bool use_environment(struct eval *v, struct err *e)
{
    CLEANUP(flags) struct flags f = { 0 };
    struct flag_stored s;
    if (!flags_open(v->c, &v->args->flags, &f, e) ||
        !flag_store_snapshot(f.db, v->c->arena, 0, &s, e))
        return err_wrap(e, "evaluate flags");
    return use_text(v, str_of(s.text), arena_printf(v->c->arena, "the flags of %s", f.name), e);
}

/* ---- the caller ---- */

static bool caller_of(const struct question *q, struct flag_caller *ret, struct err *e)
{
    *ret = (struct flag_caller){ .kind = FLAG_CALLER_SERVER };
    if (!q->kind || streq(q->kind, "server"))
        return true;
    if (streq(q->kind, "anonymous")) {
        ret->kind = FLAG_CALLER_ANONYMOUS;
        return true;
    }
    if (!streq(q->kind, "user"))
        return err_set(e, ERR_DATA, "\"kind\" is anonymous, user or server");
    ret->kind = FLAG_CALLER_USER;
    ret->subject = json_text_or(q->claims, "sub", NULL);
    ret->app_metadata = json_object_get(q->claims, "app_metadata");
    if (!ret->subject || !*ret->subject) {
        err_set(e, ERR_DATA, "a user has claims with \"sub\"");
        return err_hint(e, "--claims '{\"sub\":\"…\",\"app_metadata\":{…}}'");
    }
    return true;
}

/* The context as the rules see it. The caller owns *ret. */
static bool context_of(struct eval *v, const struct question *q, const struct flag_caller *caller,
                       json_t **ret, struct err *e)
{
    unsigned dropped;
    v->blame = "INVALID_CONTEXT";
    if (v->attributes || q->kind)
        return flag_normalise(v->attributes, caller, q->context, ret, &dropped, e);
    if (q->context && !json_is_object(q->context) && !json_is_null(q->context))
        return err_set(e, ERR_DATA, "the context is not an object");
    *ret =
        json_is_object(q->context) ? json_incref((json_t *)(uintptr_t)q->context) : json_object();
    return true;
}

static bool may_see(const struct eval *v, const struct flag_caller *caller, const char *key)
{
    return caller->kind == FLAG_CALLER_SERVER || !v->exposures ||
           streq(json_text_or(json_object_get(v->exposures, key), "exposure", NULL), "client");
}

/* ---- answers ---- */

static void add_text(struct strbuf *b, const char *member, const char *text)
{
    (void)strbuf_adds(b, member);
    (void)json_text_add_string(b, str_of(text));
}

static void add_answer(struct eval *v, const char *key, const struct flag_answer *x, bool is_server)
{
    struct strbuf *b = &v->answer;
    add_text(b, "{\"key\":", key);
    if (x->error != FLAG_OK) {
        add_text(b, ",\"errorCode\":", flag_error_name(x->error));
        if (is_server && x->detail)
            add_text(b, ",\"errorDetails\":", x->detail);
    } else {
        add_text(b, ",\"reason\":", flag_reason_name(x->reason));
        if (x->value_json)
            (void)strbuf_printf(b, ",\"value\":%s", x->value_json);
        if (x->variant)
            add_text(b, ",\"variant\":", x->variant);
    }
    if (is_server && x->metadata && !streq(x->metadata, "{}"))
        (void)strbuf_printf(b, ",\"metadata\":%s", x->metadata);
}

/* One step of --explain becomes a text of the list in the answer. */
static void explain_line(void *to, int depth, const char *text)
{
    struct eval *v = to;
    struct strbuf *b = &v->answer;
    CLEANUP(strbuf) struct strbuf line = strbuf_init(LIMIT_FLAG_TEXT_BYTES);
    (void)strbuf_printf(&line, "%*s%s", 2 * depth, "", text);
    add_text(b, b->p[b->n - 1] == '[' ? "" : ",", strbuf_text(&line));
}

static void answer_one(struct eval *v, const struct flag_caller *caller, const char *key,
                       struct flag_context *context)
{
    struct flag_answer x;
    bool is_server = caller->kind == FLAG_CALLER_SERVER;
    const struct flag *f =
        may_see(v, caller, key) ? flag_document_find(v->document, str_of(key)) : NULL;
    flag_evaluate(v->document, f, context, &x);
    add_answer(v, key, &x, is_server);
    if (v->args->explain && f) {
        (void)strbuf_adds(&v->answer, ",\"explain\":[");
        flag_explain(v->document, f, context, explain_line, v, &x);
        (void)strbuf_addc(&v->answer, ']');
    }
    (void)strbuf_addc(&v->answer, '}');
}

static void answer_all(struct eval *v, const struct flag_caller *caller,
                       struct flag_context *context)
{
    bool is_first = true;
    (void)strbuf_adds(&v->answer, "{\"flags\":[");
    for (size_t i = 0; i < flag_document_count(v->document); i++) {
        const char *key = flag_key(flag_document_at(v->document, i));
        if (!may_see(v, caller, key))
            continue;
        if (!is_first)
            (void)strbuf_addc(&v->answer, ',');
        is_first = false;
        answer_one(v, caller, key, context);
    }
    if (caller->kind == FLAG_CALLER_SERVER || !v->exposures)
        (void)strbuf_printf(&v->answer, "],\"metadata\":%s}", flag_document_metadata(v->document));
    else
        (void)strbuf_printf(&v->answer, "],\"metadata\":{\"version\":\"%lld\"}}",
                            (long long)json_int_or(v->source, "v", 0));
}

static bool answer(struct eval *v, const struct question *q, struct err *e)
{
    struct flag_caller caller;
    json_t *values = NULL;
    if (!v->document) {
        v->blame = "GENERAL";
        err_set(e, ERR_USAGE, "there is no document yet");
        return err_hint(e, "--file <document>, --env <environment>, or \"doc\" in the line");
    }
    if (!caller_of(q, &caller, e) || !context_of(v, q, &caller, &values, e))
        return false;
    struct flag_context context = flag_context(values, q->now_s);
    strbuf_clear(&v->answer);
    if (q->key)
        answer_one(v, &caller, q->key, &context);
    else
        answer_all(v, &caller, &context);
    json_decref(values);
    if (v->answer.overflowed)
        return err_set(e, ERR_LIMIT, "the answer is longer than %zu bytes", v->answer.max_bytes);
    return true;
}

/* ---- the stream ---- */

static bool check_members(const json_t *line, struct err *e)
{
    static const char *const known[] = { "doc", "key", "context", "kind", "claims", "now" };
    static const json_type types[] = { JSON_OBJECT, JSON_STRING, JSON_NULL,
                                       JSON_STRING, JSON_OBJECT, JSON_INTEGER };
    json_t *object = (json_t *)(uintptr_t)line; /* the iterator does not change it */
    if (!json_is_object(line))
        return err_set(e, ERR_DATA, "a question is an object");
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        size_t i = 0, n = sizeof known / sizeof known[0];
        while (i < n && !streq(known[i], json_object_iter_key(it)))
            i++;
        if (i == n)
            return err_set(e, ERR_DATA,
                           "a question has no \"%s\"; it has doc, key, context, kind, claims, now",
                           json_object_iter_key(it));
        if (types[i] != JSON_NULL && json_typeof(json_object_iter_value(it)) != types[i])
            return err_set(e, ERR_DATA, "\"%s\" is of the wrong type", known[i]);
    }
    return true;
}

static bool answer_line(struct eval *v, struct err *e)
{
    if (v->line.overflowed)
        return err_set(e, ERR_LIMIT, "the line is longer than %zu bytes", LINE_BYTES);
    json_t *line = json_parse(strbuf_str(&v->line), "the line", e);
    if (!line)
        return false;
    json_t *doc = json_object_get(line, "doc");
    struct question q = {
        .key = json_text_or(line, "key", NULL),
        .context = json_object_get(line, "context"),
        .claims = json_object_get(line, "claims"),
        .kind = json_text_or(line, "kind", v->args->kind),
        .now_s = json_int_or(line, "now", clock_unix_ms() / 1000),
    };
    if (!q.claims)
        q.claims = v->claims;
    bool ok =
        check_members(line, e) && (!doc || use_document(v, doc, "doc", e)) && answer(v, &q, e);
    json_decref(line);
    return ok;
}

/* False at the end of the input. A line that is too long is read to its end and not kept. */
static bool read_line(struct eval *v)
{
    int c = getc(v->c->in);
    strbuf_clear(&v->line);
    if (c == EOF)
        return false;
    for (; c != EOF && c != '\n'; c = getc(v->c->in))
        (void)strbuf_addc(&v->line, (char)c);
    return true;
}

static void answer_error(struct eval *v, const struct err *e)
{
    CLEANUP(strbuf) struct strbuf why = strbuf_init(sizeof e->what + sizeof e->why + 2);
    (void)strbuf_printf(&why, "%s%s%s", e->what, *e->what ? ": " : "", e->why);
    strbuf_clear(&v->answer);
    add_text(&v->answer, "{\"errorCode\":", v->blame);
    add_text(&v->answer, ",\"errorDetails\":", strbuf_text(&why));
    (void)strbuf_addc(&v->answer, '}');
    v->refused++;
}

static bool answer_stream(struct eval *v, struct err *e)
{
    FILE *out = v->c->out.file;
    while (read_line(v)) {
        struct err why = { 0 };
        v->blame = "PARSE_ERROR";
        if (!answer_line(v, &why))
            answer_error(v, &why);
        (void)strbuf_addc(&v->answer, '\n');
        /* whoever asks line by line waits for this one before asking the next */
        if (fwrite(v->answer.p, 1, v->answer.n, out) != v->answer.n || fflush(out) != 0)
            return err_system(e, "write the answers");
    }
    if (ferror(v->c->in))
        return err_system(e, "read the questions");
    if (v->refused)
        print(&v->c->err, "%lld line%s could not be answered.\n", (long long)v->refused,
              v->refused == 1 ? "" : "s");
    return true;
}

/* ---- one question from the command line ---- */

static void print_step(void *to, int depth, const char *text)
{
    const struct eval *v = to;
    print(&v->c->out, "%*s%s\n", 2 * depth, "", text);
}

static void add_row(const struct eval *v, struct table *t, const char *key,
                    const struct flag_answer *x, bool is_server)
{
    bool is_error = x->error != FLAG_OK;
    const char *why = is_error ? flag_error_name(x->error) : flag_reason_name(x->reason);
    table_cell(t, STYLE_STRONG, "%s", key);
    table_cell(t, STYLE_PLAIN, "%s", x->value_json ? x->value_json : "-");
    table_cell(t, STYLE_PLAIN, "%s", x->variant ? x->variant : "-");
    if (is_error && is_server && x->detail)
        why = arena_printf(v->c->arena, "%s: %s", why, x->detail);
    table_cell(t, is_error ? STYLE_BAD : STYLE_PLAIN, "%s", why);
}

static bool print_answers(struct eval *v, const struct question *q, struct err *e)
{
    struct flag_caller caller;
    json_t *values = NULL;
    if (!caller_of(q, &caller, e) || !context_of(v, q, &caller, &values, e))
        return false;
    struct flag_context context = flag_context(values, q->now_s);
    struct table *t = table_new(v->c->arena, 4);
    table_head(t, "flag", "value", "variant", "reason", NULL);
    for (size_t i = 0, n = q->key ? 1 : flag_document_count(v->document); i < n; i++) {
        const char *key = q->key ? q->key : flag_key(flag_document_at(v->document, i));
        const struct flag *f =
            may_see(v, &caller, key) ? flag_document_find(v->document, str_of(key)) : NULL;
        struct flag_answer x;
        if (!q->key && !f)
            continue;
        if (v->args->explain && f) {
            print_styled(&v->c->out, STYLE_STRONG, "%s\n", key);
            flag_explain(v->document, f, &context, print_step, v, &x);
        } else
            flag_evaluate(v->document, f, &context, &x);
        add_row(v, t, key, &x, caller.kind == FLAG_CALLER_SERVER);
    }
    table_print(t, &v->c->out);
    json_decref(values);
    return true;
}

static bool answer_once(struct eval *v, struct err *e)
{
    json_t *given = NULL;
    struct question q = { .key = v->args->key,
                          .claims = v->claims,
                          .kind = v->args->kind,
                          .now_s = clock_unix_ms() / 1000 };
    if (v->args->context && !(given = json_parse(str_of(v->args->context), "--context", e)))
        return false;
    q.context = given;
    bool ok = v->c->wants_json ? answer(v, &q, e) : print_answers(v, &q, e);
    if (ok && v->c->wants_json)
        print(&v->c->out, "%s\n", strbuf_text(&v->answer));
    json_decref(given);
    return ok;
}

static bool open_source(struct eval *v, bool is_stream, struct err *e)
{
    const struct eval_args *args = v->args;
    if (args->file && args->flags.environment)
        return err_set(e, ERR_USAGE, "a document is from --file or from --env, not from both");
    if (args->file)
        return use_file(v, e);
    return (is_stream && !args->flags.environment) || use_environment(v, e);
}

static bool eval(struct command_context *c, void *args_, struct err *e)
{
    const struct eval_args *args = args_;
    bool is_stream = !args->key && !args->context;
    CLEANUP(eval) struct eval v = { .c = c, .args = args };
    v.line = strbuf_init(LINE_BYTES);
    v.answer = strbuf_init(LIMIT_JSON_BYTES);
    if (args->claims && !(v.claims = json_parse(str_of(args->claims), "--claims", e)))
        return false;
    return open_source(&v, is_stream, e) && (is_stream ? answer_stream(&v, e) : answer_once(&v, e));
}

static const struct option eval_options[] = {
    { "key", 'k', OPT_TEXT, AT(eval_args, key), "<flag>", "This flag (default: all)" },
    { "context", 'c', OPT_TEXT, AT(eval_args, context), "<json>", "For this context" },
    { "file", 'f', OPT_TEXT, AT(eval_args, file), "<document>", "A flagd document" },
    FLAGS_LOOK_OPTIONS(eval_args, flags),
    { "kind", 0, OPT_TEXT, AT(eval_args, kind), "anonymous|user|server", "As this caller sees it" },
    { "claims", 0, OPT_TEXT, AT(eval_args, claims), "<json>", "A user's token: sub, app_metadata" },
    { "explain", 0, OPT_FLAG, AT(eval_args, explain), NULL, "Tell each step of the rule" },
    { 0 },
};

const struct command cmd_flags_eval = {
    .name = "eval",
    .synopsis = "flags eval",
    .summary = "Say what flags are for a context, and why",
    .description =
        "Without --key and --context it reads questions from standard input, one JSON object a "
        "line, {\"key\":…,\"context\":{…}}, and answers each with a line. Without a key all flags "
        "are answered; \"doc\" in a line is the document from there on. Nothing is written, and "
        "no usage is counted.",
    .examples = "lockflight flags eval --env production --key financial --context "
                "'{\"targetingKey\":\"u1\"}' --explain\n"
                "lockflight flags eval --file flags.json <questions.jsonl",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON,
    .options = eval_options,
    .args_size = sizeof(struct eval_args),
    .run = eval,
};
