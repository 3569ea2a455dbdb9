/*
 * `lockflight version`, also `lockflight --version`: what this program is.
 */
#include "cli/output.h"
#include "command/commands.h"

static bool version(struct command_context *c, void *args, struct err *e)
{
    (void)args;
    (void)e;
    if (c->wants_json) {
        json_t *document = json_object();
        json_object_set_new(document, "version", json_string(LOCKFLIGHT_VERSION));
        print_json(c, document);
        return true;
    }
    print(&c->out, "lockflight %s\n", LOCKFLIGHT_VERSION);
    return true;
}

const struct command cmd_version = {
    .name = "version",
    .synopsis = "version",
    .summary = "Print the version",
    .group = GROUP_ALSO,
    .offers = COMMAND_JSON,
    .run = version,
};
