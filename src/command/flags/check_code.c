/*
 * Which flags the code asks for, and whether it may: see check.h.
 */
#include "base/nearest.h"
#include "command/flags/check.h"
#include "engine/project_inventory.h"
#include "migrate/migration.h"

static size_t index_of(const struct check *k, const char *key)
{
    size_t i = 0;
    while (i < k->config->flags.n && !streq(k->config->flags.v[i].name, key))
        i++;
    return i;
}

/* Another tool's flags, or none yet: not each of them is a mistake. */
static void no_file(struct check *k)
{
    if (k->config->flags.file || k->uses == 0)
        return;
    check_add(k,
              &(struct check_finding){
                  .rule = "no-definitions",
                  .where = "lockflight.flags.toml",
                  .text = "the code asks for flags and there is no such file, so nothing is known "
                          "about them",
                  .hint = "define them there, [flag.crm], if they are to be Lockflight's",
              });
}

static void unknown(struct check *k, const char *key, const char *where)
{
    struct arena *a = k->c->arena;
    if (!k->config->flags.file)
        return;
    struct nearest near = nearest_to(key);
    for (size_t i = 0; i < k->config->flags.n; i++)
        nearest_offer(&near, k->config->flags.v[i].name);
    check_add(k, &(struct check_finding){
                     .is_error = true,
                     .rule = "unknown-flag",
                     .flag = key,
                     .where = where,
                     .text = arena_printf(a,
                                          "%s is asked for and defined nowhere: it is always the "
                                          "default that stands here",
                                          key),
                     .hint = near.best ? arena_printf(a, "did you mean %s?", near.best)
                                       : arena_printf(a,
                                                      "define it: [flag.%s] in "
                                                      "lockflight.flags.toml",
                                                      key),
                 });
}

/* "getBooleanValue" → "boolean"; NULL: any. */
static const char *type_asked(const char *how)
{
    static const char *const types[] = { "boolean", "string", "number", "object" };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const char *at = strcasestr(how, types[i]);
        if (at)
            return types[i];
    }
    return streq(how, "module_enabled") ? "boolean" : NULL;
}

static void known(struct check *k, const struct config_flag *flag, const struct env_use *use,
                  const char *where)
{
    struct arena *a = k->c->arena;
    const char *type = type_asked(use->object);
    bool is_module = streq(use->object, "module_enabled");
    if (use->place == USE_FRONTEND && !streq(flag->exposure, "client") && !is_module)
        check_add(k, &(struct check_finding){
                         .is_error = true,
                         .rule = "not-for-browsers",
                         .flag = flag->name,
                         .where = where,
                         .text = arena_printf(a,
                                              "a browser asks for %s, whose exposure is %s: the "
                                              "answer is that there is no such flag",
                                              flag->name, flag->exposure),
                         .hint = "exposure = \"client\", if browsers may know its value",
                     });
    if (type && !streq(type, flag->type))
        check_add(k, &(struct check_finding){
                         .is_error = true,
                         .rule = "wrong-type",
                         .flag = flag->name,
                         .where = where,
                         .text = arena_printf(
                             a,
                             "%s asks for a value of type %s; those of %s are of type %s: "
                             "the default that stands here is all it gives",
                             use->object, type, flag->name, flag->type),
                     });
}

static void check_use(struct check *k, const struct env_use *use)
{
    const char *where = env_use_where(k->c->arena, use);
    if (use->kind != USE_LITERAL) {
        if (!use->is_resolved)
            check_add(k, &(struct check_finding){
                             .rule = "computed-key",
                             .where = where,
                             .text = "the key is made at run time, so it can not be checked",
                             .hint = "say which may be asked for, in a comment on the line: "
                                     "// lockflight: flag crm, financial",
                         });
        return;
    }
    size_t i = index_of(k, use->name);
    k->uses++;
    if (i == k->config->flags.n) {
        unknown(k, use->name, where);
        return;
    }
    k->is_used[i] = true;
    known(k, &k->config->flags.v[i], use, where);
}

static void check_sql_key(struct check *k, const struct policy_call *call)
{
    if (!call->key || call->is_gone)
        return;
    size_t i = index_of(k, call->key);
    k->uses++;
    if (i == k->config->flags.n) {
        unknown(k, call->key, call->where);
        return;
    }
    k->is_used[i] = true;
    const struct config_flag *flag = &k->config->flags.v[i];
    if (streq(call->function, "is_on") && streq(flag->exposure, "server"))
        check_add(k, &(struct check_finding){
                         .is_error = true,
                         .rule = "not-for-policies",
                         .flag = flag->name,
                         .where = call->where,
                         .text = arena_printf(k->c->arena,
                                              "is_on() knows flags whose exposure is db "
                                              "or client; %s is for servers, so it is "
                                              "always off here",
                                              flag->name),
                         .hint = "exposure = \"db\"",
                     });
}

void check_policies(struct check *k, const struct policy_calls *calls)
{
    struct arena *a = k->c->arena;
    for (size_t i = 0; i < calls->n; i++) {
        const struct policy_call *call = &calls->v[i];
        if (!call->is_bare || call->is_gone)
            continue;
        check_add(k, &(struct check_finding){
                         .is_error = true,
                         .rule = "asked-for-every-row",
                         .flag = call->key,
                         .where = call->where,
                         .text = arena_printf(a,
                                              "policy %s on %s calls %s() for every row, which is "
                                              "hundreds of times slower than once",
                                              call->policy, call->table, call->function),
                         .hint = arena_printf(a, "write (select %s(…)) around it", call->function),
                     });
    }
}

static bool check_migrations(struct check *k, struct err *e)
{
    struct migration_set set;
    if (!migration_read(k->c->arena, k->config->paths.migrations, k->config->paths.reverse, &set,
                        e))
        return false;
    for (size_t i = 0; i < set.n; i++)
        if (!policy_calls_read(k->c->arena, set.v[i].file, set.v[i].sql, &k->sql, e))
            return false;
    for (size_t i = 0; i < k->sql.n; i++)
        check_sql_key(k, &k->sql.v[i]);
    check_policies(k, &k->sql);
    return true;
}

bool check_code(struct check *k, struct err *e)
{
    struct inventory *inv;
    size_t n;
    if (!project_flag_uses(k->c->arena, k->config, &k->config->supabase, &inv, e) ||
        !check_migrations(k, e))
        return false;
    const struct env_use *uses = inventory_uses(inv, &n);
    for (size_t i = 0; i < n; i++)
        check_use(k, &uses[i]);
    no_file(k);
    for (size_t i = 0; i < k->config->flags.n; i++) {
        const struct config_flag *flag = &k->config->flags.v[i];
        if (!k->is_used[i])
            check_add(k, &(struct check_finding){
                             .rule = "never-asked",
                             .flag = flag->name,
                             .where = config_where(k->config, &flag->name),
                             .text = arena_printf(k->c->arena, "nothing in the code asks for %s",
                                                  flag->name),
                         });
    }
    return true;
}
