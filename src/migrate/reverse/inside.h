/*
 * What the files of the generator share. Nobody outside includes it.
 *
 *   generate.c   the whole course: up, the way back, the text
 *   converge.c   the way back: rounds of steps until the catalogue is the old one
 *   world.c      a catalogue as objects that know their name, their table and their twin
 *   name.c       new names, old names
 *   drop.c       taking away, and taking away for a while what stands in the way
 *   create.c, create_column.c, table.c   making again
 *   alter.c, alter_column.c, alter_other.c   changing back
 *   grant.c      access lists as GRANT and REVOKE
 *   loss.c       what it loses
 * *   rows.c, rows_insert.c, rows_words.c   what the statements did to rows; they have rows.h
 *   text.c       the script as people read it
 */
#ifndef LOCKFLIGHT_MIGRATE_REVERSE_INSIDE_H
#define LOCKFLIGHT_MIGRATE_REVERSE_INSIDE_H

#include "base/json.h"
#include "base/vec.h"
#include "migrate/catalogue/catalogue.h"
#include "migrate/reverse/generate.h"
#include "migrate/sql/script.h"

/* ---- world.c ---- */

struct object {
    const char *kind;     /* as in the catalogue: "relation", "column" … */
    const char *identity; /* app.t.c */
    const char *what;     /* JSON text; read with object_text and its like */
    struct catalogue_key key;

    const char *schema; /* app; NULL where there is none */
    const char *name;   /* c, quoted where needed; of a function without its arguments */
    const char *parent; /* app.t for what belongs to a table or domain, else NULL */
    const char *args;   /* "(integer)" of a function, else NULL */

    json_t *json;        /* parsed on demand, belongs to the run */
    struct object *twin; /* the same object in the other world, or NULL */
};

struct world {
    struct object *v; /* in order of kind and identity */
    size_t n;
};

struct run;

/* Reads the catalogue of the run's database into `a`, without leaving a trace in the session. */
bool world_read(struct run *r, struct arena *a, struct world *ret, struct err *e) MUST_USE;

/* Finds twins: by the place where the server keeps an object, else by kind and name. */
void world_match(struct run *r, struct world *was, struct world *now);

/* Known by its name only: the migration dropped the old one and made another. */
bool is_another(const struct run *r, const struct object *was, const struct object *now);
/* A table, a column of one, or a sequence. */
bool holds_data(struct run *r, const struct world *w, const struct object *o);

struct object *world_find(const struct world *w, const char *kind, const char *identity);

/* The relation (table, view …) or type that an object belongs to, or NULL. */
struct object *world_parent(const struct world *w, const struct object *o);

bool object_is(const struct object *o, const char *kind);
json_t *object_json(struct run *r, const struct object *o);
const char *object_text(struct run *r, const struct object *o,
                        const char *field); /* NULL: absent */
const char *object_text_or(struct run *r, const struct object *o, const char *field,
                           const char *otherwise);
int64_t object_int(struct run *r, const struct object *o, const char *field);
bool object_bool(struct run *r, const struct object *o, const char *field);
/* 'r', 'v' …; 0 if it is no relation; 'r' of NULL */
char object_relkind(struct run *r, const struct object *o);

/* In the order in which they were made, which is mostly the one in which they need each other. */
void objects_sort(const struct object **list, size_t n, bool is_newest_first);

/* Equal, or different only in what cannot be taken back (labels of an enum). */
bool object_same(struct run *r, const struct object *was, const struct object *now);
bool field_same(struct run *r, const struct object *was, const struct object *now,
                const char *field);

/* ---- the run ---- */

/* One step of the script: statements, separated by ";\n". */
struct action {
    const char *sql;
    const char *kind; /* of the object it is about */
    const char *identity;
    const char *table;                 /* that it belongs to, or NULL */
    const char *note;                  /* a comment above it, or NULL */
    const struct sql_statement *cause; /* that it takes back, if that is known */
};

struct alias {
    struct catalogue_key was, now;
};

struct run {
    struct pg *db;
    struct arena *a;
    json_t *bag; /* owns every parsed JSON */
    const struct sql_script *script;
    const char *user; /* who runs this */

    const struct sql_statement *cause; /* that is being taken back, if they go one by one */

    struct world *was; /* where the way back leads to */
    struct world *now; /* what was read last */

