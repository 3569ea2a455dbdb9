#include "command/migration/session.h"

#include "cli/output.h"

bool session_open(struct command_context *c, const struct session_args *args, struct session *ret,
                  struct err *e)
{
    *ret = (struct session){ .c = c };
    if (!config_load(c->arena, c->config_path, &ret->config, e) ||
        !config_environment(&ret->config, args->environment, &ret->environment, e) ||
        !migration_read(c->arena, ret->config.paths.migrations, ret->config.paths.reverse,
                        &ret->set, e))
        return false;
    for (size_t i = 0; i < ret->set.skipped_count; i++)
        print_styled(&c->err, STYLE_WARN, "%s\n", ret->set.skipped[i]);
    return true;
}

bool session_connect(const struct session *s, const char *purpose, struct pg **ret, struct err *e)
{
    return pg_open(&(struct pg_spec){ .url = s->environment.database_url, .purpose = purpose }, ret,
                   e);
}

bool session_compare(struct session *s, struct pg *db, struct err *e)
{
    if (!history_read(db, s->c->arena, &s->history, e))
        return false;
    migration_plan(s->c->arena, &s->set, &s->history, &s->plan);
    return true;
}
