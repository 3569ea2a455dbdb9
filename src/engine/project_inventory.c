/*
 * Gathering sources and declarations: see project_inventory.h.
 */
#include "engine/project_inventory.h"

#include "base/fs.h"
#include "base/vec.h"
#include "secret/public_name.h"
#include "secret/source_tree.h"
#include "site/site_pattern.h"

/* ---- sources ---- */

static bool add_functions(struct arena *a, const struct config *config,
                          const struct supabase_config *declared, struct inventory *inv,
                          struct err *e)
{
    for (size_t i = 0; i < declared->functions_n; i++) {
        const struct config_function *f = &declared->functions[i];
        struct function_source source;
        if (!f->is_enabled)
            continue;
        if (!target_function_files(a, config, f, &source, e))
            return err_wrap(e, "function %s", f->slug);
        for (size_t k = 0; k < source.n_files; k++)
            if (!inventory_add(inv, USE_EDGE_FUNCTION, source.files[k].path,
                               source.files[k].content, e))
                return false;
    }
    return true;
}

/* What is to be looked at, and what of it not. */
struct place {
    const char *dir;
    const char *const *skip;
    enum use_place place;
};

static bool add_tree(struct arena *a, const struct config *config, struct place from,
                     struct inventory *inv, struct err *e)
{
    struct source_tree tree = { .project_dir = config->dir,
                                .dir = from.dir,
                                .skip = from.skip,
                                .ignore = config->inventory.ignore.v,
                                .n_ignore = config->inventory.ignore.n,
                                .place = from.place };
    return source_tree_add(a, inv, &tree, e);
}

static const char *base_dir(const struct config *config)
{
    return config->netlify.base ? config->netlify.base : config->dir;
}

static bool read_sources(struct arena *a, const struct config *config,
                         const struct supabase_config *functions, struct inventory *inv,
                         struct err *e)
{
    const char *base = base_dir(config);
    const char *edge = fs_join(a, base, "netlify/edge-functions");
    const char *site = config->netlify.functions ? config->netlify.functions
                                                 : fs_join(a, base, "netlify/functions");
    const char *publish = config->netlify.publish;
    const char *skip[] = { config->supabase.dir ? config->supabase.dir : edge, edge, site,
                           publish && !streq(publish, base) ? publish : edge, NULL };
    const char *const nothing[] = { NULL };
    if (!add_functions(a, config, functions, inv, e) ||
        !add_tree(a, config, (struct place){ site, nothing, USE_SITE_FUNCTION }, inv, e) ||
        !add_tree(a, config, (struct place){ edge, nothing, USE_SITE_FUNCTION }, inv, e))
        return false;
    const struct text_array *roots = &config->inventory.frontend;
    for (size_t i = 0; i < roots->n; i++) {
        const char *dir = fs_join(a, config->dir, roots->v[i]);
        if (!fs_is_dir(dir)) {
            err_set(e, ERR_CONFIG, "[inventory] frontend names %s, which is no folder",
                    roots->v[i]);
            return err_where(e, "%s", config_where(config, &roots->v[i]));
        }
        if (!add_tree(a, config, (struct place){ dir, skip, USE_FRONTEND }, inv, e))
            return false;
    }
    if (roots->n == 0 && !add_tree(a, config, (struct place){ base, skip, USE_FRONTEND }, inv, e))
        return false;
    inventory_finish(inv);
    return true;
}

bool project_inventory(struct arena *a, const struct config *config,
                       const struct supabase_config *functions, struct inventory **ret,
                       struct err *e)
{
    *ret = inventory_new(a, target_variable_names(a, config));
    return read_sources(a, config, functions, *ret, e);
}

bool project_flag_uses(struct arena *a, const struct config *config,
                       const struct supabase_config *functions, struct inventory **ret,
                       struct err *e)
{
    *ret = inventory_new_of_flags(a);
    return read_sources(a, config, functions, *ret, e);
}

