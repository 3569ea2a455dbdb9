/*
 * Looking in the tables of commands, and the options that every command has.
 */
#include "cli/command.h"

#include "base/nearest.h"
#include "base/str.h"

// clang-format off
const struct global_option global_options[] = {
    { COMMAND_JSON | COMMAND_EVENTS,
      { "json",     0,  OPT_FLAG, AT(command_context, wants_json),    NULL,      "Answer as JSON on stdout" } },
    { COMMAND_ASKS | COMMAND_CONFIRM,
      { "yes",     'y', OPT_FLAG, AT(command_context, yes),           NULL,      "Answer ordinary questions with yes" } },
    { COMMAND_CONFIRM,
      { "confirm",  0,  OPT_TEXT, AT(command_context, confirm),       "<text>",  "Answer the question about lost data with this text" } },
    { 0, { "config",   0,  OPT_TEXT, AT(command_context, config_path),   "<file>",  "Read this instead of the nearest lockflight.toml" } },
    { 0, { "no-input", 0,  OPT_FLAG, AT(command_context, no_input),      NULL,      "Never ask; fail and name the flag (implied by CI)" } },
    { 0, { "quiet",   'q', OPT_FLAG, AT(command_context, is_quiet),      NULL,      "No progress, only answers and errors" } },
    { 0, { "color",    0,  OPT_TEXT, AT(command_context, color),         "auto|always|never", "When to colour (also NO_COLOR)" } },
    { 0, { "no-color", 0,  OPT_FLAG, AT(command_context, no_color),      NULL,      NULL } },
    { 0, { "help",    'h', OPT_FLAG, AT(command_context, wants_help),    NULL,      "Explain the command" } },
    { 0, { "version",  0,  OPT_FLAG, AT(command_context, wants_version), NULL,      NULL } },
    { 0 },
};
// clang-format on

bool global_option_offered(const struct global_option *g, const struct command *cmd)
{
    return g->needs == 0 || (cmd && (cmd->offers & g->needs) != 0);
}

const struct command *command_find(const struct command *const *table, const char *name)
{
    for (; *table; table++) {
        if (streq((*table)->name, name))
            return *table;
    }
    return NULL;
}

const char *command_nearest(const struct command *const *table, const char *name)
{
    struct nearest n = nearest_to(name);
    for (; *table; table++) {
        if (!((*table)->offers & COMMAND_HIDDEN))
            nearest_offer(&n, (*table)->name);
    }
    return n.best;
}
