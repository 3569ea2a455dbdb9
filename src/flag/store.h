/*
 * Where flags are kept: schema lockflight of the environment's own database, which must be at the
 * program's version (schema_ensure) or simply has no flags.
 *
 * OWNERS   A definition (variants, off variant, exposure, requires, needs …) belongs to the code:
 *          releases write it. The state (enabled, killed, default variant, rule, schedules,
 *          segments) belongs to operators: nothing else writes it once the flag exists.
 *
 * WRITES   All through functions of the schema (engine/schema/004_flags.sql): one writer at a time,
 *          each change audited with actor, way and reason, one config version and one notification
 *          on channel lockflight_flags per transaction. A write that changes nothing writes nothing.
 *          Calls may stand inside pg_begin … pg_commit: then they have one version together.
 *
 * VERSIONS A state has a version. A write says which one it has seen; if somebody was faster it is
 *          refused with ERR_CONFLICT that names them. Due schedules are part of what is read, and
 *          count as versions, though no row says so yet; the next write puts them into rows.
 *
 * ERRORS   ERR_NOT_FOUND  no such flag, segment, schedule or audit entry
 *          ERR_CONFLICT   changed meanwhile: by whom, when, how
 *          ERR_BLOCKED    the flag would be on before the content it needs is live; still in use
 *          ERR_LIMIT      too many, too long, or a document larger than its readers take
 *          ERR_DATA       unknown field, unknown variant, a rule that is not of the right form
 *
 * Texts live in the arena. JSON is text as the database gives it, to be parsed by who wants to look
 * inside. Times are milliseconds since 1970, 0: never.
 */
#ifndef LOCKFLIGHT_FLAG_STORE_H
#define LOCKFLIGHT_FLAG_STORE_H

#include "provider/pg.h"

#include <jansson.h>

#define FLAG_CHANNEL "lockflight_flags" /* payload {"v":812,"keys":["financial"]}; > 50: ["*"] */

/* Who writes. `via` is cli, deploy, schedule, check or api. */
struct flag_author {
    const char *actor; /* "ana@laptop" */
    const char *via;
    const char *reason; /* NULL: none given */
};

/* expected_version: whatever is there. */
#define FLAG_ANY_VERSION ((int64_t)-1)

/* ---- what servers read ---- */

struct flag_stored {
    const char *text; /* {"v","next","document","flags","attributes"} */
    int64_t version;
    int64_t next_s; /* unix seconds at which a schedule changes it; 0: none */
};

/* at_unix_ms 0: now, by the database's clock. Without schema or flags: an empty document, version 0.
 */
bool flag_store_snapshot(struct pg *db, struct arena *a, int64_t at_unix_ms,
                         struct flag_stored *ret, struct err *e) MUST_USE;

bool flag_store_version(struct pg *db, int64_t *ret, struct err *e) MUST_USE;

/* Puts due schedules into rows, so that the version moves. *ret (may be NULL): how many. */
bool flag_store_materialise(struct pg *db, int64_t *ret, struct err *e) MUST_USE;

/* ---- what people read ---- */

struct flag_row {
    const char *key;

    /* the definition */
    const char *value_type; /* boolean string number object */
    const char *variants;   /* JSON object: name → value */
    const char *off_variant;
    const char *exposure; /* server client db */
    const char *kind;     /* release ops experiment permission */
    const char *owner;    /* "" none */
    const char *description;
    const char *expires_on;         /* "2027-06-01"; NULL */
    const char *requires;           /* JSON array of {"flag","variant"} */
    const char *needs;              /* JSON object: migrations, functions, release */
    const char *created_by_release; /* id; NULL: not by a release */
    const char *code_rev;           /* NULL */
    int64_t code_removed_unix_ms;
    int64_t archived_unix_ms;

    /* the state as it is served now: due schedules are folded in */
    bool is_enabled;
    bool is_killed;
    const char *default_variant; /* NULL: the code default */
    const char *targeting;       /* JSON; NULL: no rule */
    int bucketing;
    int64_t version;
    int64_t updated_unix_ms;
    const char *updated_by;
    const char *updated_via;
    const char *updated_reason; /* NULL */

    int64_t schedules;      /* that have not run */
    const char *next_run;   /* of the first of them, RFC 3339 UTC; NULL */
    const char *missing;    /* JSON array of sentences: content it needs that is not live; "[]" */
    bool serves_off_to_all; /* off variant or code default, whatever the context */
};

struct flag_rows {
    const struct flag_row *v; /* by key, byte by byte */
    size_t n;
    int64_t config_version;
};

