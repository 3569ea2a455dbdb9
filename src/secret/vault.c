/*
 * Opening a secrets file, and its values: see vault.h. Recipients, rotation and the inbox are in
 * vault_keys.c.
 */
#include "secret/vault.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

/* ---- the file ---- */

static char *folder_of(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? arena_strndup(a, path, (size_t)(slash - path)) : arena_strdup(a, ".");
}

bool vault_lock(const struct vault_place *place, struct vault *ret, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    const char *dir = folder_of(a, place->path);
    *ret = (struct vault){ 0 };
    if (!fs_mkdirs(dir, 0755, e))
        return false;
    CLEANUP(fd) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_system(e, "open %s", dir);
    while (flock(fd, LOCK_EX) != 0)
        if (errno != EINTR)
            return err_system(e, "lock %s", dir);
    ret->lock = fd_take(&fd);
    ret->is_locked = true;
    return true;
}

static void begin(struct arena *a, const struct vault_place *place, struct vault *v)
{
    *v = (struct vault){ .arena = a, .place = *place, .lock = v->lock, .is_locked = v->is_locked };
}

bool vault_parse(struct arena *a, const struct vault_place *place, struct str text, struct vault *v,
                 struct err *e)
{
    begin(a, place, v);
    if (!secrets_file_parse(a, text, place->name, &v->file, e))
        return false;
    if (streq(v->file.project, place->project) && streq(v->file.environment, place->environment))
        return true;
    err_set(e, ERR_CONFIG, "%s belongs to %s of %s, not to %s of %s", place->name,
            v->file.environment, v->file.project, place->environment, place->project);
    return err_where(e, "%s:2", place->name);
}

bool vault_read(struct arena *a, const struct vault_place *place, struct vault *v, struct err *e)
{
    struct str text;
    return fs_read(a, place->path, LIMIT_SECRETS_BYTES, &text, e) &&
           vault_parse(a, place, text, v, e);
}

static void take_key(struct vault *v)
{
    v->file.generation = v->key.context.generation;
    v->file.key_id = v->key.id;
    v->file.head = (struct str){ 0 };
    v->is_open = true;
    v->is_changed = true;
}

static struct record_context context_of(const struct vault *v, uint64_t generation)
{
    return (struct record_context){ v->place.project, v->place.environment, generation };
}

bool vault_create(struct arena *a, const struct vault_place *place, const char *recipient,
                  const struct public_key *key, struct vault *v, struct err *e)
{
    CLEANUP(key_pair) struct key_pair inbox = { 0 };
    begin(a, place, v);
    v->file = (struct secrets_file){
        .arena = a,
        .name = place->name,
        .project = place->project,
        .environment = place->environment,
    };
    struct record_context context = context_of(v, 1);
    data_key_new(&context, &v->key);
    key_pair_new(&inbox);
    v->file.inbox = inbox.public;
    v->file.inbox_sealed = str_of(record_seal_inbox(a, &v->key, &inbox));
    take_key(v);
    return vault_grant(v, recipient, key, e);
}

bool vault_save(struct vault *v, struct err *e)
{
    struct str text;
    if (!v->is_changed)
        return true;
    if (!secrets_file_print(&v->file, &text, e) || !FAULT_POINT("secrets.save.before", e) ||
        !fs_replace(v->place.path, text, 0644, e) || !FAULT_POINT("secrets.save.after", e))
        return false;
    v->is_changed = false;
    return true;
}

void vault_done(struct vault *v)
{
    data_key_done(&v->key);
    if (v->is_locked)
        fd_cleanup(&v->lock);
    *v = (struct vault){ 0 };
}

/* ---- opening ---- */

/* Everybody who could open it, for an error. */
static const char *recipients(const struct vault *v)
{
    const char *text = "nobody";
    for (size_t i = 0; i < v->file.to.n; i++)
        text =
            i ? arena_printf(v->arena, "%s, %s", text, v->file.to.v[i].name) : v->file.to.v[i].name;
    return text;
}

