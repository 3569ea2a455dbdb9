/*
 * `lockflight vars textconv` and `vars merge`: what git asks for when it shows and merges secrets
 * files. See docs/variables.md for the lines of .gitattributes.
 */
#include "base/fs.h"
#include "base/limits.h"
#include "cli/output.h"
#include "command/vars/vars.h"
#include "secret/secrets_merge.h"

struct git_args {
    const char *file;
    const char *base, *ours, *theirs;
};

static bool read_file(struct command_context *c, const char *path, struct secrets_file *ret,
                      struct err *e)
{
    struct str text;
    return fs_read(c->arena, path, LIMIT_SECRETS_BYTES, &text, e) &&
           secrets_file_parse(c->arena, text, path, ret, e);
}

/* ---- textconv ---- */

static void show_line(struct command_context *c, const struct secrets_line *line)
{
    switch (line->kind) {
    case SECRETS_PLAIN:
        print(&c->out, "%s \"%s\"\n", line->name, line->plain);
        break;
    case SECRETS_ADDITION:
        print(&c->out, "%s waits to be accepted\n", line->name);
        break;
    case SECRETS_SEALED:
        print(&c->out, "%s %s%llu\n", line->name,
              line->values[0].is_deleted ? "removed in revision " : "revision ",
              (unsigned long long)line->values[0].revision);
        break;
    }
}

static bool textconv(struct command_context *c, void *args_, struct err *e)
{
    const struct git_args *args = args_;
    struct secrets_file f;
    if (!read_file(c, args->file, &f, e))
        return false;
    print(&c->out, "%s of %s, key %llu\n", f.environment, f.project,
          (unsigned long long)f.generation);
    for (size_t i = 0; i < f.to.n; i++)
        print(&c->out, "to %s %s\n", f.to.v[i].name, key_public_text(c->arena, &f.to.v[i].key));
    for (size_t i = 0; i < f.lines.n; i++)
        show_line(c, &f.lines.v[i]);
    return true;
}

/* ---- merge ---- */

static bool merge(struct command_context *c, void *args_, struct err *e)
{
    const struct git_args *args = args_;
    struct secrets_file base, ours, theirs;
    struct str text;
    return read_file(c, args->base, &base, e) && read_file(c, args->ours, &ours, e) &&
           read_file(c, args->theirs, &theirs, e) && secrets_merge(&base, &ours, &theirs, e) &&
           secrets_file_print(&ours, &text, e) && fs_replace(args->ours, text, 0644, e);
}

// clang-format off
static const struct argument textconv_arguments[] = {
    { "file", ARG_ONE, COMPLETE_FILE, AT(git_args, file), "A secrets file" },
    { 0 },
};
static const struct argument merge_arguments[] = {
    { "base",   ARG_ONE, COMPLETE_FILE, AT(git_args, base),   "What both began with (%O)" },
    { "ours",   ARG_ONE, COMPLETE_FILE, AT(git_args, ours),   "Ours, which gets the result (%A)" },
    { "theirs", ARG_ONE, COMPLETE_FILE, AT(git_args, theirs), "Theirs (%B)" },
    { 0 },
};
// clang-format on

const struct command cmd_vars_textconv = {
    .name = "textconv",
    .synopsis = "vars textconv <file>",
    .summary = "Print names and revisions of a secrets file, for git diff",
    .examples = "git config diff.lockflight.textconv \"lockflight vars textconv\"",
    .group = GROUP_PREPARE,
    .arguments = textconv_arguments,
    .args_size = sizeof(struct git_args),
    .run = textconv,
};

const struct command cmd_vars_merge = {
    .name = "merge",
    .synopsis = "vars merge <base> <ours> <theirs>",
    .summary = "Merge two versions of a secrets file, for git merge",
    .description = "Line by line, without a key. What both sides changed in one variable is for a "
                   "person to decide: the command fails, and names it.",
    .examples = "git config merge.lockflight.driver \"lockflight vars merge %O %A %B\"",
    .group = GROUP_PREPARE,
    .arguments = merge_arguments,
    .args_size = sizeof(struct git_args),
    .run = merge,
};
