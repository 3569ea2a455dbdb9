/*
 * `lockflight completion <shell>` prints a script for the shell; the script asks the hidden command
 * `lockflight complete -- word…` what may come next. Environments come from lockflight.toml;
 * nothing here uses the network.
 */
#include "base/str.h"
#include "cli/complete.h"
#include "cli/output.h"
#include "command/commands.h"
#include "config/config.h"

struct completion_args {
    const char *shell;
};

static const struct argument completion_arguments[] = {
    { "shell", ARG_ONE, COMPLETE_WORDS, AT(completion_args, shell), "Which shell",
      "bash|zsh|fish" },
    { 0 },
};

static const char bash_script[] =
    "# bash completion for lockflight; load it with: source <(lockflight completion bash)\n"
    "_lockflight() {\n"
    "  local cur=${COMP_WORDS[COMP_CWORD]} word what\n"
    "  COMPREPLY=()\n"
    "  while IFS=$'\\t' read -r word what; do\n"
    "    if [[ $word == :file ]]; then\n"
    "      compopt -o filenames\n"
    "      while IFS= read -r word; do COMPREPLY+=(\"$word\"); done < <(compgen -f -- \"$cur\")\n"
    "    elif [[ $word == \"$cur\"* ]]; then\n"
    "      COMPREPLY+=(\"$word\")\n"
    "    fi\n"
    "  done < <(\"${COMP_WORDS[0]}\" complete -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
    "}\n"
    "complete -F _lockflight lockflight\n";

static const char zsh_script[] =
    "#compdef lockflight\n"
    "# zsh completion for lockflight; load it with: source <(lockflight completion zsh)\n"
    "_lockflight() {\n"
    "  local -a described\n"
    "  local word what\n"
    "  while IFS=$'\\t' read -r word what; do\n"
    "    if [[ $word == :file ]]; then\n"
    "      _files\n"
    "    else\n"
    "      described+=(\"${word//:/\\\\:}:$what\")\n"
    "    fi\n"
    "  done < <(\"${words[1]}\" complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)\n"
    "  _describe lockflight described\n"
    "}\n"
    "if [[ ${funcstack[1]} == _lockflight ]]; then\n"
    "  _lockflight \"$@\"\n"
    "elif (( $+functions[compdef] )); then\n"
    "  compdef _lockflight lockflight\n"
    "fi\n";

static const char fish_script[] =
    "# fish completion for lockflight; load it with: lockflight completion fish | source\n"
    "function __lockflight_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l typing (commandline -ct)\n"
    "    set -e words[1]\n"
    "    for line in (lockflight complete -- $words \"$typing\" 2>/dev/null)\n"
    "        if test \"$line\" = :file\n"
    "            __fish_complete_path \"$typing\"\n"
    "        else\n"
    "            echo $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c lockflight -f -a '(__lockflight_complete)'\n";

struct script {
    const char *shell;
    const char *text;
};

static const struct script scripts[] = {
    { "bash", bash_script },
    { "zsh", zsh_script },
    { "fish", fish_script },
};

static bool completion(struct command_context *c, void *args, struct err *e)
{
    const struct completion_args *given = args;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        if (streq(scripts[i].shell, given->shell)) {
            print(&c->out, "%s", scripts[i].text);
            return true;
        }
    }
    return err_set(e, ERR_INTERNAL, "no script for %s", given->shell);
}

const struct command cmd_completion = {
    .name = "completion",
    .synopsis = "completion <shell>",
    .summary = "Print the completion script for bash, zsh or fish",
    .examples = "source <(lockflight completion bash)\n"
                "lockflight completion fish | source",
    .group = GROUP_ALSO,
    .arguments = completion_arguments,
    .args_size = sizeof(struct completion_args),
    .run = completion,
};

struct complete_args {
    struct text_list words;
};

static const struct argument complete_arguments[] = {
    { "word", ARG_MANY, COMPLETE_NOTHING, AT(complete_args, words), "Words typed so far", NULL },
    { 0 },
};

/* A project that cannot be read has no names to offer; this is not the place to say so. */
static struct complete_input known_names(struct command_context *c, const struct text_list *words)
{
    struct config config = { 0 };
    struct err ignored;
    if (!config_load(c->arena, c->config_path, &config, &ignored))
        config = (struct config){ 0 };
    const char **environments = ARENA_ARRAY(c->arena, const char *, config.envs_n + 1);
    for (size_t i = 0; i < config.envs_n; i++)
        environments[i] = config.envs[i].name;
    const char **flags = ARENA_ARRAY(c->arena, const char *, config.flags.n + 1);
    for (size_t i = 0; i < config.flags.n; i++)
        flags[i] = config.flags.v[i].name;
    return (struct complete_input){ words, environments, flags };
}

static bool complete(struct command_context *c, void *args, struct err *e)
{
    (void)e;
    const struct complete_args *given = args;
    struct complete_input in = known_names(c, &given->words);
    complete_print(c, &in);
    return true;
}

const struct command cmd_complete = {
    .name = "complete",
    .synopsis = "complete -- <word>…",
    .summary = "Print what may come next",
    .group = GROUP_ALSO,
    .offers = COMMAND_HIDDEN,
    .arguments = complete_arguments,
    .args_size = sizeof(struct complete_args),
    .run = complete,
};
