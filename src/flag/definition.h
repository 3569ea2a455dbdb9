/*
 * What a release may change about flags: the difference between lockflight.flags.toml and what an
 * environment's database has, decided change by change. Pure: nothing is asked and nothing written.
 *
 * RULE     The code owns definitions, operators own states. A release creates what is missing and
 *          brings definitions up to date; it never switches anything, and takes nothing away that a
 *          state, a rule, a schedule or the code of a recent deploy still uses.
 *
 *     difference                        dev        staging    protected
 *     new in the file                   create     create     create      as `initial` says, else off
 *     words, kind, expires              update     update     update
 *     requires, needs                   update     update     update
 *     gone from the file and back       update     update     update
 *     came with a release that failed   update     update     update      this one brings it
 *     variant added                     update     update     update
 *     variant's value changed, unused   update     update     update
 *     variant's value changed, used     warn       refuse     refuse
 *     variant removed, unused           update     update     update
 *     variant removed, used             keep       refuse     refuse      keep: it stays, and is said
 *     type of the values changed        refuse     refuse     refuse
 *     off variant changed               update     update     confirm
 *     browsers may see it now           update     confirm    confirm
 *     browsers may not any more         warn       warn       warn
 *     archived, and in the file again   warn       warn       confirm     comes back as it was
 *     gone from the file                mark       mark       mark        after the release is proved
 */
#ifndef LOCKFLIGHT_FLAG_DEFINITION_H
#define LOCKFLIGHT_FLAG_DEFINITION_H

#include "config/config.h"
#include "flag/store.h"

/* What kind of environment it is. */
enum flag_place {
    FLAG_PLACE_DEV,
    FLAG_PLACE_STAGING,   /* another environment requires its proof */
    FLAG_PLACE_PROTECTED, /* it requires another one's proof, or is production */
};

enum definition_move {
    DEFINE_CREATE,
    DEFINE_UPDATE,
    DEFINE_WARN,    /* is done, and said */
    DEFINE_KEEP,    /* is not done, and said: the variant stays */
    DEFINE_CONFIRM, /* is done if a person said so */
    DEFINE_REFUSE,
    DEFINE_MARK_REMOVED,
};

/* The differences there are, in the order of the table above. */
enum definition_difference {
    DIFFERENCE_NEW,
    DIFFERENCE_WORDS,
    DIFFERENCE_LINKS,
    DIFFERENCE_BACK,
    DIFFERENCE_ADRIFT,
    DIFFERENCE_VARIANT_ADDED,
    DIFFERENCE_VALUE_UNUSED,
    DIFFERENCE_VALUE_USED,
    DIFFERENCE_VARIANT_GONE,
    DIFFERENCE_VARIANT_GONE_USED,
    DIFFERENCE_TYPE,
    DIFFERENCE_OFF,
    DIFFERENCE_PUBLIC,
    DIFFERENCE_PRIVATE,
    DIFFERENCE_ARCHIVED,
    DIFFERENCE_GONE,
};

/* The table. */
enum definition_move definition_decide(enum definition_difference d, enum flag_place place);

struct definition_change {
    enum definition_difference difference;
    enum definition_move move;
    const char *text; /* "variant blue removed, which its rule uses" */
    const char *hint; /* NULL: none */
};

/* One flag that differs. */
struct definition_action {
    enum definition_move move; /* CREATE, UPDATE, MARK_REMOVED; KEEP: there is nothing to write */
    const char *key;
    const struct config_flag *flag;    /* NULL: gone from the file */
    const struct flag_row *row;        /* NULL: new */
    const char *initial;               /* of a new one: the variant it begins with */
    const struct definition_change *v; /* at least one */
    size_t n;
    struct text_array keeps; /* variants that the file has not and that stay: name → in the row */
};

/* One attribute or segment that differs: segments are only ever created. */
struct definition_extra {
    const struct config_attribute *attribute; /* to write; NULL: `gone`, or a segment */
    const struct config_segment *segment;
    const char *gone; /* name of an attribute that the file has no more */
};

struct definition_plan {
    struct definition_action *v; /* in the order of the file, then those that are gone */
    size_t n;
    struct definition_extra *extras;
    size_t extras_n;
    size_t created, updated, removed;         /* flags */
    size_t refused, to_confirm, kept, warned; /* changes */
};

/* What the database has, as the store reads it. */
struct definition_database {
    struct flag_rows rows;                 /* archived ones too */
    const struct flag_schedule *schedules; /* those that have not run */
    size_t schedules_n;
    const struct flag_manifest *manifests; /* of the last published deploys */
    size_t manifests_n;
    const struct flag_attribute *attributes;
    size_t attributes_n;
    const struct flag_segment *segments;
    size_t segments_n;
    struct text_array adrift; /* flags whose content came with a release that did not stay */
};

/* `environment` is looked up in `initial`. ERR_DATA if the database's JSON cannot be read. */
bool definition_plan(struct arena *a, const struct config_flags *file,
                     const struct definition_database *db, enum flag_place place,
                     const char *environment, struct definition_plan *ret, struct err *e) MUST_USE;

/* True if there is something to write before the code is published. */
bool definition_has_work(const struct definition_plan *p);

/* One definition as flag_store_define takes it, kept variants among its own. */
bool definition_json(const struct definition_action *action, const char *code_rev, json_t **ret,
                     struct err *e) MUST_USE;

/* Who uses the variant, as the end of a sentence: "its rule names it"; NULL: nobody. */
const char *definition_use(struct arena *a, const struct definition_database *db,
                           const struct flag_row *row, const char *variant);

enum flag_place definition_place(const struct config *c, const struct config_env *env);

#endif