/* Without archived ones unless asked. */
bool flag_store_list(struct pg *db, struct arena *a, bool with_archived, struct flag_rows *ret,
                     struct err *e) MUST_USE;

/* Archived ones too. ERR_NOT_FOUND names the nearest key. */
bool flag_store_get(struct pg *db, struct arena *a, const char *key, struct flag_row *ret,
                    struct err *e) MUST_USE;

/* The same in two halves, for an exchange that does other things as well (pg_spec.ask): a part of
 * it, and what came of it. */
struct flag_question {
    const char *key;
    struct pg_rows rows;
    struct err refused;
};
bool flag_store_get_later(struct pg *db, struct arena *a, const char *key,
                          struct flag_question *ret, struct err *e) MUST_USE;
bool flag_store_get_answer(struct pg *db, struct arena *a, const struct flag_question *q,
                           struct flag_row *ret, struct err *e) MUST_USE;

/* ---- states ---- */

/* `patch` is an object of enabled, killed, default_variant, targeting, bucketing; a null default or
 * rule takes it away. Rules are checked here for their form only: the caller has checked them
 * against the portable profile. *ret_version is the old one if nothing changed. */
bool flag_store_set(struct pg *db, const char *key, const json_t *patch, int64_t expected_version,
                    const struct flag_author *by, int64_t *ret_version, struct err *e) MUST_USE;

/* The patch that brings the state of that audit entry's flag back to what it was before the entry.
 * Empty object: it is so already. The caller owns *ret_patch. ERR_DATA for entries that are not of a
 * state. */
struct flag_audit;
bool flag_store_revert(struct pg *db, struct arena *a, int64_t audit_seq,
                       struct flag_audit *ret_entry, json_t **ret_patch, struct err *e) MUST_USE;

/* ---- definitions (releases) ---- */

/* Writes definitions: an object, or an array of them, in any order of "requires":
 *
 *     {"key","variants":{name: value},"off","exposure","kind","owner","description","expires",
 *      "requires":[{"flag","variant"}],"needs":{"migrations":[],"functions":[],"release":bool},
 *      "initial": variant, "code_rev"}
 *
 * All but key may be absent and are then at their default, on an existing flag too ("initial", which
 * is looked at only when the flag is created, is the off variant). A flag whose needs are not met is
 * created off. What may change where is the caller's to decide; refused here is what would break the
 * state: another value type, a variant removed that a state, rule or schedule uses, requirements in
 * a circle.
 *
 * *ret: JSON array, one object per definition in the same order:
 *     {"key","created":bool,"changed":["description"],"version","held_back":["migration …"]}
 * release_id NULL: not by a release. */
bool flag_store_define(struct pg *db, struct arena *a, const json_t *definitions,
                       const char *release_id, const struct flag_author *by, const char **ret,
                       struct err *e) MUST_USE;

/* The code does not know the flag any more. flag_store_define takes the mark away. */
bool flag_store_mark_removed(struct pg *db, const char *key, const char *release_id,
                             const struct flag_author *by, struct err *e) MUST_USE;

/* Out of the document. ERR_BLOCKED while another flag requires it, or one of the last
 * FLAG_MANIFESTS_KEPT published deploys knows it. */
bool flag_store_archive(struct pg *db, const char *key, const struct flag_author *by,
                        struct err *e) MUST_USE;

#define FLAG_MANIFESTS_KEPT 10

/* What a published deploy's code knows: {key: [variants]}. */
struct flag_manifest {
    const char *deploy_id;
    const char *release_id; /* NULL */
    const char *code_rev;   /* NULL */
    const char *flags;      /* JSON */
    int64_t published_unix_ms;
};
bool flag_store_manifest_put(struct pg *db, const struct flag_manifest *m, struct err *e) MUST_USE;
bool flag_store_manifests(struct pg *db, struct arena *a, struct flag_manifest **ret, size_t *ret_n,
                          struct err *e) MUST_USE; /* newest first */

/* Attributes that a context may hold. type NULL takes the attribute away. */
struct flag_attribute {
    const char *name;
    const char *type; /* string number boolean list version */
    bool is_trusted;
};
bool flag_store_attribute_set(struct pg *db, const struct flag_attribute *attribute,
                              const struct flag_author *by, struct err *e) MUST_USE;
bool flag_store_attributes(struct pg *db, struct arena *a, struct flag_attribute **ret,
                           size_t *ret_n, struct err *e) MUST_USE;

/* ---- segments ---- */

