#include "engine/flag_bootstrap.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "flag/evaluate.h"
#include "flag/normalise.h"
#include "flag/snapshot.h"
#include "flag/store.h"

bool flag_bootstrap(struct pg *db, struct arena *a, json_t **ret, struct err *e)
{
    struct flag_stored stored;
    CLEANUP(flag_snapshot) struct flag_snapshot *snapshot = NULL;
    const struct flag_caller nobody = { .kind = FLAG_CALLER_ANONYMOUS };
    json_auto_t *values = NULL;
    unsigned dropped;
    if (!flag_store_snapshot(db, a, 0, &stored, e) ||
        !flag_snapshot_parse(str_of(stored.text), &snapshot, e) ||
        !flag_normalise(snapshot->attributes, &nobody, NULL, &values, &dropped, e))
        return err_wrap(e, "read the flags that the site begins with");
    struct flag_context context = flag_context(values, clock_unix_ms() / 1000);
    json_t *all = json_object();
    for (size_t i = 0; i < flag_document_count(snapshot->document); i++) {
        const struct flag *f = flag_document_at(snapshot->document, i);
        struct flag_answer answer;
        if (!snapshot->is_public[i])
            continue;
        flag_evaluate(snapshot->document, f, &context, &answer);
        if (answer.value)
            (void)json_object_set_new(all, flag_key(f), json_deep_copy(answer.value));
    }
    *ret = all;
    return true;
}
