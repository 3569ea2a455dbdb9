/*
 * What an SQL file says: its statements, read with the grammar of Postgres (libpg_query, version
 * 15), and what each of them asks of the server: how it must be run, what kind of change it is,
 * what it touches, which locks it wants.
 *
 * READING  The text is checked (UTF-8, no NUL, nothing left open, no psql commands, no nesting that
 *          only an attacker writes), cut at the semicolons, and each piece is parsed by itself in a
 *          thread with a large stack. Rows of data are recognised by their first words and not
 *          parsed.
 *
 * NEWER    A piece that the grammar of 15 does not know is not an error: `is_analysed` is false,
 *          `complaint` says what the parser said, and mode, class, objects and locks come from the
 *          words of the statement. Whether it is SQL is for a server to say.
 *
 * CALLS    sql_script_read → walk script.statements; the tree of one with the helpers of tree.h.
 */
#ifndef LOCKFLIGHT_MIGRATE_SCRIPT_H
#define LOCKFLIGHT_MIGRATE_SCRIPT_H

#include "migrate/sql/directive.h"
#include "migrate/sql/statement.h"

/* A name as the file wrote it. Compare with sql_name_eq: no schema and "public" are the same. */
struct sql_name {
    const char *schema; /* NULL if the file does not say */
    const char *name;
};

/* How a statement must be run. */
enum sql_mode {
    SQL_IN_TRANSACTION,  /* together with its neighbours */
    SQL_ALONE,           /* outside any transaction block: CREATE INDEX CONCURRENTLY, VACUUM … */
    SQL_OWN_TRANSACTION, /* committed before the next one: a new enum value cannot be used sooner */
    SQL_BACKFILL,        /* in batches, by directive */
    SQL_FORBIDDEN,       /* not at all: BEGIN, COMMIT, COPY FROM STDIN … */
};
const char *sql_mode_name(enum sql_mode m);

/* What kind of change it is; the weightiest of a file is the file's. In order of weight. */
enum sql_class {
    SQL_NEUTRAL,           /* SET, SELECT, COMMENT, NOTIFY: nothing to take back, or no matter */
    SQL_REPLACEABLE,       /* functions, views, policies, triggers, grants, defaults, constraints */
    SQL_ADDITIVE,          /* new tables, columns, indexes, types, enum values */
    SQL_NON_TRANSACTIONAL, /* concurrent indexes, VACUUM: may stop half-way */
    SQL_BACKFILLING,       /* INSERT, UPDATE over what exists; DO, which may */
    SQL_REWRITING,         /* renames, type changes, SET NOT NULL: breaks the running release */
    SQL_DESTRUCTIVE,       /* DROP, TRUNCATE, DELETE: what was there cannot be restored */
};
const char *sql_class_name(enum sql_class c);

enum sql_kind {
    SQL_TABLE,
    SQL_INDEX,
    SQL_SEQUENCE,
    SQL_VIEW,
    SQL_MATVIEW,
    SQL_FOREIGN_TABLE,
    SQL_TYPE,
    SQL_DOMAIN,
    SQL_FUNCTION, /* procedures and aggregates too */
    SQL_SCHEMA,
    SQL_EXTENSION,
    SQL_ROLE,
    SQL_DATABASE,
    SQL_PUBLICATION,
    SQL_OTHER,
};
const char *sql_kind_name(enum sql_kind k);

enum sql_effect {
    SQL_CREATES,
    SQL_CHANGES,
    SQL_DROPS,
    SQL_WRITES, /* rows */
    SQL_READS,
};

/* One thing that a statement names. `part` is inside it: a column, constraint, trigger, policy,
 * label. */
struct sql_object {
    enum sql_kind kind;
    enum sql_effect effect;
    struct sql_name name;
    const char *part; /* NULL: the thing itself */
};

/* Table locks, weak to strong, numbered as Postgres does. */
enum sql_lock_level {
    SQL_NO_LOCK,
    SQL_ACCESS_SHARE,
    SQL_ROW_SHARE,
    SQL_ROW_EXCLUSIVE,
    SQL_SHARE_UPDATE_EXCLUSIVE,
    SQL_SHARE,
    SQL_SHARE_ROW_EXCLUSIVE,
    SQL_EXCLUSIVE,
    SQL_ACCESS_EXCLUSIVE,
};
const char *sql_lock_name(enum sql_lock_level l); /* "ACCESS EXCLUSIVE", as LOCK TABLE wants it */
const char *sql_lock_pg_name(enum sql_lock_level l); /* "AccessExclusiveLock", as pg_locks says */
bool sql_lock_conflicts(enum sql_lock_level a, enum sql_lock_level b);