struct flag_segment {
    const char *name;
    const char *rule; /* JSON */
    int64_t version;
    int64_t updated_unix_ms;
    const char *updated_by;
};
bool flag_store_segments(struct pg *db, struct arena *a, struct flag_segment **ret, size_t *ret_n,
                         struct err *e) MUST_USE;

/* A new one has version 0 before. `rule` NULL takes it away, ERR_BLOCKED while a rule uses it. */
bool flag_store_segment_set(struct pg *db, const char *name, const json_t *rule,
                            int64_t expected_version, const struct flag_author *by,
                            int64_t *ret_version, struct err *e) MUST_USE;

/* ---- schedules ---- */

struct flag_schedule {
    int64_t id;
    const char *key;
    int64_t run_unix_ms;
    const char *run_at; /* RFC 3339 UTC */
    const char *patch;  /* JSON */
    const char *state;  /* waiting due held applied cancelled suspended */
    const char *detail; /* why held, or by which change suspended; "" */
    int64_t base_version;
    const char *created_by;
    int64_t created_unix_ms;
    const char *reason; /* NULL */
};

/* `key` NULL: of all flags. Without finished ones unless asked. In the order in which they run. */
bool flag_store_schedules(struct pg *db, struct arena *a, const char *key, bool with_finished,
                          struct flag_schedule **ret, size_t *ret_n, struct err *e) MUST_USE;

/* A change by hand of the same fields, later and before it has run, suspends it. */
bool flag_store_schedule_add(struct pg *db, const char *key, int64_t run_unix_ms,
                             const json_t *patch, const struct flag_author *by, int64_t *ret_id,
                             struct err *e) MUST_USE;
bool flag_store_schedule_cancel(struct pg *db, int64_t id, const struct flag_author *by,
                                struct err *e) MUST_USE;

/* ---- what happened ---- */

struct flag_audit {
    int64_t seq;
    int64_t at_unix_ms;
    int64_t config_version;
    const char *actor;
    const char *via;
    const char *reason;    /* NULL */
    const char *action;    /* create define set kill unkill schedule … */
    const char *key;       /* NULL: not about a flag */
    const char *object;    /* "flag financial", "segment staff", "attribute plan" */
    const char *old_image; /* JSON; NULL */
    const char *new_image; /* JSON; NULL */
};

/* Newest first. before_seq 0: from the newest; limit 0: FLAG_HISTORY_PAGE. `key` NULL: all. */
#define FLAG_HISTORY_PAGE 50
bool flag_store_history(struct pg *db, struct arena *a, const char *key, int64_t before_seq,
                        int limit, struct flag_audit **ret, size_t *ret_n, struct err *e) MUST_USE;
bool flag_store_audit(struct pg *db, struct arena *a, int64_t seq, struct flag_audit *ret,
                      struct err *e) MUST_USE;

/* ---- usage: how often a variant was served, per day, for finding stale flags ---- */

struct flag_use {
    const char *key;
    const char *variant; /* "" none: the code default */
    int64_t n;
};

/* Adds one batch to today's counters. Keys that are no flags are left out. */
bool flag_store_usage_add(struct pg *db, const struct flag_use *uses, size_t n,
                          struct err *e) MUST_USE;

/* Sums of the last `days` days. */
bool flag_store_usage(struct pg *db, struct arena *a, int days, struct flag_use **ret,
                      size_t *ret_n, struct err *e) MUST_USE;

/* ---- what is asked about all of them ---- */

/* Keys of flags whose content came with a release that did not stay: whoever releases them next
 * brings it. `open_release` (or NULL) is ours, after a crash, and does not count. */
bool flag_store_adrift(struct pg *db, struct arena *a, const char *open_release, const char ***ret,
                       size_t *ret_n, struct err *e) MUST_USE;

/* Whoever has had a change of flags open the longest; pid NULL: nobody. */
struct flag_writer {
    const char *pid;
    const char *application;
    const char *user;
    int64_t open_ms;
};
bool flag_store_writer(struct pg *db, struct arena *a, struct flag_writer *ret,
                       struct err *e) MUST_USE;

/* Row-level policies that ask for a flag, by table and name. */
struct flag_policy {
    const char *table; /* "public.invoices" */
    const char *name;
    const char *expressions[2]; /* USING and WITH CHECK; NULL: none */
};
bool flag_store_policies(struct pg *db, struct arena *a, struct flag_policy **ret, size_t *ret_n,
                         struct err *e) MUST_USE;

/* Would lockflight.is_on() understand all of these conditions and fractionals? */
bool flag_store_is_on_reads(struct pg *db, struct arena *a, const json_t *conditions,
                            const json_t *shares, bool *ret, struct err *e) MUST_USE;

#endif
