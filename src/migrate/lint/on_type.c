/*
 * Enums, domains, composite types, sequences, publications.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"

/* ---- enums ---- */

struct label {
    const char *text;
    bool is_used;
};

static bool visit_label(void *context, const ProtobufCMessage *m)
{
    struct label *x = context;
    const PgQuery__AConst *c = (const PgQuery__AConst *)m;
    if (TREE_IS(m, a__const) && c->val_case == PG_QUERY__A__CONST__VAL_SVAL &&
        streq(c->sval->sval, x->text))
        x->is_used = true;
    return !x->is_used;
}

static void enum_label(struct lint *l, const PgQuery__AlterEnumStmt *a)
{
    struct sql_name name = tree_name(a->type_name, a->n_type_name);
    const struct lint_user_type *t = lint_schema_type(&l->schema, name);
    if (tree_text(a->old_val)) {
        if (!(t && t->is_new))
            (void)lint_found(l, LINT_C12, 0, "%s of %s is %s from now on", a->old_val,
                             lint_text(l, name), a->new_val);
        return;
    }
    if (a->skip_if_new_val_exists)
        (void)lint_found(l, LINT_T07, 0, "succeeds over a label in another place of the order");
    if (!(t && t->is_new)) {
        struct lint_finding *f =
            lint_found(l, LINT_C12, 0, "readers of %s meet %s", lint_text(l, name), a->new_val);
        f->severity = LINT_NOTE;
    }
    for (size_t i = l->index + 1; i < l->script->n; i++) {
        const struct sql_statement *s = &l->script->statements[i];
        struct label x = { .text = a->new_val };
        if (s->tree && s->tree->node_case != PG_QUERY__NODE__NODE_ALTER_ENUM_STMT)
            (void)tree_walk(s->tree, visit_label, &x);
        if (!x.is_used)
            continue;
        struct lint_finding *f =
            lint_found_at(l, LINT_T03, s->offset, "%s is added by this file", a->new_val);
        if (!l->in_block && !l->in->is_by_hand) {
            f->severity = LINT_WARN;
            f->what = arena_printf(l->arena,
                                   "%s is added by this file; Lockflight commits it before, other "
                                   "tools run the file as one transaction",
                                   a->new_val);
        }
        return;
    }
}

/* ---- domains ---- */

static void alter_domain(struct lint *l, const PgQuery__AlterDomainStmt *d)
{
    struct sql_name name = tree_name(d->type_name, d->n_type_name);
    const struct lint_user_type *t = lint_schema_type(&l->schema, name);
    if (t && t->is_new)
        return;
    const PgQuery__Constraint *c = d->def ? tree_constraint(d->def) : NULL;
    bool adds = streq(d->subtype, "C") && !(c && c->skip_validation);
    bool forbids_null = streq(d->subtype, "O");
    if (adds || forbids_null) {
        struct lint_finding *f = lint_found(
            l, LINT_L19, 0, "every table with a column of %s is read", lint_text(l, name));
        if (!l->schema.is_complete)
            lint_assume(l, f, false);
    }
    if (d->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
        (void)lint_found(l, LINT_C13, 0, "CASCADE");
}

/* ---- sequences ---- */

static void alter_sequence(struct lint *l, const PgQuery__AlterSeqStmt *s)
{
    static const char *const bounding[] = { "restart", "maxvalue", "minvalue", NULL };
    struct sql_name name = tree_range(s->sequence);
    if (lint_is_new(lint_schema_table(&l->schema, name)))
        return;
    for (size_t i = 0; bounding[i]; i++) {
        const PgQuery__Node *o = lint_option(s->options, s->n_options, bounding[i]);
        if (o && (o->def_elem->arg || i == 0))
            (void)lint_found(l, LINT_C24, 0, "%s: %s", lint_text(l, name), bounding[i]);
    }
}

/* ---- publications ---- */

static void published(struct lint *l, PgQuery__Node *const *objects, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const PgQuery__PublicationObjSpec *o =
            objects[i]->node_case == PG_QUERY__NODE__NODE_PUBLICATION_OBJ_SPEC
                ? objects[i]->publication_obj_spec
                : NULL;
        if (!o || !o->pubtable || !o->pubtable->relation)
            continue;
        struct sql_name name = tree_range(o->pubtable->relation);
        const struct lint_table *t = lint_schema_table(&l->schema, name);
        bool has_key = t && t->has_identity;
        for (size_t k = 0; t && k < t->constraints.n; k++)
            has_key |= t->constraints.v[k].kind == LINT_PRIMARY;
        if (has_key)
            continue;
        struct lint_finding *f =
            lint_found(l, LINT_Q07, 0, t ? "%s has no primary key" : "%s may have no primary key",
                       lint_text(l, name));
        if (!t)
            lint_assume(l, f, false);
    }
}

void lint_on_type(struct lint *l, const PgQuery__Node *n)
{
    switch ((int)n->node_case) {
    case PG_QUERY__NODE__NODE_ALTER_ENUM_STMT:
        enum_label(l, n->alter_enum_stmt);
        break;
    case PG_QUERY__NODE__NODE_CREATE_ENUM_STMT:
        (void)lint_found(l, LINT_Q09, 0, "%s",
                         lint_text(l, tree_name(n->create_enum_stmt->type_name,
                                                n->create_enum_stmt->n_type_name)));
        break;
    case PG_QUERY__NODE__NODE_ALTER_DOMAIN_STMT:
        alter_domain(l, n->alter_domain_stmt);
        break;
    case PG_QUERY__NODE__NODE_CREATE_DOMAIN_STMT:
        if (lint_domain_is_constrained(n->create_domain_stmt))
            (void)lint_found(l, LINT_Q03, 0, "%s",
                             lint_text(l, tree_name(n->create_domain_stmt->domainname,
                                                    n->create_domain_stmt->n_domainname)));
        break;
    case PG_QUERY__NODE__NODE_ALTER_SEQ_STMT:
        alter_sequence(l, n->alter_seq_stmt);
        break;
    case PG_QUERY__NODE__NODE_CREATE_PUBLICATION_STMT:
        published(l, n->create_publication_stmt->pubobjects,
                  n->create_publication_stmt->n_pubobjects);
        break;
    case PG_QUERY__NODE__NODE_ALTER_PUBLICATION_STMT:
        if (n->alter_publication_stmt->action != PG_QUERY__ALTER_PUBLICATION_ACTION__AP_DropObjects)
            published(l, n->alter_publication_stmt->pubobjects,
                      n->alter_publication_stmt->n_pubobjects);
        break;
    default:
        break;
    }
}
