/*
 * The release, step by step. A release walks this table downwards; what fails is walked back up.
 *
 * Users are never shown a mixture: before "publish" they see the old frontend on a backend that
 * still serves it, after it the new one. "take back" empty: nothing was changed. "after a crash"
 * empty: running it again is harmless.
 *
 * "flags" is not taken back although it changes something: what it writes switches nothing, and the
 * code that is live before and after an unwinding must find its flags.
 */
#include "engine/phase_table.h"

#include "base/str.h"

// clang-format off
const struct phase release_phases[] = {
    /* name         the user reads                          do             take back        after a crash     unwinding       layer           */
    { "gate",      "Ask whether it may start",             gate_run,      NULL,            NULL,             UNWIND_NOTHING, LAYER_NONE      },
    { "test",      "Run the tests",                        test_run,      NULL,            NULL,             UNWIND_NOTHING, LAYER_NONE      },
    { "draft",     "Build once and upload hidden",         draft_run,     draft_undo,      draft_probe,      UNWIND_ALWAYS,  LAYER_NONE      },
    { "variables", "Set the declared variables",           variables_run, variables_undo,  variables_probe,  UNWIND_FIRST,   LAYER_SCHEMA    },
    { "database",  "Apply the pending migrations",         database_run,  database_undo,   database_probe,   UNWIND_IF_RED,  LAYER_SCHEMA    },
    { "flags",     "Define the feature flags",             flags_run,     NULL,            NULL,             UNWIND_NOTHING, LAYER_NONE      },
    { "functions", "Deploy the functions that changed",    functions_run, functions_undo,  functions_probe,  UNWIND_FIRST,   LAYER_FUNCTIONS },
    { "backend",   "Prove the backend, old and new",       backend_run,   NULL,            NULL,             UNWIND_NOTHING, LAYER_NONE      },
    { "publish",   "Make the draft live",                  publish_run,   publish_undo,    publish_probe,    UNWIND_FIRST,   LAYER_SITE      },
    { "live",      "Prove what visitors get",              live_run,      NULL,            NULL,             UNWIND_NOTHING, LAYER_NONE      },
    { "seal",      "Record the proof",                     seal_run,      NULL,            NULL,             UNWIND_NOTHING, LAYER_NONE      },
    { 0 },
};
// clang-format on

const struct phase *phase_find(const char *name)
{
    for (const struct phase *p = release_phases; p->name; p++) {
        if (streq(p->name, name))
            return p;
    }
    return NULL;
}

const struct phase *phase_above(const struct phase *p)
{
    return p == release_phases ? NULL : p - 1;
}

const struct phase *phase_last(void)
{
    const struct phase *p = release_phases;
    while (p[1].name)
        p++;
    return p;
}
