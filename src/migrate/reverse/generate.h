/*
 * Reverse scripts, generated: what takes a migration back, in SQL that people can read.
 *
 * HOW      The migration is run on a scratch database and the catalogue compared with what it was.
 *          The way back is then walked on that same database, step by step: take away what is new,
 *          give old names back, change what was changed, make again what is gone, with exactly the
 *          grants, comments and options it had. Each step that the server accepts is kept, and the
 *          catalogue is looked at again until it is the old one. So a script that is returned has
 *          run, in this order, on this schema. It is not yet a proof: that one also looks at rows,
 *          and runs the script as it is written (migrate/prove).
 *
 * ROWS     What a migration did to rows is not in the catalogue; it is read from its statements.
 *          Inserted rows whose key is known are deleted if nobody changed them. UPDATE, DELETE and
 *          TRUNCATE cannot be taken back without an image of what was there before.
 *
 * LOSS     A nothing; B what was written through the new shape; C what the migration removed: the
 *          shape comes back, not the contents; D something stays as the migration left it. The head
 *          of the script says it in full sentences.
 *
 * REFUSED  What a scratch database cannot show (roles, databases, tablespaces, settings of the
 *          server, subscriptions), and schemas that no step leads back to. `refusal` is the reason.
 */
#ifndef LOCKFLIGHT_MIGRATE_REVERSE_GENERATE_H
#define LOCKFLIGHT_MIGRATE_REVERSE_GENERATE_H

#include "migrate/migration.h"
#include "migrate/shadow/shadow.h"

struct reverse_script {
    const char *sql;     /* the whole file; NULL if refused */
    const char *refusal; /* NULL, or why there is none */
    const char *draft;   /* refused because it does not prove: what was generated, for a person to
                          * mend; else NULL */
    char loss;           /* 'A'..'D' */
    const char *loss_text;
    const char *const *notes; /* what cannot be restored or stays, one sentence each */
    size_t note_count;
};

/* `db` is a database as it is before the migration, whose contents do not matter to anybody. A file
 * whose statements can share a transaction leaves it as it found it; another one leaves it changed.
 * ERR_DB with file, line and caret if the migration itself does not run. */
bool reverse_generate(struct pg *db, struct arena *a, const struct migration *m,
                      struct reverse_script *ret, struct err *e) MUST_USE;

/* The same on a shadow, which is always left as it was found. */
bool reverse_generate_on(struct shadow *before, struct arena *a, const struct migration *m,
                         struct reverse_script *ret, struct err *e) MUST_USE;

#endif
