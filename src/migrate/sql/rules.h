/*
 * What Postgres does for each kind of change: which locks it takes on what, whether it writes a
 * table anew, whether it reads one whole, and which class of change it is. One table of rows,
 * measured on servers of version 15 to 18; a test runs each row and compares (test_rules.c).
 *
 * A statement, or a command of ALTER TABLE, is described by all rows that match it: ADD COLUMN with
 * REFERENCES and a volatile default has three.
 */
#ifndef LOCKFLIGHT_MIGRATE_RULES_H
#define LOCKFLIGHT_MIGRATE_RULES_H

#include "migrate/sql/clause.h"

/* On whom a lock falls, as far as the statement says. */
enum sql_whom {
    SQL_NOBODY,
    SQL_SUBJECT,     /* the relation the statement is about */
    SQL_LISTED,      /* each object of DROP, TRUNCATE, LOCK, VACUUM … */
    SQL_REFERENCED,  /* the target of a foreign key in this clause */
    SQL_PARTITION,   /* the one attached or detached */
    SQL_PARENTS,     /* INHERITS, PARTITION OF */
    SQL_LIKED,       /* CREATE TABLE … (LIKE x) */
    SQL_READ,        /* every relation that a query in the statement reads */
    SQL_WRITTEN,     /* the target of INSERT, UPDATE, DELETE, MERGE, also inside WITH */
    SQL_NAMED_INDEX, /* USING INDEX i, REPLICA IDENTITY USING INDEX i, CLUSTER ON i */
    SQL_OWNER,       /* of a sequence: OWNED BY t.c */
};

struct sql_rule_lock {
    enum sql_whom whom;
    enum sql_reach reach;
    enum sql_lock_level level;
};

struct sql_rule {
    const char *says; /* "ADD COLUMN with a volatile default" */
    int node;         /* PG_QUERY__NODE__NODE_… */
    int kind;         /* of it: a command of ALTER TABLE, an object type; 0: any */
    bool (*when)(const struct clause *c); /* NULL: always */
    enum sql_class class;
    enum sql_answer rewrites, scans;
    struct sql_rule_lock locks[4];
    const char *safer; /* what to do instead, or NULL */
};

/* All rows, for tests and documentation. */
const struct sql_rule *sql_rules(size_t *ret_count);

/* The first row from `from` on that matches; NULL at the end. */
const struct sql_rule *rule_next(const struct clause *c, const struct sql_rule *from);

#endif