static bool not_for_us(const struct vault *v, const struct keyring *keys, struct err *e)
{
    err_set(e, ERR_AUTH, "%s is sealed for %s, and the key in %s is none of theirs", v->place.name,
            recipients(v), keys->from ? keys->from : "the keyring");
    return keys->n == 0 ||
           err_hint(e, "one of them runs: lockflight vars grant %s <name> %s", v->place.environment,
                    key_public_text(v->arena, &keys->v[0].public));
}

static bool unwrap(struct vault *v, const struct key_pair *pair, const struct secrets_recipient *to,
                   struct err *e)
{
    struct record_context context = context_of(v, v->file.generation);
    if (record_unwrap(pair, &context, &v->file.key_id, to->wrap, &v->key))
        return true;
    return secrets_file_error(&v->file, to->line, e,
                              "what is sealed for %s is not the key of this file", to->name);
}

static struct secret *open_value(const struct vault *v, const struct secrets_line *line, size_t i,
                                 bool is_public)
{
    const struct record_label label = {
        .name = line->name,
        .revision = line->values[i].revision,
        .is_deleted = line->values[i].is_deleted,
    };
    return record_open(&v->key, &label, line->values[i].sealed, is_public);
}

/* Every record is what was sealed for its place; the inbox, too, since additions are sealed for it. */
static bool authenticate(const struct vault *v, struct err *e)
{
    CLEANUP(key_pair) struct key_pair inbox = { 0 };
    if (!vault_open_inbox(v, &inbox, e))
        return false;
    for (size_t k = 0; k < v->file.lines.n; k++) {
        const struct secrets_line *line = &v->file.lines.v[k];
        for (size_t i = 0; line->kind == SECRETS_SEALED && i < line->n; i++) {
            CLEANUP(secret) struct secret *value = open_value(v, line, i, true);
            if (value)
                continue;
            secrets_file_error(&v->file, line->line, e,
                               "%s does not open: the line was changed, or comes from another file",
                               line->name);
            return err_hint(e, "git log -p -- %s", v->place.name);
        }
    }
    return true;
}

bool vault_open(struct vault *v, const struct keyring *keys, struct err *e)
{
    for (size_t k = 0; k < keys->n && !v->is_open; k++)
        for (size_t i = 0; i < v->file.to.n && !v->is_open; i++) {
            if (!key_public_equal(&v->file.to.v[i].key, &keys->v[k].public))
                continue;
            if (!unwrap(v, &keys->v[k], &v->file.to.v[i], e))
                return false;
            v->is_open = true;
        }
    return v->is_open ? authenticate(v, e) : not_for_us(v, keys, e);
}

/* ---- values ---- */

struct secret *vault_value(const struct vault *v, const char *name, size_t older, bool is_public)
{
    const struct secrets_line *line = secrets_file_find(&v->file, name);
    if (line && line->kind == SECRETS_PLAIN && older == 0)
        return secret_new_public(str_of(line->plain));
    if (!line || line->kind != SECRETS_SEALED || older >= line->n ||
        line->values[older].is_deleted || !v->is_open)
        return NULL;
    return open_value(v, line, older, is_public);
}

uint64_t vault_revision(const struct vault *v, const char *name, size_t older)
{
    const struct secrets_line *line = secrets_file_find(&v->file, name);
    return line && line->kind == SECRETS_SEALED && older < line->n ? line->values[older].revision
                                                                   : 0;
}

uint64_t vault_find_digest(const struct vault *v, const char *name, const char *sha256)
{
    for (size_t i = 0; i <= SECRETS_OLDER; i++) {
        CLEANUP(secret) struct secret *value = vault_value(v, name, i, true);
        char hex[SHA256_HEX_BYTES];
        if (!value)
            continue;
        secret_digest(value, hex);
        if (streq(hex, sha256))
            return vault_revision(v, name, i);
    }
    return 0;
}

