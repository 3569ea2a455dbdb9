/*
 * What may go wrong with a migration while people use the application: locks that stall them,
 * tables written anew, changes that the running release does not survive, data that is lost.
 *
 * KNOWLEDGE  The rules ask a small model of the schema (schema.h). It is filled from a database in
 *            the state before the migrations, if one is given; else by reading the earlier files;
 *            and it follows the statements as they are read. A rule that needs to know and cannot
 *            supposes the worst and says so (`is_assumed`).
 *
 * NEW        Tables made by the same set of files have no traffic yet: lock rules leave them alone.
 *
 * EXCEPTIONS `-- allow: L01 reason` before a statement suppresses the rule there, at the head of a
 *            file in all of it. `-- phase: contract` lifts the rules that ask for a contract. Both
 *            kinds stay in the report, marked.
 */
#ifndef LOCKFLIGHT_MIGRATE_LINT_H
#define LOCKFLIGHT_MIGRATE_LINT_H

#include "migrate/lint/rule.h"
#include "migrate/migration.h"
#include "migrate/sql/script.h"
#include "provider/pg.h"

struct lint_finding {
    const struct lint_rule *rule;
    enum lint_severity severity; /* the rule's, or lower: `what` says why */
    const struct migration *migration;
    size_t offset;       /* in the file, bytes */
    bool is_of_file;     /* about the file as a whole: no line to show */
    struct place place;  /* the same for people */
    const char *what;    /* a sentence about this case */
    bool is_assumed;     /* no catalogue could decide */
    const char *allowed; /* NULL: it stands. Else the reason given in the file */
    bool is_lifted;      /* does not stand, because the file is a contract */
};

/* What a migration means for the release that is running while it is applied. */
struct lint_verdict {
    const struct migration *migration;
    enum phase phase; /* as the file says, else as its statements are */
    bool is_declared; /* the file says so */
    bool is_compatible;
    const char *why;                /* a sentence */
    size_t errors, warnings, notes; /* of findings that stand */
};

struct lint_report {
    struct lint_finding *v; /* by file, then by place */
    size_t n;
    struct lint_verdict *verdicts; /* one per migration */
    size_t verdict_count;
    size_t errors, warnings, notes; /* that stand */
    size_t allowed, lifted;
    size_t statements;
    bool has_catalogue; /* a database answered */
    size_t tried;       /* queries and functions of the running release that were tried */
};

struct lint_input {
    const struct migration *const *files; /* to be judged, in the order they will run */
    size_t n;
    const struct migration *const *before; /* what the schema was made of, earlier files */
    size_t before_count;
    struct pg *db;         /* in the state before `files`; NULL: none is known */
    bool is_one_release;   /* the files go out together: a table of the first is new for the last */
    bool is_by_hand;       /* scripts for psql, not for Lockflight */
    bool wants_reverse;    /* a missing reverse script is an error (else: a warning) */
    bool no_reverse_rules; /* D03 and D04 are asked elsewhere */
    const char *const *queries; /* of the running release; may be none */
    size_t query_count;
    const char *const *exposed; /* schemas that the API shows, NULL-terminated; NULL: public */
};

/* Reads and judges. ERR_CONFIG for a file that is no SQL, ERR_DB … of the database. Findings are no
 * errors. */
bool lint_run(struct arena *a, const struct lint_input *in, struct lint_report *ret,
              struct err *e) MUST_USE;

/* A finding about a file as a whole, from somebody who knows more than the text: the running release's
 * queries, the proofs that are kept. Of `f` rule, severity, migration and what are set. `allow:`
 * anywhere in the file excepts it; ERR_CONFIG for one that cannot be read. Call lint_report_count
 * after the last. */
bool lint_report_add(struct arena *a, struct lint_report *r, const struct lint_finding *f,
                     struct err *e) MUST_USE;
void lint_report_count(struct lint_report *r);

/* ERR_BLOCKED with the first error that stands, and how many more there are; true if none does. */
bool lint_report_check(struct arena *a, const struct lint_report *r, struct err *e) MUST_USE;

#endif
