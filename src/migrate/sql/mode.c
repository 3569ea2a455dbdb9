/*
 * The table of modes: see mode.h. The first row that matches decides.
 */
#include "migrate/sql/mode.h"

#define OURS                                                                                       \
    "remove it: Lockflight opens and ends the transaction, so that all of a file happens or "      \
    "nothing"
#define INSERT "write the rows as INSERT (pg_dump --inserts does)"

// clang-format off
static const struct mode_row rows[] = {
    /* Postgres refuses these in a transaction block */
    { "create index concurrently",                        SQL_ALONE, "CREATE INDEX CONCURRENTLY", NULL },
    { "create unique index concurrently",                 SQL_ALONE, "CREATE UNIQUE INDEX CONCURRENTLY", NULL },
    { "drop index concurrently",                          SQL_ALONE, "DROP INDEX CONCURRENTLY", NULL },
    { "reindex index|table|schema|database|system concurrently", SQL_ALONE, "REINDEX CONCURRENTLY", NULL },
    { "reindex ( .. concurrently ",                       SQL_ALONE, "REINDEX CONCURRENTLY", NULL },
    { "reindex schema",                                   SQL_ALONE, "REINDEX SCHEMA", NULL },
    { "reindex ( .. ) schema",                            SQL_ALONE, "REINDEX SCHEMA", NULL },
    { "reindex database",                                 SQL_ALONE, "REINDEX DATABASE", NULL },
    { "reindex ( .. ) database",                          SQL_ALONE, "REINDEX DATABASE", NULL },
    { "reindex system",                                   SQL_ALONE, "REINDEX SYSTEM", NULL },
    { "reindex ( .. ) system",                            SQL_ALONE, "REINDEX SYSTEM", NULL },
    { "alter table [if exists] % detach partition % concurrently", SQL_ALONE, "DETACH PARTITION … CONCURRENTLY", NULL },
    { "vacuum",                                           SQL_ALONE, "VACUUM", NULL },
    { "cluster [verbose] $",                              SQL_ALONE, "CLUSTER without a table", NULL },
    { "cluster ( verbose ) $",                            SQL_ALONE, "CLUSTER without a table", NULL },
    { "create database",                                  SQL_ALONE, "CREATE DATABASE", NULL },
    { "drop database",                                    SQL_ALONE, "DROP DATABASE", NULL },
    { "alter database % set tablespace",                  SQL_ALONE, "ALTER DATABASE … SET TABLESPACE", NULL },
    { "create tablespace",                                SQL_ALONE, "CREATE TABLESPACE", NULL },
    { "drop tablespace",                                  SQL_ALONE, "DROP TABLESPACE", NULL },
    { "alter system",                                     SQL_ALONE, "ALTER SYSTEM", NULL },
    { "create subscription .. connect = false",           SQL_IN_TRANSACTION, "CREATE SUBSCRIPTION", NULL },
    { "create subscription .. create_slot = false",       SQL_IN_TRANSACTION, "CREATE SUBSCRIPTION", NULL },
    { "create subscription",                              SQL_ALONE, "CREATE SUBSCRIPTION", NULL },
    { "drop subscription",                                SQL_ALONE, "DROP SUBSCRIPTION", NULL },
    { "alter subscription % refresh publication",         SQL_ALONE, "ALTER SUBSCRIPTION … REFRESH PUBLICATION", NULL },
    { "alter subscription % set|add|drop publication .. refresh = false", SQL_IN_TRANSACTION, "ALTER SUBSCRIPTION", NULL },
    { "alter subscription % set|add|drop publication",    SQL_ALONE, "ALTER SUBSCRIPTION … PUBLICATION", NULL },

    /* Postgres runs these in a block, but their effect is usable only after the commit */
    { "alter type % add value",                           SQL_OWN_TRANSACTION, "ALTER TYPE … ADD VALUE", NULL },

    /* the engine's own business, or a conversation that a file cannot have */
    { "begin",                                            SQL_FORBIDDEN, "BEGIN",                OURS },
    { "start transaction",                                SQL_FORBIDDEN, "START TRANSACTION",    OURS },
    { "commit",                                           SQL_FORBIDDEN, "COMMIT",               OURS },
    { "end",                                              SQL_FORBIDDEN, "END",                  OURS },
    { "abort",                                            SQL_FORBIDDEN, "ABORT",                OURS },
    { "rollback [work|transaction] to",                   SQL_IN_TRANSACTION, "ROLLBACK TO",     NULL },
    { "rollback",                                         SQL_FORBIDDEN, "ROLLBACK",             OURS },
    { "prepare transaction",                              SQL_FORBIDDEN, "PREPARE TRANSACTION",  OURS },
    { "discard all",                                      SQL_FORBIDDEN, "DISCARD ALL",
      "remove it: it would also take the lock that keeps other runners away" },
    { "copy .. from stdin",                               SQL_FORBIDDEN, "COPY … FROM STDIN",    INSERT },
    { "copy .. to stdout",                                SQL_FORBIDDEN, "COPY … TO STDOUT",
      "remove it: nobody reads what a migration prints" },
};
// clang-format on

const struct mode_row *mode_of(struct arena *a, struct words *w)
{
    const struct token *first = words_token(w, 0);
    int letter = first ? w->text.p[first->at] | 0x20 : '\0';
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].pattern[0] == letter && words_match(a, w, rows[i].pattern, NULL))
            return &rows[i];
    return NULL;
}
