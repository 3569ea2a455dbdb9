/*
 * Gathering the drafts, and writing one: see draft.h.
 */
#include "command/init/draft.h"

#include "base/fs.h"
#include "base/limits.h"

void draft_note(struct draft *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *vec_add(&d->notes, d->arena) = arena_vprintf(d->arena, fmt, ap);
    va_end(ap);
}

static bool read_before(const struct found *f, const char *path, struct draft_file *ret,
                        struct err *e)
{
    const char *full = fs_join(f->arena, f->dir, path);
    ret->before = (struct str){ "", 0 };
    ret->is_new = !fs_exists(full);
    return ret->is_new || fs_read(f->arena, full, LIMIT_SQL_FILE_BYTES, &ret->before, e) ||
           err_wrap(e, "read %s", path);
}

bool draft_add(const struct found *f, struct draft *d, const char *path, struct str after,
               struct err *e)
{
    struct draft_file file = { .path = path, .after = after };
    if (!read_before(f, path, &file, e))
        return false;
    if (file.is_new || !str_eq(file.before, after))
        *vec_add(&d->files, d->arena) = file;
    return true;
}

bool draft_files(const struct found *f, const struct answers *answers, bool has_config,
                 struct draft *ret, struct err *e)
{
    *ret = (struct draft){ .arena = f->arena };
    return (has_config || draft_config(f, answers, ret, e)) && draft_netlify(f, ret, e) &&
           draft_workflow(f, answers, ret, e) && draft_reverse(f, answers, ret, e) &&
           draft_flags(f, answers, ret, e);
}

bool draft_write(const struct found *f, const struct draft_file *file, struct err *e)
{
    struct draft_file now = { 0 };
    const char *full = fs_join(f->arena, f->dir, file->path);
    const char *slash = strrchr(full, '/');
    if (!read_before(f, file->path, &now, e))
        return false;
    if (now.is_new != file->is_new || !str_eq(now.before, file->before)) {
        err_set(e, ERR_CONFLICT, "%s was changed by somebody else meanwhile; it was not written",
                file->path);
        return err_hint(e, "lockflight init");
    }
    return (fs_mkdirs(arena_strndup(f->arena, full, (size_t)(slash - full)), 0755, e) &&
            fs_replace(full, file->after, 0644, e)) ||
           err_wrap(e, "write %s", file->path);
}
