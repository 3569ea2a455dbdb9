/*
 * The one place that prints an error: what failed, why, where, what is live now, what to type next.
 */
#include "base/log.h"
#include "base/str.h"
#include "cli/annotation.h"
#include "cli/output.h"
#include "cli/run.h"

#include <string.h>

struct line {
    const char *label;
    const char *text;
};

static const char *clean(const struct command_context *c, const char *text)
{
    return log_redacted(c->arena, str_of(text));
}

/* Continuation lines stand under the first one. */
static void print_field(const struct terminal *t, const char *label, const char *text)
{
    struct str rest = str_of(text);
    bool is_first = true;
    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        print(t, "  ");
        print_styled(t, STYLE_FAINT, "%-5s", is_first ? label : "");
        print(t, "  %.*s\n", STR_FMT(line));
        is_first = false;
    }
}

static void print_story(const struct command_context *c, const struct err *e)
{
    const struct terminal *t = &c->err;
    const char *headline = e->what[0] ? e->what : e->why;
    print_styled(t, STYLE_BAD, "error %s", err_stable_id(e));
    print(t, "  %s\n", clean(c, headline));
    const struct line lines[] = {
        { "why", e->what[0] ? clean(c, e->why) : "" },
        { "where", clean(c, e->where) },
        { "state", clean(c, e->state) },
        { "next", clean(c, e->hint) },
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        print_field(t, lines[i].label, lines[i].text);
}

static void put_text(json_t *object, const char *key, const char *value)
{
    if (value[0])
        json_object_set_new(object, key, json_string(value));
}

static void print_document(const struct command_context *c, const struct err *e)
{
    json_t *error = json_object();
    put_text(error, "id", err_stable_id(e));
    put_text(error, "code", err_name(e->code));
    put_text(error, "what", clean(c, e->what));
    put_text(error, "why", clean(c, e->why));
    put_text(error, "where", clean(c, e->where));
    put_text(error, "state", clean(c, e->state));
    put_text(error, "next", clean(c, e->hint));
    put_text(error, "sqlstate", e->sqlstate);
    if (e->http_status)
        json_object_set_new(error, "http_status", json_integer(e->http_status));
    json_object_set_new(error, "exit", json_integer(err_exit_status(e)));
    json_t *document = json_object();
    json_object_set_new(document, "v", json_integer(1));
    if (c->command && (c->command->offers & COMMAND_EVENTS))
        json_object_set_new(document, "event", json_string("error"));
    json_object_set_new(document, "error", error);
    print_json(c, document);
}

/* "file:line" or "file:line:column" becomes an annotation of that line. */
static void annotate(const struct command_context *c, const struct err *e)
{
    const char *id = err_stable_id(e), *why = clean(c, e->why);
    const char *what = e->what[0] ? clean(c, e->what) : why;
    bool has_place = strchr(e->where, ':') && !strstr(e->where, "://");
    struct annotation x = { "error", e->where,
                            has_place ? id : arena_printf(c->arena, "%s %s", id, what), why };
    print_annotation(c->arena, &c->err, &x);
}

void command_error(struct command_context *c, const struct err *e)
{
    (void)fflush(c->out.file); /* the answer so far stands before the error */
    print_story(c, e);
    if (c->is_github)
        annotate(c, e);
    if (c->wants_json)
        print_document(c, e);
}
