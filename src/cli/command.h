/*
 * A command is a value: its name, options, arguments and function stand in one const struct.
 * Parsing, help, "did you mean", shell completion and the manual page are made from these rows.
 *
 * TO ADD A VERB      Write src/command/<verb>.c with `const struct command cmd_<verb>`, declare it
 *                    and put a row into src/command/commands.c. Nothing else.
 *
 *     struct deploy_args {
 *         const char *environment;
 *         const char *ref;
 *         bool is_dry;
 *     };
 *
 *     static const struct option deploy_options[] = {
 *         { "ref",     'r', OPT_TEXT, AT(deploy_args, ref),    "<git-ref>", "Release this" },
 *         { "dry-run",  0,  OPT_FLAG, AT(deploy_args, is_dry), NULL,        "Change nothing" },
 *         { 0 },
 *     };
 *
 *     static const struct argument deploy_arguments[] = {
 *         { "environment", ARG_ONE, COMPLETE_ENVIRONMENT, AT(deploy_args, environment), "Where" },
 *         { 0 },
 *     };
 *
 * The args struct is zeroed before parsing, so an option that was not given is NULL, 0 or false.
 *
 * THE RUN FUNCTION   prints its answer on c->out (with c->wants_json exactly one JSON document, or
 *                    one event per line for commands with COMMAND_EVENTS) and returns true, or
 *                    returns false with *e filled and prints no error itself: main does, once, and
 *                    takes the exit status from the error's code. A success that is not 0 (plan
 *                    --exit-code) sets c->exit_status.
 */
#ifndef LOCKFLIGHT_CLI_COMMAND_H
#define LOCKFLIGHT_CLI_COMMAND_H

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define AT(type, field) offsetof(struct type, field)

enum option_kind {
    OPT_FLAG, /* bool */
    OPT_TEXT, /* const char * */
    OPT_MS,   /* int64_t, from "90s", "15m", "2h", "7d", "250ms" */
    OPT_INT,  /* int64_t, whole and not negative */
    OPT_LIST, /* struct text_list; may be given again and again */
};

struct text_list {
    const char **v;
    size_t n;
    size_t capacity;
};

struct option {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    enum option_kind kind;
    size_t at;               /* AT(args struct, field) */
    const char *placeholder; /* "<git-ref>"; "a|b|c" (no brackets) allows exactly these words */
    const char *summary;     /* NULL: works, but is not shown */
};

enum argument_count {
    ARG_ONE,      /* const char *, required */
    ARG_OPTIONAL, /* const char *, NULL if absent */
    ARG_MANY,     /* struct text_list, none or more; must be the last */
};

/* What a shell offers when the user presses Tab. */
enum completion {
    COMPLETE_NOTHING,
    COMPLETE_ENVIRONMENT, /* names from lockflight.toml, without network */
    COMPLETE_FLAG,        /* keys from lockflight.flags.toml */
    COMPLETE_COMMAND,
    COMPLETE_FILE,
    COMPLETE_WORDS, /* the argument's `words`, which are also the only ones allowed */
};

struct argument {
    const char *name;
    enum argument_count count;
    enum completion completes;
    size_t at;
    const char *summary;
    const char *words; /* "bash|zsh|fish"; NULL: anything */
};

/* Headings of the overview, in its order. */
enum command_group {
    GROUP_FLY,
    GROUP_PREPARE,
    GROUP_CONTROL,
    GROUP_LOOK,
    GROUP_ALSO,
    GROUP_COUNT,
};

/* What a command offers beyond --help, --config, --no-input and colour. */
enum command_offer {
    COMMAND_JSON = 1 << 0,    /* --json: one document on stdout */
    COMMAND_EVENTS = 1 << 1,  /* --json: newline-delimited events on stdout */
    COMMAND_ASKS = 1 << 2,    /* --yes */
    COMMAND_CONFIRM = 1 << 3, /* --confirm <text>, for what loses data */
    COMMAND_HIDDEN = 1 << 4,  /* works, but is not listed */
};

struct command_context;

struct command {
    const char *name;
    const char *synopsis;    /* "deploy <environment>"; options are added to it */
    const char *summary;     /* one line, capital letter, no full stop */
    const char *description; /* a paragraph or two for --help and the manual; may be NULL */
    const char *examples;    /* lines "lockflight …"; may be NULL */
    enum command_group group;
    unsigned offers; /* COMMAND_… */
    const struct option *options;
    const struct argument *arguments;
    const struct command *const *commands; /* sub-commands, NULL-terminated, instead of run */
    size_t args_size;
    bool (*run)(struct command_context *c, void *args, struct err *e);
};

/* How a stream may be written to. */
struct terminal {
    FILE *file;
    bool is_tty;
    bool has_colour; /* style_…() write escape codes */
    bool is_utf8;    /* symbols beyond ASCII are allowed */
    int width;       /* columns; at most 100 */
};

struct command_context {
    struct arena *arena;                   /* lives as long as the command */
    const struct command *const *commands; /* the whole table, for help and completion */
    const struct command *command;         /* the one that runs */
    const char *path;                      /* its name with parents: "local up" */
    struct terminal out;                   /* the answer */
    struct terminal err;                   /* the conversation */
    FILE *in;
    const char *config_path; /* --config; NULL: discover */
    const char *confirm;     /* --confirm */
    bool wants_json;
    bool yes;           /* --yes: answers ordinary questions */
    bool no_input;      /* --no-input, or CI=true, or stdin is no terminal */
    bool is_ci;         /* CI is set: append-only lines, heartbeat */
    bool is_github;     /* GITHUB_ACTIONS=true: groups and annotations */
    bool is_quiet;      /* --quiet: no progress */
    bool wants_help;    /* -h or --help stood somewhere */
    bool wants_version; /* --version */
    bool no_color;      /* --no-color */
    const char *color;  /* --color=always|auto|never */
    int exit_status;    /* when run returns true */
};

/* A command by name in a table; NULL if there is none. */
const struct command *command_find(const struct command *const *table, const char *name);

/* The nearest name in the table, or NULL if nothing is near. */
const char *command_nearest(const struct command *const *table, const char *name);

/* The options every command has, if it offers them: for parsing, help, completion, manual. */
struct global_option {
    unsigned needs;       /* 0: always; else any of these COMMAND_… bits */
    struct option option; /* `at` points into struct command_context */
};
extern const struct global_option global_options[];
bool global_option_offered(const struct global_option *g, const struct command *cmd);

#endif
