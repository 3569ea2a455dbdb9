/*
 * Saved plans: see plan_file.h.
 */
#include "command/plan_file.h"

#include "base/fs.h"
#include "base/json.h"
#include "base/limits.h"

/* What makes two plans the same. Gates and times are asked again anyway. */
static const char *const parts[] = { "environment", "source",    "live", "variables",
                                     "migrations",  "functions", NULL };

/* Of the source its digest: the same content may be on another branch. */
static const json_t *part_of(const json_t *plan, const char *part)
{
    const json_t *value = json_object_get(plan, part);
    return streq(part, "source") ? json_object_get(value, "digest") : value;
}

bool plan_file_write(struct arena *a, const char *path, const struct plan *plan,
                     const struct live *live, struct err *e)
{
    json_auto_t *document = plan_json(plan, live);
    const char *text = arena_printf(a, "%s\n", json_text_in_order(a, document));
    return fs_replace(path, str_of(text), 0644, e);
}

bool plan_file_matches(struct arena *a, const char *path, const struct plan *plan,
                       const struct live *live, struct err *e)
{
    struct str text;
    if (!fs_read(a, path, LIMIT_JSON_BYTES, &text, e))
        return err_wrap(e, "read the plan");
    json_auto_t *saved = json_parse(text, path, e);
    if (!saved)
        return false;
    json_auto_t *now = plan_json(plan, live);
    for (size_t i = 0; parts[i]; i++) {
        if (json_equal(part_of(saved, parts[i]), part_of(now, parts[i])))
            continue;
        err_set(e, ERR_BLOCKED, "the saved plan does not hold any more: \"%s\" is not as it was",
                parts[i]);
        err_where(e, "%s", path);
        err_state(e, "nothing was changed");
        return err_hint(e, "lockflight plan %s --out %s", plan->environment, path);
    }
    return true;
}
