/*
 * `lockflight help`: the overview, one command, what an error id or a rule of the linter means.
 */
#include "cli/help.h"

#include "base/str.h"
#include "base/vec.h"
#include "cli/output.h"
#include "command/commands.h"
#include "command/explain.h"
#include "migrate/lint/rule.h"

struct help_args {
    struct text_list topic;
};

// clang-format off
static const struct argument help_arguments[] = {
    { "topic", ARG_MANY, COMPLETE_COMMAND, AT(help_args, topic), "A command, an error id such as LF-C001, a lint rule such as L01", NULL },
    { 0 },
};
// clang-format on

static bool unknown(const struct command_context *c, const char *word, struct err *e)
{
    const char *nearest = command_nearest(c->commands, word);
    if (nearest)
        err_set(e, ERR_USAGE, "there is no help on \"%s\"; did you mean %s?", word, nearest);
    else
        err_set(e, ERR_USAGE, "there is no help on \"%s\"", word);
    return err_hint(e, nearest ? "lockflight help %s" : "lockflight help", nearest);
}

static void explain_rule(const struct command_context *c, const struct lint_rule *r)
{
    print_styled(&c->out, STYLE_STRONG, "%s  %s\n", r->name, r->title);
    print(&c->out, "\n%s\nInstead: %s\n", r->why, r->rewrite);
    if (r->needs_catalogue)
        print(&c->out, "A database decides; without one the worst is supposed.\n");
    print(&c->out, "To except it: -- allow: %s <reason>, before the statement.\n", r->name);
}

static bool help(struct command_context *c, void *args, struct err *e)
{
    const struct help_args *given = args;
    const struct text_list *topic = &given->topic;
    if (topic->n == 0) {
        help_overview(c, &c->out);
        return true;
    }
    const struct explanation *error = explanation_find(topic->v[0]);
    if (error) {
        print_styled(&c->out, STYLE_STRONG, "%s  %s\n", error->id, error->title);
        print(&c->out, "\n%s\n", error->text);
        return true;
    }
    const struct lint_rule *rule = lint_rule_find(topic->v[0]);
    if (rule) {
        explain_rule(c, rule);
        return true;
    }
    const struct command *cmd = NULL;
    const char *path = "";
    const struct command *const *table = c->commands;
    for (size_t i = 0; i < topic->n; i++) {
        cmd = table ? command_find(table, topic->v[i]) : NULL;
        if (!cmd)
            return unknown(c, topic->v[i], e);
        path = arena_printf(c->arena, "%s%s%s", path, i ? " " : "", cmd->name);
        table = cmd->commands;
    }
    help_command(c, &c->out, cmd, path);
    return true;
}

const struct command cmd_help = {
    .name = "help",
    .synopsis = "help [topic]",
    .summary = "Explain a command or an error",
    .examples = "lockflight help deploy\nlockflight help LF-G001",
    .group = GROUP_ALSO,
    .arguments = help_arguments,
    .args_size = sizeof(struct help_args),
    .run = help,
};