    VEC(struct action) actions;
    VEC(struct alias) aliases;        /* objects that were made again under another OID */
    VEC(struct catalogue_key) doomed; /* what the migration made: it goes, even if its name stays */
    VEC(const char *) made;       /* relations that the way back has made: nobody's rows in them */
    const char *why_what;         /* the object of that step */
    struct err why;               /* why a step was refused, the first of the last round */
    int level;                    /* how far we go: see converge.c */
    VEC(const char *) extensions; /* those that have tables of their own, before or after */
    VEC(const char *) left_out;   /* extensions that this server lacks */
    bool is_unchecked;            /* the script turns the checks of function bodies off */
};

/* Tries one step under a savepoint; keeps it in `actions` if the server accepts it. `about` gives
 * the name for people. */
bool attempt(struct run *r, const struct object *about, const char *fmt, ...) PRINTF(3, 4);
bool attempt_with(struct run *r, const struct object *about, const char *note, const char *sql);

/* As attempt, but the script says `written` where `sql` was run: the gentle form that cannot be used
 * inside a transaction. */
bool attempt_as(struct run *r, const struct object *about, const char *sql, const char *written);

bool was_made(const struct run *r, const char *relation);

/* ---- the steps: true if anything was done ---- */

bool names_restore(struct run *r);
/* Its name in lockflight_gone, if a migration moved it there instead of dropping it; else NULL. */
const char *set_aside(struct run *r, uint32_t oid);
bool drops_all(struct run *r);
bool creates_all(struct run *r);
bool alters_all(struct run *r);

/* Takes an object away that will be made again, and before it what depends on it. */
bool rebuild(struct run *r, const struct object *now);
/* Only what depends on a column: views, rules, policies, triggers. */
bool rebuild_users_of_column(struct run *r, const struct object *column);

bool create_object(struct run *r, const struct object *o);
bool create_table(struct run *r, const struct object *o);
bool create_column(struct run *r, const struct object *o);
const char *column_definition(struct run *r, const struct object *column, bool with_not_null);
const char *sequence_options(struct run *r, const struct object *sequence, bool all);
void alter_object(struct run *r, const struct object *was, const struct object *now);
void alter_column(struct run *r, const struct object *was, const struct object *now);
void alter_other(struct run *r, const struct object *was, const struct object *now);

/* The words for an object after DROP or COMMENT ON: "TABLE app.t", "TRIGGER x ON app.t". */
const char *phrase(struct run *r, const struct object *o);
/* TABLE, VIEW, MATERIALIZED VIEW, FOREIGN TABLE */
const char *relation_word(struct run *r, const struct object *o);
const char *routine_word(struct run *r, const struct object *o);
/* The statement that takes it away, or NULL: it goes with something else. */
const char *drop_text(struct run *r, const struct object *o);

/* The access list of `was` in place of that of `now`. */
void grants_restore(struct run *r, const struct object *was, const struct object *now);
void default_privileges_restore(struct run *r, const struct object *was, const struct object *now);

/* ---- the rest ---- */

const char *quoted_text(struct arena *a, const char *text);
/* Walks the database to the schema of `was`. `now` is the catalogue as it is, or NULL: look. */
bool converge(struct run *r, struct world *was, struct world *now, struct err *e) MUST_USE;

/* Facts for the head of the script. */
struct loss {
    char class;                /* 'A'..'D' */
    VEC(const char *) deleted; /* B: what will be deleted */
    VEC(const char *) emptied; /* C: what comes back empty */
    VEC(const char *) stays;   /* D: what stays, with the reason */
    VEC(const char *) leaves;  /* directives: "enum app.mood sad" */
    VEC(const char *) checks;  /* queries that must return no row, with a sentence */
    VEC(const char *) notes;
};
void loss_raise(struct loss *l, char class);
void loss_find(struct run *r, struct world *was, struct world *after, struct loss *l);

/* Was this index built or dropped without a lock that others wait for? `verb`: "CREATE", "DROP". */
bool index_was_concurrent(const struct run *r, const struct object *index, const char *verb);
/* Does the text have this name in it, as a word? The name may be quoted. */
bool script_mentions(struct str text, const char *name);
const char *script_text(struct run *r, const struct migration *m, const struct loss *l);
const char *reverse_loss_text(struct run *r, const struct loss *l);

#endif