/* A new value in force; the one before moves behind it. */
static bool put(struct vault *v, const char *name, struct str value, bool is_deleted, struct err *e)
{
    struct secrets_line *line;
    if (!secrets_file_line(&v->file, name, SECRETS_SEALED, &line, e))
        return false;
    uint64_t revision = line->n > 0 ? line->values[0].revision + 1 : 1;
    if (line->n > 0 && !line->values[0].is_deleted) {
        size_t kept = line->n > SECRETS_OLDER ? SECRETS_OLDER : line->n;
        memmove(&line->values[1], &line->values[0], kept * sizeof line->values[0]);
        line->n = kept;
    } else if (line->n > 0) {
        line->n--; /* a tombstone is nothing to go back to */
    }
    const struct record_label label = { name, revision, is_deleted };
    line->values[0] = (struct secrets_value){
        .generation = v->file.generation,
        .revision = revision,
        .is_deleted = is_deleted,
        .sealed = str_of(record_seal(v->arena, &v->key, &label, value)),
    };
    line->n++;
    v->is_changed = true;
    return true;
}

static bool has(const struct vault *v, const char *name, const struct secret *value,
                enum secrets_kind kind)
{
    const struct secrets_line *line = secrets_file_find(&v->file, name);
    CLEANUP(secret) struct secret *now = vault_value(v, name, 0, true);
    return now && line->kind == kind && str_eq_secret(secret_reveal(now), secret_reveal(value));
}

static bool check(const struct vault *v, const char *name, const struct secret *value,
                  struct err *e)
{
    (void)v;
    if (!secrets_name_is_good(str_of(name)))
        return err_set(e, ERR_USAGE, "\"%s\" is no name for a variable", name);
    if (secret_bytes(value) == 0)
        return err_set(e, ERR_USAGE, "the value of %s is empty", name);
    if (secret_bytes(value) > LIMIT_SECRET_VALUE_BYTES)
        return err_set(e, ERR_LIMIT, "the value of %s is longer than %d bytes", name,
                       LIMIT_SECRET_VALUE_BYTES);
    if (!str_is_utf8(secret_reveal(value)))
        return err_set(e, ERR_USAGE, "the value of %s is not text (UTF-8)", name);
    return true;
}

bool vault_set(struct vault *v, const char *name, const struct secret *value, bool *ret_changed,
               struct err *e)
{
    if (!check(v, name, value, e))
        return false;
    *ret_changed = !has(v, name, value, SECRETS_SEALED);
    return !*ret_changed || put(v, name, secret_reveal(value), false, e);
}

bool vault_set_plain(struct vault *v, const char *name, const struct secret *value,
                     bool *ret_changed, struct err *e)
{
    struct secrets_line *line;
    if (!check(v, name, value, e))
        return false;
    *ret_changed = !has(v, name, value, SECRETS_PLAIN);
    if (!*ret_changed)
        return true;
    if (!secrets_file_line(&v->file, name, SECRETS_PLAIN, &line, e))
        return false;
    line->plain = str_dup(v->arena, secret_reveal(value));
    line->n = 0;
    v->is_changed = true;
    return true;
}

bool vault_unset(struct vault *v, const char *name, bool *ret_changed, struct err *e)
{
    struct secrets_line *line = secrets_file_find(&v->file, name);
    *ret_changed = false;
    if (!line)
        return err_set(e, ERR_NOT_FOUND, "%s has no variable %s", v->place.name, name);
    if (line->kind == SECRETS_SEALED && line->values[0].is_deleted)
        return true;
    *ret_changed = true;
    v->is_changed = true;
    if (line->kind == SECRETS_SEALED)
        return put(v, name, STR(""), true, e);
    secrets_file_drop(&v->file, line);
    return true;
}

size_t vault_prune(struct vault *v, const char *name, size_t keep)
{
    struct secrets_line *line = secrets_file_find(&v->file, name);
    if (!line || line->n <= 1 + keep)
        return 0;
    size_t dropped = line->n - 1 - keep;
    line->n = 1 + keep;
    line->text = (struct str){ 0 };
    v->is_changed = true;
    return dropped;
}

char *vault_key_id(struct arena *a, const struct vault *v)
{
    return base64_encode(
        a, (struct str){ (const char *)v->file.key_id.bytes, sizeof v->file.key_id.bytes });
}
