/*
 * Typed confirmations: see prompt.h.
 */
#include "cli/prompt.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/output.h"

#include <errno.h>
#include <stdlib.h>
#include <termios.h>

#define ANSWER_MAX 1024

static bool not_confirmed(struct err *e)
{
    return err_set(e, ERR_BLOCKED, "not confirmed; nothing was changed");
}

/* One line from stdin, compared in full. */
static bool typed(struct command_context *c, const char *word, const char *question)
{
    print(&c->err, "%s\nType ", question);
    print_styled(&c->err, STYLE_STRONG, "%s", word);
    print(&c->err, " to continue: ");
    (void)fflush(c->err.file);
    CLEANUP(mem) char *line = NULL;
    size_t room = 0;
    ssize_t n = getline(&line, &room, c->in);
    if (n < 0) {
        print(&c->err, "\n");
        return false;
    }
    return str_is(str_trim((struct str){ line, (size_t)n }), word);
}

/* `--confirm` decides when it was given: a wrong text is a refusal, not a question. */
static bool ask(struct command_context *c, const char *word, const char *question, const char *flag,
                struct err *e)
{
    if (c->confirm) {
        if (streq(c->confirm, word))
            return true;
        err_set(e, ERR_USAGE, "--confirm says \"%s\", expected \"%s\"", c->confirm, word);
        return err_hint(e, "lockflight %s … --confirm %s", c->path, word);
    }
    if (c->no_input) {
        err_set(e, ERR_USAGE, "this needs a confirmation and nobody can be asked: %s", question);
        return err_hint(e, "add %s to the command", flag);
    }
    return typed(c, word, question) || not_confirmed(e);
}

bool prompt_continue(struct command_context *c, const char *word, const char *question,
                     struct err *e)
{
    if (c->yes)
        return true;
    return ask(c, word, question, "--yes", e);
}

bool prompt_destructive(struct command_context *c, const char *word, const char *question,
                        struct err *e)
{
    const char *flag = arena_printf(c->arena, "--confirm %s", word);
    return ask(c, word, question, flag, e);
}

bool prompt_text(struct command_context *c, const char *question, const char *otherwise,
                 const char **ret, struct err *e)
{
    print(&c->err, "%s", question);
    if (otherwise[0])
        print(&c->err, " [%s]", otherwise);
    print(&c->err, ": ");
    (void)fflush(c->err.file);
    CLEANUP(mem) char *line = NULL;
    size_t room = 0;
    ssize_t n = getline(&line, &room, c->in);
    if (n < 0) {
        print(&c->err, "\n");
        return not_confirmed(e);
    }
    struct str answer = str_trim((struct str){ line, (size_t)n });
    if (answer.n > ANSWER_MAX)
        return err_set(e, ERR_LIMIT, "an answer of more than %d bytes", ANSWER_MAX);
    *ret = answer.n > 0 ? str_dup(c->arena, answer) : otherwise;
    return true;
}

/* Byte by byte and without a buffer in between, so that the line is nowhere else. */
static bool read_line(int fd, char *into, size_t room, size_t *ret_n, struct err *e)
{
    size_t n = 0;
    for (;;) {
        char byte = 0;
        ssize_t got = read(fd, &byte, 1);
        if (got < 0 && errno == EINTR)
            return err_set(e, ERR_INTERRUPTED, "interrupted");
        if (got < 0)
            return err_system(e, "read the terminal");
        if (got == 0 || byte == '\n')
            break;
        if (n == room)
            return err_set(e, ERR_LIMIT, "the line is longer than %zu bytes", room);
        into[n++] = byte;
    }
    *ret_n = n;
    return true;
}

bool prompt_hidden(struct command_context *c, const char *question, const char *instead, char *into,
                   size_t room, size_t *ret_n, struct err *e)
{
    struct termios before, silent;
    int fd = fileno(c->in);
    if (c->no_input || tcgetattr(fd, &before) != 0) {
        err_set(e, ERR_USAGE, "nobody can be asked: %s", question);
        return err_hint(e, "%s", instead);
    }
    print(&c->err, "%s: ", question);
    (void)fflush(c->err.file);
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)tcsetattr(fd, TCSAFLUSH, &silent);
    bool ok = read_line(fd, into, room, ret_n, e);
    (void)tcsetattr(fd, TCSAFLUSH, &before);
    print(&c->err, "\n");
    return ok;
}
