/*
 * Recipients, rotation and the inbox of a secrets file: see vault.h.
 */
#include "base/cleanup.h"
#include "secret/vault.h"

static const struct record_context *context_of(const struct vault *v, uint64_t generation,
                                               struct record_context *to)
{
    *to = (struct record_context){ v->place.project, v->place.environment, generation };
    return to;
}

/* ---- recipients ---- */

bool vault_grant(struct vault *v, const char *name, const struct public_key *key, struct err *e)
{
    char *wrap;
    const struct secrets_recipient *same = secrets_file_recipient(&v->file, name);
    if (!secrets_recipient_is_good(str_of(name)))
        return err_set(e, ERR_USAGE, "\"%s\" is no name: letters, digits and @ . - _ +", name);
    if (same && key_public_equal(&same->key, key))
        return err_set(e, ERR_CONFLICT, "%s reads %s already", name, v->place.name);
    if (same)
        return err_set(e, ERR_CONFLICT, "%s reads %s with another key; revoke that one first", name,
                       v->place.name);
    if (!record_wrap(v->arena, &v->key, key, &wrap, e))
        return false;
    v->is_changed = true;
    return secrets_file_grant(&v->file,
                              &(struct secrets_recipient){ .name = arena_strdup(v->arena, name),
                                                           .key = *key,
                                                           .wrap = str_of(wrap) },
                              e);
}

bool vault_revoke(struct vault *v, const char *name, struct err *e)
{
    const struct secrets_recipient *to = secrets_file_recipient(&v->file, name);
    if (!to)
        return err_set(e, ERR_NOT_FOUND, "%s is not sealed for %s", v->place.name, name);
    if (v->file.to.n == 1)
        return err_set(e, ERR_BLOCKED, "%s is the last who can read %s", name, v->place.name);
    secrets_file_revoke(&v->file, to);
    return vault_rotate(v, e);
}

/* ---- rotation ---- */

static bool damaged(const struct vault *v, const struct secrets_line *line, struct err *e)
{
    return secrets_file_error(&v->file, line->line, e,
                              "%s does not open: the line was changed, or comes from another file",
                              line->name);
}

static bool reseal_values(struct vault *v, const struct data_key *fresh, struct secrets_line *line,
                          struct err *e)
{
    for (size_t i = 0; i < line->n; i++) {
        struct secrets_value *value = &line->values[i];
        const struct record_label label = { line->name, value->revision, value->is_deleted };
        CLEANUP(secret) struct secret *plain = record_open(&v->key, &label, value->sealed, true);
        if (!plain)
            return damaged(v, line, e);
        value->sealed = str_of(record_seal(v->arena, fresh, &label, secret_reveal(plain)));
        value->generation = fresh->context.generation;
    }
    line->text = (struct str){ 0 };
    return true;
}

static bool reseal_addition(struct vault *v, const struct key_pair *from,
                            const struct data_key *fresh, const struct public_key *inbox,
                            struct secrets_line *line, struct err *e)
{
    char *sealed;
    CLEANUP(secret)
    struct secret *plain = record_open_addition(from, &v->key, line->name, line->values[0].sealed);
    if (!plain)
        return damaged(v, line, e);
    if (!record_seal_addition(v->arena, inbox, &fresh->context, &fresh->id, line->name,
                              secret_reveal(plain), &sealed, e))
        return false;
    line->values[0] =
        (struct secrets_value){ .generation = fresh->context.generation, .sealed = str_of(sealed) };
    line->text = (struct str){ 0 };
    return true;
}

bool vault_open_inbox(const struct vault *v, struct key_pair *ret, struct err *e)
{
    if (record_open_inbox(&v->key, &v->file.inbox, v->file.inbox_sealed, ret))
        return true;
    return secrets_file_error(&v->file, v->file.key_line + 1, e,
                              "the inbox does not open: the line was changed");
}

static bool reseal_all(struct vault *v, const struct data_key *fresh, struct err *e)
{
    CLEANUP(key_pair) struct key_pair old = { 0 };
    CLEANUP(key_pair) struct key_pair inbox = { 0 };
    if (!vault_open_inbox(v, &old, e))
        return false;
    key_pair_new(&inbox);
    for (size_t i = 0; i < v->file.lines.n; i++) {
        struct secrets_line *line = &v->file.lines.v[i];
        if ((line->kind == SECRETS_SEALED && !reseal_values(v, fresh, line, e)) ||
            (line->kind == SECRETS_ADDITION &&
             !reseal_addition(v, &old, fresh, &inbox.public, line, e)))
            return false;
    }
    for (size_t i = 0; i < v->file.to.n; i++) {
        struct secrets_recipient *to = &v->file.to.v[i];
        char *wrap;
        if (!record_wrap(v->arena, fresh, &to->key, &wrap, e))
            return false;
        to->wrap = str_of(wrap);
        to->text = (struct str){ 0 };
    }
    v->file.inbox = inbox.public;
    v->file.inbox_sealed = str_of(record_seal_inbox(v->arena, fresh, &inbox));
    return true;
}

bool vault_rotate(struct vault *v, struct err *e)
{
    struct record_context context;
    CLEANUP(data_key) struct data_key fresh = { 0 };
    data_key_new(context_of(v, v->file.generation + 1, &context), &fresh);
    if (!reseal_all(v, &fresh, e))
        return false;
    struct data_key old = v->key;
    v->key = fresh;
    fresh = old; /* which ends it */
    v->file.generation = v->key.context.generation;
    v->file.key_id = v->key.id;
    v->file.head = (struct str){ 0 };
    v->is_changed = true;
    return true;
}

/* ---- the inbox ---- */

bool vault_add(struct vault *v, const char *name, const struct secret *value, struct err *e)
{
    struct record_context context;
    struct secrets_line *line;
    char *sealed;
    if (!secrets_name_is_good(str_of(name)))
        return err_set(e, ERR_USAGE, "\"%s\" is no name for a variable", name);
    if (!record_seal_addition(v->arena, &v->file.inbox, context_of(v, v->file.generation, &context),
                              &v->file.key_id, name, secret_reveal(value), &sealed, e) ||
        !secrets_file_line(&v->file, name, SECRETS_ADDITION, &line, e))
        return false;
    line->values[0] =
        (struct secrets_value){ .generation = v->file.generation, .sealed = str_of(sealed) };
    line->n = 1;
    v->is_changed = true;
    return true;
}

static bool find_addition(const struct vault *v, const char *name, struct secrets_line **ret,
                          struct err *e)
{
    *ret = secrets_file_find_addition(&v->file, name);
    return *ret || err_set(e, ERR_NOT_FOUND, "nothing waits to be accepted for %s in %s", name,
                           v->place.name);
}

bool vault_accept(struct vault *v, const char *name, bool *ret_changed, struct err *e)
{
    struct secrets_line *line;
    CLEANUP(key_pair) struct key_pair inbox = { 0 };
    if (!find_addition(v, name, &line, e) || !vault_open_inbox(v, &inbox, e))
        return false;
    CLEANUP(secret)
    struct secret *value =
        record_open_addition(&inbox, &v->key, line->name, line->values[0].sealed);
    if (!value)
        return damaged(v, line, e);
    secrets_file_drop(&v->file, line);
    v->is_changed = true;
    return vault_set(v, name, value, ret_changed, e);
}

bool vault_reject(struct vault *v, const char *name, struct err *e)
{
    struct secrets_line *line;
    if (!find_addition(v, name, &line, e))
        return false;
    secrets_file_drop(&v->file, line);
    v->is_changed = true;
    return true;
}
