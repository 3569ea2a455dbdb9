/*
 * Every ceiling on what comes from outside, with its reason. A limit that is met gives ERR_LIMIT
 * with the limit in the text; nothing is cut silently.
 */
#ifndef LOCKFLIGHT_BASE_LIMITS_H
#define LOCKFLIGHT_BASE_LIMITS_H

#define KIB ((size_t)1024)
#define MIB ((size_t)1024 * KIB)
#define GIB ((size_t)1024 * MIB)

#define LIMIT_ARENA_BYTES         (512 * MIB) /* one command's data; a runaway loop ends here */
#define LIMIT_CONFIG_BYTES        (1 * MIB)   /* lockflight.toml and friends are written by hand */
#define LIMIT_JSON_BYTES          (16 * MIB) /* a provider's answer: reliability bar for hostile answers */
#define LIMIT_JSON_DEPTH          64
#define LIMIT_FLAG_DOCUMENT_BYTES (1 * MIB) /* 50 flags are 13 KB */
#define LIMIT_FLAGS               5000
#define LIMIT_FLAG_KEY_BYTES      127
#define LIMIT_FLAG_VARIANTS       64  /* a choice among more is data, not a flag */
#define LIMIT_FLAG_ATTRIBUTES     100 /* of a context */
#define LIMIT_FLAG_SEGMENTS       200
#define LIMIT_FLAG_LIST           32   /* what one flag requires, or needs */
#define LIMIT_FLAG_WORDS_BYTES    2000 /* a description: it stands in tables */
#define LIMIT_FLAG_RULE_DEPTH     32
#define LIMIT_FLAG_STEPS                                                                           \
    10000 /* operators run for one request; a rule of 50 branches takes some 200 */
#define LIMIT_FLAG_TEXT_BYTES    (64 * KIB)
#define LIMIT_FLAG_REQUEST_BYTES (64 * KIB) /* an evaluation context; kept by every visitor */
#define LIMIT_FLAG_ANSWER_BYTES  (8 * MIB)  /* all flags of a document, with metadata */
#define LIMIT_FLAG_STREAMS       2000       /* open event streams; half of the connections */
#define LIMIT_FLAG_TOKENS        64         /* of servers that may see everything */
#define LIMIT_SQL_FILE_BYTES     (16 * MIB) /* a migration file; larger ones are data loads */
#define LIMIT_MIGRATIONS         10000
#define LIMIT_SITE_FILES         50000       /* files of one deploy */
#define LIMIT_SITE_FILE_BYTES    (100 * MIB) /* one file of a site */
#define LIMIT_SITE_BYTES         (2 * GIB)   /* one deploy */
#define LIMIT_UNPACKED_BYTES     (128 * MIB) /* a .gz or .br file of a site, unpacked */
#define LIMIT_SCAN_BYTES         (2 * GIB)   /* one file in all the forms it is searched in */
#define LIMIT_FUNCTION_BYTES     (20 * MIB)  /* the hosted bundle limit */
#define LIMIT_FUNCTION_FILES     2000
#define LIMIT_FUNCTIONS          500
#define LIMIT_SECRET_VALUE_BYTES 24576 /* the hosted limit of a secret's value */
#define LIMIT_SECRET_NAME_BYTES  256
#define LIMIT_VARIABLES          100        /* the hosted limit per project */
#define LIMIT_SECRETS_BYTES      (16 * MIB) /* a secrets file: every line full, and the older values */
#define LIMIT_SECRETS_LINES      1000       /* with tombstones */
#define LIMIT_SECRETS_RECIPIENTS 100
#define LIMIT_RECIPIENT_BYTES    100 /* the name of one */
#define LIMIT_SOURCE_TEXT_BYTES                                                                    \
    (4 * MIB) /* one source that is searched for variables: written by hand */
#define LIMIT_SOURCES_BYTES     (128 * MIB)
#define LIMIT_PATH_BYTES        4096
#define LIMIT_PROC_OUTPUT_BYTES (64 * MIB) /* what a child may print before it is cut off */
#define LIMIT_PROC_LINE_BYTES   (64 * KIB)

/* The HTTP server: what an honest client needs, with room; a hostile one meets the wall early. */
#define LIMIT_HTTP_HEAD_BYTES    (16 * KIB) /* request line and fields */
#define LIMIT_HTTP_LINE_BYTES    (8 * KIB)  /* one of them, the request line included */
#define LIMIT_HTTP_FIELDS        100
#define LIMIT_HTTP_PATH_BYTES    (8 * KIB)
#define LIMIT_HTTP_ANSWER_HEAD   (64 * KIB) /* the head of an upstream's answer */
#define LIMIT_HTTP_CONNECTIONS   4096
#define LIMIT_HTTP_LOOPS         8
#define LIMIT_HTTP_PIECE_BYTES   (256 * KIB) /* read, queued or handed on at a time */
#define LIMIT_HTTP_BEHIND_BYTES  (1 * MIB)   /* a reader of a stream may lag this far */
#define LIMIT_HTTP_API_BODY      (1 * MIB)   /* JSON for an API unless its route says more */
#define LIMIT_REDIRECTS_COMPARED 2000        /* rules compared pair by pair to find doubles */
#define LIMIT_REDIRECT_TARGET    (32 * KIB)  /* filled in; longer than any client would follow */
#define LIMIT_RULE_HEADERS       100         /* different headers of one block of _headers */
#define LIMIT_RULES_BYTES        (1 * MIB)   /* _redirects or _headers of one deploy */
#define LIMIT_BLOB_IN_MEMORY     (1 * MIB)   /* larger contents are sent from their file */
#define LIMIT_BLOBS_MEMORY       (256 * MIB) /* all contents kept in memory */
#define LIMIT_COMPRESS_FROM      256         /* below, the head outweighs the gain */
#define LIMIT_COMPRESS_TO        (8 * MIB)

#endif
