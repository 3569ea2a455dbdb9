/*
 * The table of newer forms: see newer.h. The first row that matches decides.
 */
#include "migrate/sql/newer.h"

#define TABLE "alter table [if exists] [only] % .. "

// clang-format off
static const struct newer_row rows[] = {
    /* 16 */
    { "create statistics on .. from %",              "CREATE STATISTICS",                      SQL_ADDITIVE,    SQL_NO,  SQL_NO,  SQL_SHARE_UPDATE_EXCLUSIVE },
    { "reindex database|system",                     "REINDEX of the database",                SQL_NON_TRANSACTIONAL, SQL_NO, SQL_YES, SQL_NO_LOCK },
    /* 17 */
    { TABLE "alter [column] % set expression",       "SET EXPRESSION",                         SQL_REWRITING,   SQL_YES, SQL_YES, SQL_ACCESS_EXCLUSIVE },
    { TABLE "alter [column] % set statistics default", "SET STATISTICS DEFAULT",               SQL_REPLACEABLE, SQL_NO,  SQL_NO,  SQL_SHARE_UPDATE_EXCLUSIVE },
    { TABLE "set access method default",             "SET ACCESS METHOD DEFAULT",              SQL_REPLACEABLE, SQL_DEPENDS, SQL_DEPENDS, SQL_ACCESS_EXCLUSIVE },
    { TABLE "split|merge partition|partitions",      "SPLIT or MERGE PARTITION",               SQL_REWRITING,   SQL_YES, SQL_YES, SQL_ACCESS_EXCLUSIVE },
    /* 18 */
    { TABLE "add [constraint %] not null % [no inherit] not valid", "ADD NOT NULL … NOT VALID", SQL_REPLACEABLE, SQL_NO, SQL_NO,  SQL_ACCESS_EXCLUSIVE },
    { TABLE "add [constraint %] not null %",         "ADD NOT NULL",                           SQL_REWRITING,   SQL_NO,  SQL_YES, SQL_ACCESS_EXCLUSIVE },
    { TABLE "alter constraint % [not] enforced|inherit", "ALTER CONSTRAINT",                   SQL_REPLACEABLE, SQL_NO,  SQL_DEPENDS, SQL_ACCESS_EXCLUSIVE },
    { TABLE "alter constraint % no inherit",         "ALTER CONSTRAINT",                       SQL_REPLACEABLE, SQL_NO,  SQL_NO,  SQL_ACCESS_EXCLUSIVE },
    { TABLE "add [constraint %] foreign key .. not enforced", "ADD FOREIGN KEY … NOT ENFORCED", SQL_REPLACEABLE, SQL_NO, SQL_NO,  SQL_SHARE_ROW_EXCLUSIVE },
    { TABLE "add .. not enforced",                   "ADD CHECK … NOT ENFORCED",               SQL_REPLACEABLE, SQL_NO,  SQL_NO,  SQL_ACCESS_EXCLUSIVE },
    { TABLE "without overlaps",                      "ADD UNIQUE … WITHOUT OVERLAPS",          SQL_REPLACEABLE, SQL_NO,  SQL_YES, SQL_ACCESS_EXCLUSIVE },
    { TABLE "foreign key .. period",                 "ADD FOREIGN KEY … PERIOD",               SQL_REPLACEABLE, SQL_NO,  SQL_YES, SQL_SHARE_ROW_EXCLUSIVE },
    { TABLE "generated always as .. virtual",        "ADD COLUMN … VIRTUAL",                   SQL_ADDITIVE,    SQL_NO,  SQL_NO,  SQL_ACCESS_EXCLUSIVE },
    { TABLE "add [column] [if not exists] % .. storage|compression", "ADD COLUMN … STORAGE",   SQL_ADDITIVE,    SQL_NO,  SQL_NO,  SQL_ACCESS_EXCLUSIVE },

    /* otherwise: what the first words say, taken for the worst */
    { TABLE "drop",                                  NULL, SQL_DESTRUCTIVE,  SQL_DEPENDS, SQL_DEPENDS, SQL_ACCESS_EXCLUSIVE },
    { "alter table [if exists] [only] %",            NULL, SQL_REWRITING,    SQL_DEPENDS, SQL_DEPENDS, SQL_ACCESS_EXCLUSIVE },
    { "create [unique] index concurrently .. on [only] %", NULL, SQL_NON_TRANSACTIONAL, SQL_NO, SQL_NO, SQL_SHARE_UPDATE_EXCLUSIVE },
    { "create [unique] index .. on [only] %",        NULL, SQL_ADDITIVE,     SQL_NO,      SQL_YES,     SQL_SHARE },
    { "create or replace [recursive] view %",        NULL, SQL_REPLACEABLE,  SQL_NO,      SQL_NO,      SQL_ACCESS_EXCLUSIVE },
    { "create [or replace] view|function|procedure|aggregate|rule|event|language", NULL, SQL_REPLACEABLE, SQL_NO, SQL_NO, SQL_NO_LOCK },
    { "create [or replace] [constraint] trigger .. on %", NULL, SQL_REPLACEABLE, SQL_NO, SQL_NO,      SQL_SHARE_ROW_EXCLUSIVE },
    { "create policy % on",                          NULL, SQL_REPLACEABLE,  SQL_NO,      SQL_NO,      SQL_NO_LOCK },
    { "create",                                      NULL, SQL_ADDITIVE,     SQL_NO,      SQL_NO,      SQL_NO_LOCK },
    { "alter default privileges",                    NULL, SQL_REPLACEABLE,  SQL_NO,      SQL_NO,      SQL_NO_LOCK },
    { "alter function|procedure|routine|role|publication|database|policy|sequence", NULL, SQL_REPLACEABLE, SQL_NO, SQL_NO, SQL_NO_LOCK },
    { "alter",                                       NULL, SQL_REWRITING,    SQL_DEPENDS, SQL_DEPENDS, SQL_NO_LOCK },
    { "drop table [if exists] %",                    NULL, SQL_DESTRUCTIVE,  SQL_NO,      SQL_NO,      SQL_ACCESS_EXCLUSIVE },
    { "drop",                                        NULL, SQL_DESTRUCTIVE,  SQL_NO,      SQL_NO,      SQL_NO_LOCK },
    { "truncate [table] [only] %",                   NULL, SQL_DESTRUCTIVE,  SQL_YES,     SQL_NO,      SQL_ACCESS_EXCLUSIVE },
    { "delete from [only] %",                        NULL, SQL_DESTRUCTIVE,  SQL_NO,      SQL_DEPENDS, SQL_ROW_EXCLUSIVE },
    { "insert into %",                               NULL, SQL_BACKFILLING,  SQL_NO,      SQL_NO,      SQL_ROW_EXCLUSIVE },
    { "update [only] %",                             NULL, SQL_BACKFILLING,  SQL_NO,      SQL_DEPENDS, SQL_ROW_EXCLUSIVE },
    { "merge into [only] %",                         NULL, SQL_BACKFILLING,  SQL_NO,      SQL_DEPENDS, SQL_ROW_EXCLUSIVE },
    { "copy % from",                                 NULL, SQL_BACKFILLING,  SQL_NO,      SQL_NO,      SQL_ROW_EXCLUSIVE },
    { "grant|revoke|comment|security",               NULL, SQL_REPLACEABLE,  SQL_NO,      SQL_NO,      SQL_NO_LOCK },
    { "select|values|table|set|reset|show|notify|listen|analyze|lock|explain", NULL, SQL_NEUTRAL, SQL_NO, SQL_DEPENDS, SQL_NO_LOCK },
    { "",                                            NULL, SQL_BACKFILLING,  SQL_DEPENDS, SQL_DEPENDS, SQL_NO_LOCK },
};
// clang-format on

const struct newer_row *newer_find(struct arena *a, struct words *w, struct sql_name *ret_name)
{
    size_t last = sizeof rows / sizeof *rows - 1;
    for (size_t i = 0; i < last; i++)
        if (words_match(a, w, rows[i].pattern, ret_name))
            return &rows[i];
    return &rows[last];
}