/* Whom a lock falls on: the relation named, or others that only a catalogue can list. */
enum sql_reach {
    SQL_ITSELF,
    SQL_ITS_INDEXES,
    SQL_ITS_SEQUENCES,   /* owned by its columns */
    SQL_ITS_REFERENCED,  /* tables its foreign keys point to */
    SQL_ITS_REFERENCING, /* tables whose foreign keys point to it */
    SQL_ITS_DEPENDENTS,  /* views and everything else that CASCADE takes along */
    SQL_ITS_SOURCES,     /* what a view reads */
    SQL_ITS_TABLE,       /* of an index */
    SQL_ITS_PARTITIONS,  /* children, inheriting tables */
    SQL_ITS_DEFAULT_PARTITION,
    SQL_ITS_USERS,   /* of a domain or type: every table with such a column */
    SQL_ITS_MEMBERS, /* of a schema: everything in it */
    SQL_EVERYTHING,  /* the whole database */
};

const char *sql_reach_name(enum sql_reach r); /* "indexes" */

struct sql_lock {
    struct sql_name name; /* of the relation, domain, function or schema */
    enum sql_lock_level level;
    enum sql_reach reach;
    const char *part; /* a reach that goes out from a column or constraint of it; else NULL */
};

enum sql_answer {
    SQL_NO,
    SQL_YES,
    SQL_DEPENDS, /* on the catalogue: the types and functions in question */
};

struct sql_rule; /* rules.h */

struct sql_statement {
    struct str text; /* a slice of the script's text, from its first word, without the semicolon */
    size_t offset;   /* of text in the file, bytes */
    size_t lead;     /* where the comments before it begin */
    unsigned line;   /* of its first word, 1-based */

    const struct PgQuery__Node *tree; /* see tree.h; NULL if not analysed, or bulk data */
    bool is_analysed;
    const char *complaint;   /* not analysed: the parser's words */
    size_t complaint_offset; /* where in the file */
    bool is_bulk;            /* rows of data, not parsed: INSERT … VALUES of some size */

    const char *what; /* for people: "ALTER TABLE", "CREATE INDEX CONCURRENTLY" */
    enum sql_mode mode;
    enum sql_class class;
    enum sql_answer rewrites; /* a table is written anew */
    enum sql_answer scans;    /* a table is read whole under the lock */

    const struct sql_object *objects;
    size_t object_count;
    const struct sql_lock *locks; /* at most one of each name and reach: the strongest */
    size_t lock_count;
    const struct sql_rule *const *rules; /* why: the rows of rules.h that match */
    size_t rule_count;
    bool is_opaque; /* it runs code that is not in the statement: locks may be more than these */

    struct directives
        directives; /* in the comments before it; those of the head are the script's */
};

struct sql_script {
    const char *file; /* for messages */
    struct str text;
    struct sql_statement *statements;
    size_t n;
    struct directives head;
    enum sql_class class;  /* the weightiest */
    bool is_transactional; /* every statement is IN_TRANSACTION */
    bool is_analysed;      /* every statement is */
};

/* Reads a file. `text` must outlive the script. ERR_CONFIG with file, line, caret and remedy for
 * text that nobody can execute; ERR_LIMIT for more than we accept. */
bool sql_script_read(struct arena *a, const char *file, struct str text, struct sql_script *ret,
                     struct err *e) MUST_USE;

/* Runs work(context) where the stack is deep enough for any SQL, and waits. Whoever reads many files
 * does it in there: else each of them, if it is not short, is read in a thread of its own. */
bool sql_on_deep_stack(void (*work)(void *context), void *context, struct err *e) MUST_USE;

/* Is it text at all: UTF-8, without NUL? ERR_CONFIG with its place and the command that converts
 * it. */
bool sql_text_check(const char *file, struct str text, struct err *e) MUST_USE;

/* An error about a place in a file: `where` is file:line:column, `why` ends with the line and a
 * caret. Returns false. */
bool sql_error_at(struct err *e, enum err_code code, const char *file, struct str text,
                  size_t offset, const char *fmt, ...) PRINTF(6, 7);

/* Gives the server's refusal of a statement (ERR_DB) its place: `position` is the character in the
 * statement that the server points at, from 1, or 0. Any other error stays. Returns false. */
bool sql_refused_at(struct err *e, const char *file, struct str text, const struct sql_statement *s,
                    int position);

bool sql_name_eq(struct sql_name a, struct sql_name b);

/* As SQL, quoted where needed: public."Order"; the schema only if there is one. */
const char *sql_name_text(struct arena *a, struct sql_name n);
const char *sql_quote(struct arena *a, const char *identifier);

#endif
