/*
 * From argv to a running command: what the streams are, which command it is, help or run.
 */
#include "cli/run.h"

#include "base/env.h"
#include "base/str.h"
#include "cli/help.h"
#include "cli/parse.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_MAX 100 /* longer lines are hard to read */

static bool is_true(const char *variable)
{
    const char *value = env_value(variable);
    return value && !streq(value, "0") && !streq(value, "false");
}

static bool locale_is_utf8(void)
{
    const char *names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = env_value(names[i]);
        if (value)
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

static int terminal_width(int fd)
{
    struct winsize size = { 0 };
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_col > WIDTH_MAX)
        return WIDTH_MAX;
    return size.ws_col;
}

static struct terminal terminal_of(FILE *file)
{
    int fd = fileno(file);
    bool is_tty = isatty(fd) == 1;
    return (struct terminal){
        .file = file,
        .is_tty = is_tty,
        .has_colour = is_tty && !env_value("NO_COLOR") && !streq(env_value("TERM"), "dumb"),
        .is_utf8 = locale_is_utf8(),
        .width = terminal_width(fd),
    };
}

void command_context_init(struct command_context *c, struct arena *a,
                          const struct command *const *commands)
{
    *c = (struct command_context){
        .arena = a,
        .commands = commands,
        .out = terminal_of(stdout),
        .err = terminal_of(stderr),
        .in = stdin,
        .is_ci = is_true("CI"),
        .is_github = is_true("GITHUB_ACTIONS"),
    };
}

/* What the flags say outranks the environment, which outranks what the streams are. */
static void settle_colour(struct command_context *c)
{
    const char *when = c->no_color ? "never" : c->color;
    if (streq(when, "always"))
        c->out.has_colour = c->err.has_colour = true;
    else if (streq(when, "never"))
        c->out.has_colour = c->err.has_colour = false;
}

static bool settle_input(struct command_context *c, struct err *e)
{
    if (c->is_ci || isatty(fileno(c->in)) != 1)
        c->no_input = true;
    if (c->wants_json && c->command && !(c->command->offers & (COMMAND_JSON | COMMAND_EVENTS))) {
        err_set(e, ERR_USAGE, "`lockflight %s` has no --json", c->path);
        return err_hint(e, "lockflight %s --help", c->path);
    }
    return true;
}

static bool run_version(struct command_context *c, struct err *e)
{
    const struct command *version = command_find(c->commands, "version");
    if (!version)
        return err_set(e, ERR_INTERNAL, "there is no version command");
    return version->run(c, NULL, e);
}

static bool needs_sub_command(const struct command_context *c, struct err *e)
{
    char *list = arena_strdup(c->arena, "");
    for (const struct command *const *sub = c->command->commands; *sub; sub++) {
        if (!((*sub)->offers & COMMAND_HIDDEN))
            list = arena_printf(c->arena, "%s%s%s", list, list[0] ? ", " : "", (*sub)->name);
    }
    err_set(e, ERR_USAGE, "`lockflight %s` needs one of: %s", c->path, list);
    return err_hint(e, "lockflight %s --help", c->path);
}

bool command_main(struct command_context *c, int argc, char **argv, struct err *e)
{
    void *args = NULL;
    bool is_parsed = parse_command_line(c, argc, argv, &args, e);
    settle_colour(c); /* an error in the command line has its colour, too */
    if (!is_parsed || !settle_input(c, e))
        return false;
    if (c->wants_version && !c->command)
        return run_version(c, e);
    if (!c->command) {
        help_overview(c, &c->out);
        return true;
    }
    if (c->wants_help) {
        help_command(c, &c->out, c->command, c->path);
        return true;
    }
    if (c->command->commands)
        return needs_sub_command(c, e);
    if (!parse_is_complete(c, args, e))
        return false;
    return c->command->run(c, args, e);
}

static bool flush(FILE *file, const char *name, struct err *e)
{
    errno = 0;
    if (fflush(file) != 0 || ferror(file)) {
        if (errno == 0)
            errno = EIO;
        return err_system(e, "write to %s", name);
    }
    return true;
}

bool command_finish(struct command_context *c, struct err *e)
{
    return flush(c->out.file, "standard output", e) && flush(c->err.file, "standard error", e);
}
