/*
 * What a CREATE FUNCTION says, in the form in which the catalogue says it, so that the two can be
 * compared.
 */
#include "base/strbuf.h"
#include "migrate/lint/inside.h"

#define SIGNATURE_BYTES (16 * KIB)

static bool is_input(PgQuery__FunctionParameterMode mode)
{
    return mode != PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_OUT &&
           mode != PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_TABLE;
}

static void add_item(struct strbuf *b, const char *text)
{
    (void)strbuf_printf(b, "%s%s", b->n > 0 ? ", " : "", text);
}

static const char *type_word(struct arena *a, const PgQuery__TypeName *t)
{
    struct lint_type type = lint_type_of(t);
    return arena_printf(a, "%s%s", type.name ? type.name : "?", type.is_array ? "[]" : "");
}

/* The types of a call: "int4, text". */
const char *lint_arguments(struct arena *a, PgQuery__Node *const *types, size_t n)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(SIGNATURE_BYTES);
    for (size_t i = 0; i < n; i++) {
        if (types[i]->node_case == PG_QUERY__NODE__NODE_TYPE_NAME)
            add_item(&b, type_word(a, types[i]->type_name));
    }
    return arena_strdup(a, strbuf_text(&b));
}

static void take_parameters(struct arena *a, const PgQuery__CreateFunctionStmt *c,
                            struct lint_function *f)
{
    CLEANUP(strbuf) struct strbuf types = strbuf_init(SIGNATURE_BYTES);
    CLEANUP(strbuf) struct strbuf names = strbuf_init(SIGNATURE_BYTES);
    CLEANUP(strbuf) struct strbuf results = strbuf_init(SIGNATURE_BYTES);
    for (size_t i = 0; i < c->n_parameters; i++) {
        const PgQuery__FunctionParameter *p = c->parameters[i]->function_parameter;
        if (!is_input(p->mode)) {
            add_item(&results, arena_printf(a, "%s %s", p->name, type_word(a, p->arg_type)));
            continue;
        }
        add_item(&types, type_word(a, p->arg_type));
        if (tree_text(p->name))
            add_item(&names, p->name);
        f->defaults += p->defexpr != NULL;
    }
    f->arguments = arena_strdup(a, strbuf_text(&types));
    f->names = arena_strdup(a, strbuf_text(&names));
    f->results = arena_strdup(a, strbuf_text(&results));
}

static void take_option(struct lint_function *f, const PgQuery__DefElem *d)
{
    const PgQuery__Node *arg = d->arg;
    if (streq(d->defname, "volatility"))
        f->volatility = arg ? tree_string(arg) : f->volatility;
    else if (streq(d->defname, "language"))
        f->language = arg ? tree_string(arg) : NULL;
    else if (streq(d->defname, "security"))
        f->is_definer = lint_is_true(arg);
    else if (streq(d->defname, "set"))
        f->has_setting = true;
    else if (streq(d->defname, "as") && arg && arg->node_case == PG_QUERY__NODE__NODE_LIST &&
             arg->list->n_items > 0)
        f->body = tree_string(arg->list->items[0]);
}

struct lint_function lint_function_of(struct arena *a, const PgQuery__CreateFunctionStmt *c)
{
    struct lint_function f = {
        .name = tree_name(c->funcname, c->n_funcname),
        .volatility = "volatile",
        .body = "",
        .returns = "void",
    };
    take_parameters(a, c, &f);
    if (c->return_type) {
        f.returns = arena_printf(a, "%s%s", c->return_type->setof ? "setof " : "",
                                 type_word(a, c->return_type));
        f.is_trigger = ends_with(f.returns, "trigger");
    }
    for (size_t i = 0; i < c->n_options; i++)
        if (c->options[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM)
            take_option(&f, c->options[i]->def_elem);
    if (!f.body)
        f.body = "";
    return f;
}
