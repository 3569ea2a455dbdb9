/*
 * The text of a secrets file, secrets/<environment>.lf: read, changed line by line, printed. No
 * keys here, and no value but those that are no secret.
 *
 *     #lockflight-secrets 1
 *     #project acme-shop
 *     #env production
 *     #key 3 <key id, base64>
 *     #inbox lfpk1_… <its secret key, encrypted>
 *
 *     #to ana@acme lfpk1_… <the data key, sealed for ana>
 *
 *     DATABASE_URL=lf1.3.17.<base64> lf1.3.16.<base64>
 *
 *     DATABASE_URL+=lf1.3.<base64>
 *
 *     OLD_TOKEN=lf1.3.4.deleted.<base64>
 *
 *     SITE_NAME="Acme"
 *
 * A value is "lf1.<generation>.<revision>." and base64, or for a removed variable "deleted." before
 * it. Behind the value in force stand up to SECRETS_OLDER older ones, newest first: what a release
 * takes back to. "+=" is an addition from somebody who cannot read, waiting to be accepted. A text
 * in quotes is a value that is no secret.
 *
 * MERGES   Lines that nobody touched are printed byte for byte as they were read, with the empty
 *          lines and comments above them. A new line gets an empty one above it, because git calls
 *          changes of neighbouring lines a conflict.
 *
 * ERRORS   ERR_DATA or ERR_LIMIT, with file and line.
 */
#ifndef LOCKFLIGHT_SECRET_SECRETS_FILE_H
#define LOCKFLIGHT_SECRET_SECRETS_FILE_H

#include "base/vec.h"
#include "secret/record.h"

#define SECRETS_OLDER 3 /* values that were in force before, and are kept */

struct secrets_value {
    uint64_t generation;
    uint64_t revision;
    bool is_deleted;
    struct str sealed; /* base64 */
};

enum secrets_kind {
    SECRETS_SEALED,   /* values[] */
    SECRETS_PLAIN,    /* plain: no secret */
    SECRETS_ADDITION, /* values[0].sealed, not accepted yet */
};

struct secrets_line {
    const char *name;
    enum secrets_kind kind;
    struct secrets_value values[1 + SECRETS_OLDER]; /* [0] is in force */
    size_t n;
    const char *plain;
    int line;         /* where it was read; 0: new */
    struct str above; /* empty lines and comments above it, as read */
    struct str text;  /* as read; p NULL: changed, to be printed anew */
};

struct secrets_recipient {
    const char *name;
    struct public_key key;
    struct str wrap; /* base64 */
    int line;
    struct str above;
    struct str text;
};

struct secrets_file {
    struct arena *arena;
    const char *name; /* for errors: "secrets/staging.lf" */
    const char *project;
    const char *environment;
    uint64_t generation;
    struct key_id key_id;
    struct public_key inbox;
    struct str inbox_sealed;
    struct str head; /* the first five lines, as read; p NULL: changed */
    int key_line;
    VEC(struct secrets_recipient) to;
    VEC(struct secrets_line) lines; /* in the order of the file, which is sorted */
    struct str below;               /* what stands behind the last line */
};

/* The texts of the result are slices of `text`, or live in the arena. */
bool secrets_file_parse(struct arena *a, struct str text, const char *name,
                        struct secrets_file *ret, struct err *e) MUST_USE;
/* ERR_LIMIT if the file became too large. */
bool secrets_file_print(const struct secrets_file *f, struct str *ret, struct err *e) MUST_USE;

/* The line of a variable, of the kinds that have a value; NULL if there is none. */
struct secrets_line *secrets_file_find(const struct secrets_file *f, const char *name);
/* The addition that waits for a variable; NULL if there is none. */
struct secrets_line *secrets_file_find_addition(const struct secrets_file *f, const char *name);
struct secrets_recipient *secrets_file_recipient(const struct secrets_file *f, const char *name);

/* A line to be filled in: the one there is, marked as changed, or a new one at its sorted place.
 * ERR_LIMIT if there are too many. Moves the lines: keep no pointer. */
bool secrets_file_line(struct secrets_file *f, const char *name, enum secrets_kind kind,
                       struct secrets_line **ret, struct err *e) MUST_USE;
void secrets_file_drop(struct secrets_file *f, const struct secrets_line *line);
/* Adds a recipient at its sorted place. */
bool secrets_file_grant(struct secrets_file *f, const struct secrets_recipient *to,
                        struct err *e) MUST_USE;
void secrets_file_revoke(struct secrets_file *f, const struct secrets_recipient *to);

/* Is this a name for a variable, or for a recipient ("ana@acme", "ci-prod")? */
bool secrets_name_is_good(struct str name);
bool secrets_recipient_is_good(struct str name);

/* ERR_DATA at a line of the file. */
bool secrets_file_error(const struct secrets_file *f, int line, struct err *e, const char *fmt, ...)
    PRINTF(4, 5);

#endif