/* ---- declarations ---- */

/* netlify.toml, and the files that bundlers read for a production build. */
static const char *const *build_names(struct arena *a, const struct config *config)
{
    static const char *const files[] = { ".env", ".env.production" };
    VEC(const char *) names = { 0 };
    for (size_t i = 0; i < config->netlify.environment.n; i++)
        *vec_add(&names, a) = config->netlify.environment.v[i].name;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        for (const char *const *name =
                 source_dotenv_names(a, fs_join(a, base_dir(config), files[i]));
             *name; name++)
            *vec_add(&names, a) = *name;
    *vec_add(&names, a) = NULL;
    return names.v;
}

static const char *const *optional_names(struct arena *a, const struct config *config)
{
    const struct text_array *list = &config->inventory.optional;
    const char **names = ARENA_ARRAY(a, const char *, list->n + 1);
    for (size_t i = 0; i < list->n; i++)
        names[i] = list->v[i];
    return names;
}

static const char *const *allowed_names(struct arena *a, const struct config *config)
{
    const char **names = ARENA_ARRAY(a, const char *, config->allows_n + 1);
    for (size_t i = 0; i < config->allows_n; i++)
        names[i] = config->allows[i].name;
    return names;
}

void project_inventory_check(struct arena *a, const struct config *config, const char *environment,
                             const struct inventory *inv, const struct project_values *values,
                             struct inventory_report *ret)
{
    struct inventory_variable *v = ARENA_ARRAY(a, struct inventory_variable, config->vars_n + 1);
    for (size_t i = 0; i < config->vars_n; i++) {
        const struct config_var *var = &config->vars[i];
        v[i] = (struct inventory_variable){ .name = var->name,
                                            .to = var->to,
                                            .is_secret = var->is_secret,
                                            .where = config_where(config, &var->name) };
        if (values) {
            v[i].no_value = values->why[i];
            v[i].no_value_hint = values->hints[i];
            v[i].has_random_value = values->is_random[i];
        }
    }
    struct inventory_facts facts = { .environment = environment,
                                     .variables = v,
                                     .n_variables = config->vars_n,
                                     .optional = optional_names(a, config),
                                     .allowed = allowed_names(a, config),
                                     .build_names = build_names(a, config) };
    inventory_check(a, inv, &facts, ret);
}

struct project_values project_values_try(struct target *t, unsigned to)
{
    struct arena *a = t->arena;
    size_t n = t->config->vars_n;
    const char **why = ARENA_ARRAY(a, const char *, n + 1);
    const char **hints = ARENA_ARRAY(a, const char *, n + 1);
    bool *is_random = ARENA_ARRAY(a, bool, n + 1);
    for (size_t i = 0; i < n; i++) {
        CLEANUP(variable_set) struct variable_set one = { 0 };
        struct err e = { 0 };
        if (!(t->config->vars[i].to & to))
            continue;
        if (target_variable(t, &t->config->vars[i], &one, &e)) {
            struct str value = secret_reveal(one.v[0].value);
            is_random[i] = looks_random(value) || site_pattern_find(value);
        } else {
            why[i] = arena_strdup(a, e.why);
            hints[i] = e.hint[0] ? arena_strdup(a, e.hint) : NULL;
        }
    }
    return (struct project_values){ why, hints, is_random };
}

bool inventory_report_check(struct arena *a, const struct inventory_report *report,
                            const char *environment, struct err *e)
{
    if (report->errors == 0)
        return true;
    const struct inventory_finding *first = &report->v[0];
    const char *more = report->errors == 1 ? ""
                                           : arena_printf(a, "; %zu more: lockflight vars check %s",
                                                          report->errors - 1, environment);
    err_set(e, ERR_BLOCKED, "%s%s", first->text, more);
    err_where(e, "%s", first->where);
    return first->hint ? err_hint(e, "%s", first->hint) : false;
}
