/*
 * The table of locks, rewrites, scans and classes: see rules.h.
 *
 * Of the rows that match, the weightiest class counts, and of two locks on one thing the stronger.
 * A reach beyond the thing itself (its indexes, its dependents) is for a catalogue to resolve.
 */
#include "migrate/sql/rules.h"

/* ---- the words of the table ---- */

#define NODE(name)     PG_QUERY__NODE__NODE_##name
#define ALTER(name)    NODE(ALTER_TABLE_STMT), PG_QUERY__ALTER_TABLE_TYPE__AT_##name
#define OF(node, type) NODE(node), PG_QUERY__OBJECT_TYPE__OBJECT_##type

#define AS  SQL_ACCESS_SHARE
#define RS  SQL_ROW_SHARE
#define RE  SQL_ROW_EXCLUSIVE
#define SUE SQL_SHARE_UPDATE_EXCLUSIVE
#define S   SQL_SHARE
#define SRE SQL_SHARE_ROW_EXCLUSIVE
#define E   SQL_EXCLUSIVE
#define AE  SQL_ACCESS_EXCLUSIVE

#define IT(level)                                                                                  \
    {                                                                                              \
        SQL_SUBJECT, SQL_ITSELF, level                                                             \
    }
#define TREE(level)                                                                                \
    IT(level),                                                                                     \
    {                                                                                              \
        SQL_SUBJECT, SQL_ITS_PARTITIONS, level                                                     \
    }
#define INDEXES(level)                                                                             \
    {                                                                                              \
        SQL_SUBJECT, SQL_ITS_INDEXES, level                                                        \
    }
#define SEQUENCES(level)                                                                           \
    {                                                                                              \
        SQL_SUBJECT, SQL_ITS_SEQUENCES, level                                                      \
    }
#define DEPENDENTS(level)                                                                          \
    {                                                                                              \
        SQL_SUBJECT, SQL_ITS_DEPENDENTS, level                                                     \
    }
#define SOURCES(level)                                                                             \
    {                                                                                              \
        SQL_SUBJECT, SQL_ITS_SOURCES, level                                                        \
    }
#define USERS(level)                                                                               \
    {                                                                                              \
        SQL_SUBJECT, SQL_ITS_USERS, level                                                          \
    }
#define TABLE(level)                                                                               \
    {                                                                                              \
        SQL_SUBJECT, SQL_ITS_TABLE, level                                                          \
    }
#define EACH(level)                                                                                \
    {                                                                                              \
        SQL_LISTED, SQL_ITSELF, level                                                              \
    }
#define EACH_DEPENDENTS(level)                                                                     \
    {                                                                                              \
        SQL_LISTED, SQL_ITS_DEPENDENTS, level                                                      \
    }
#define EACH_TABLE(level)                                                                          \
    {                                                                                              \
        SQL_LISTED, SQL_ITS_TABLE, level                                                           \
    }
#define EACH_REFERENCING(level)                                                                    \
    {                                                                                              \
        SQL_LISTED, SQL_ITS_REFERENCING, level                                                     \
    }
#define REFERENCED(level)                                                                          \
    {                                                                                              \
        SQL_REFERENCED, SQL_ITSELF, level                                                          \
    }
#define PARTITION(level)                                                                           \
    {                                                                                              \
        SQL_PARTITION, SQL_ITSELF, level                                                           \
    }
#define PARENTS(level)                                                                             \
    {                                                                                              \
        SQL_PARENTS, SQL_ITSELF, level                                                             \
    }
#define LIKED(level)                                                                               \
    {                                                                                              \
        SQL_LIKED, SQL_ITSELF, level                                                               \
    }
#define READ(level)                                                                                \
    {                                                                                              \
        SQL_READ, SQL_ITSELF, level                                                                \
    }
#define WRITTEN(level)                                                                             \
    {                                                                                              \
        SQL_WRITTEN, SQL_ITSELF, level                                                             \
    }
#define NAMED_INDEX(level)                                                                         \
    {                                                                                              \
        SQL_NAMED_INDEX, SQL_ITSELF, level                                                         \
    }
#define OWNER(level)                                                                               \
    {                                                                                              \
        SQL_OWNER, SQL_ITSELF, level                                                               \
    }

#define ADDS     SQL_ADDITIVE
#define REPLACES SQL_REPLACEABLE
#define REWRITES SQL_REWRITING
#define DESTROYS SQL_DESTRUCTIVE
#define FILLS    SQL_BACKFILLING
#define NEUTRAL  SQL_NEUTRAL
#define HALFWAY  SQL_NON_TRANSACTIONAL

#define NO  SQL_NO
#define YES SQL_YES
#define MAY SQL_DEPENDS

/* ---- what people read in "safer" ---- */

#define FILL_LATER  "add it nullable, SET DEFAULT for new rows, then backfill the old ones"
#define FK_LATER    "ADD FOREIGN KEY … NOT VALID, then VALIDATE CONSTRAINT in a later migration"
#define CHECK_LATER "ADD CHECK … NOT VALID, then VALIDATE CONSTRAINT in a later migration"
#define INDEX_FIRST "CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … USING INDEX"
#define NEW_COLUMN                                                                                 \
    "add a new column, keep both in step with a trigger, backfill, then let the code move over"
#define CONTRACT   "let a release pass that does not use it; drop it in a contract migration"
#define IN_BATCHES "a backfill, in batches"

// clang-format off
static const struct sql_rule rows[] = {
    /* ---- tables: new columns ---- */
    { "ADD COLUMN", ALTER(AddColumn), on_table, ADDS, NO, NO, { TREE(AE) }, NULL },
    { "ADD COLUMN with a volatile default", ALTER(AddColumn), column_has_volatile_default, ADDS, YES, YES, { INDEXES(AE) }, FILL_LATER },
    { "ADD COLUMN with a default that calls a function of yours", ALTER(AddColumn), column_may_have_volatile_default, ADDS, MAY, MAY, { { 0 } }, FILL_LATER },
    { "ADD COLUMN serial, identity or GENERATED … STORED", ALTER(AddColumn), column_is_computed, ADDS, YES, YES, { INDEXES(AE) }, FILL_LATER },
    { "ADD COLUMN of a type of yours, which may be a domain with a constraint", ALTER(AddColumn), column_has_own_type, ADDS, MAY, MAY, { { 0 } }, "the base type, and CHECK … NOT VALID" },
    { "ADD COLUMN … REFERENCES", ALTER(AddColumn), column_has_references, ADDS, NO, NO, { REFERENCED(SRE) }, FK_LATER },
    { "ADD COLUMN … CHECK", ALTER(AddColumn), column_has_check, ADDS, NO, YES, { { 0 } }, CHECK_LATER },
    { "ADD COLUMN … UNIQUE or PRIMARY KEY", ALTER(AddColumn), column_has_index, ADDS, NO, YES, { { 0 } }, INDEX_FIRST },
    { "ADD ATTRIBUTE", ALTER(AddColumn), on_type, REWRITES, NO, NO, { IT(AE) }, NULL },

    /* ---- tables: columns ---- */
    { "DROP COLUMN", ALTER(DropColumn), on_table, DESTROYS, NO, NO, { TREE(AE), DEPENDENTS(AE) }, CONTRACT },
    { "DROP ATTRIBUTE", ALTER(DropColumn), on_type, DESTROYS, NO, NO, { IT(AE) }, CONTRACT },
    { "SET or DROP DEFAULT", ALTER(ColumnDefault), on_table, REPLACES, NO, NO, { TREE(AE) }, NULL },
    { "SET or DROP DEFAULT of a view", ALTER(ColumnDefault), on_view, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "DROP NOT NULL", ALTER(DropNotNull), NULL, REPLACES, NO, NO, { TREE(AE) }, NULL },
    { "SET NOT NULL", ALTER(SetNotNull), NULL, REWRITES, NO, MAY, { TREE(AE) }, "a validated CHECK (c IS NOT NULL) first: then nothing is read" },
    { "DROP EXPRESSION", ALTER(DropExpression), NULL, REPLACES, NO, NO, { TREE(AE) }, NULL },
    { "ALTER COLUMN … TYPE", ALTER(AlterColumnType), on_table, REWRITES, MAY, MAY, { TREE(AE) }, NEW_COLUMN },
    { "ALTER ATTRIBUTE … TYPE", ALTER(AlterColumnType), on_type, REWRITES, NO, NO, { IT(AE) }, NULL },
    { "SET STATISTICS", ALTER(SetStatistics), NULL, REPLACES, NO, NO, { IT(SUE) }, NULL },
    { "SET column options", ALTER(SetOptions), NULL, REPLACES, NO, NO, { IT(SUE) }, NULL },
    { "RESET column options", ALTER(ResetOptions), NULL, REPLACES, NO, NO, { IT(SUE) }, NULL },
    { "SET STORAGE", ALTER(SetStorage), NULL, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "SET COMPRESSION", ALTER(SetCompression), NULL, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "ADD GENERATED … AS IDENTITY", ALTER(AddIdentity), NULL, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "SET GENERATED", ALTER(SetIdentity), NULL, REPLACES, NO, NO, { IT(AE), SEQUENCES(SRE) }, NULL },
    { "DROP IDENTITY", ALTER(DropIdentity), NULL, DESTROYS, NO, NO, { IT(AE), DEPENDENTS(AE) }, CONTRACT },

    /* ---- tables: constraints ---- */
    { "ADD CHECK", ALTER(AddConstraint), constraint_is_check, REPLACES, NO, YES, { TREE(AE) }, CHECK_LATER },
    { "ADD CHECK … NOT VALID", ALTER(AddConstraint), constraint_is_check_not_valid, REPLACES, NO, NO, { TREE(AE) }, NULL },
    { "ADD FOREIGN KEY", ALTER(AddConstraint), constraint_is_foreign, REPLACES, NO, YES, { IT(SRE), REFERENCED(SRE) }, FK_LATER },
    { "ADD FOREIGN KEY … NOT VALID", ALTER(AddConstraint), constraint_is_foreign_not_valid, REPLACES, NO, NO, { IT(SRE), REFERENCED(SRE) }, NULL },
    { "ADD UNIQUE", ALTER(AddConstraint), constraint_is_unique, REPLACES, NO, YES, { IT(AE) }, INDEX_FIRST },
    { "ADD PRIMARY KEY", ALTER(AddConstraint), constraint_is_primary, REPLACES, NO, YES, { IT(AE) }, INDEX_FIRST },
    { "ADD EXCLUDE", ALTER(AddConstraint), constraint_is_exclusion, REPLACES, NO, YES, { IT(AE) }, NULL },
    { "ADD CONSTRAINT … USING INDEX", ALTER(AddConstraint), constraint_uses_index, REPLACES, NO, MAY, { IT(AE), NAMED_INDEX(SUE) }, NULL },
    { "VALIDATE CONSTRAINT", ALTER(ValidateConstraint), NULL, REPLACES, NO, YES, { TREE(SUE) }, NULL },
    { "DROP CONSTRAINT", ALTER(DropConstraint), NULL, REPLACES, NO, NO, { TREE(AE), DEPENDENTS(AE) }, NULL },
    { "ALTER CONSTRAINT", ALTER(AlterConstraint), NULL, REPLACES, NO, NO, { IT(AE) }, NULL },

    /* ---- tables: as a whole ---- */
    { "SET (storage parameters)", ALTER(SetRelOptions), on_table, REPLACES, NO, NO, { IT(SUE) }, NULL },
    { "RESET (storage parameters)", ALTER(ResetRelOptions), on_table, REPLACES, NO, NO, { IT(SUE) }, NULL },
    { "SET (index parameters)", ALTER(SetRelOptions), on_index, REPLACES, NO, NO, { IT(SUE) }, NULL },
    { "SET (view options)", ALTER(SetRelOptions), on_view, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "RESET (view options)", ALTER(ResetRelOptions), on_view, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "CLUSTER ON", ALTER(ClusterOn), NULL, REPLACES, NO, NO, { IT(SUE), NAMED_INDEX(SUE) }, NULL },
    { "SET WITHOUT CLUSTER", ALTER(DropCluster), NULL, REPLACES, NO, NO, { IT(SUE) }, NULL },
    { "OWNER TO", ALTER(ChangeOwner), NULL, REPLACES, NO, NO, { IT(AE), INDEXES(AE), SEQUENCES(AE) }, NULL },
    { "SET LOGGED", ALTER(SetLogged), NULL, REPLACES, YES, YES, { IT(AE), INDEXES(AE) }, NULL },
    { "SET UNLOGGED", ALTER(SetUnLogged), NULL, REWRITES, YES, YES, { IT(AE), INDEXES(AE) }, NULL },
    { "SET ACCESS METHOD", ALTER(SetAccessMethod), NULL, REPLACES, YES, YES, { IT(AE), INDEXES(AE) }, NULL },
    { "SET TABLESPACE", ALTER(SetTableSpace), NULL, REPLACES, YES, YES, { IT(AE) }, NULL },
    { "REPLICA IDENTITY", ALTER(ReplicaIdentity), NULL, REPLACES, NO, NO, { IT(AE), NAMED_INDEX(S) }, NULL },
    { "ENABLE ROW LEVEL SECURITY", ALTER(EnableRowSecurity), NULL, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "DISABLE ROW LEVEL SECURITY", ALTER(DisableRowSecurity), NULL, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "FORCE ROW LEVEL SECURITY", ALTER(ForceRowSecurity), NULL, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "NO FORCE ROW LEVEL SECURITY", ALTER(NoForceRowSecurity), NULL, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "ENABLE TRIGGER", ALTER(EnableTrig), NULL, REPLACES, NO, NO, { IT(SRE) }, NULL },
    { "ENABLE ALWAYS TRIGGER", ALTER(EnableAlwaysTrig), NULL, REPLACES, NO, NO, { IT(SRE) }, NULL },
    { "ENABLE REPLICA TRIGGER", ALTER(EnableReplicaTrig), NULL, REPLACES, NO, NO, { IT(SRE) }, NULL },
    { "DISABLE TRIGGER", ALTER(DisableTrig), NULL, REPLACES, NO, NO, { IT(SRE) }, NULL },
    { "ENABLE TRIGGER ALL", ALTER(EnableTrigAll), NULL, REPLACES, NO, NO, { IT(SRE) }, NULL },
    { "DISABLE TRIGGER ALL", ALTER(DisableTrigAll), NULL, REPLACES, NO, NO, { IT(SRE) }, NULL },
    { "ENABLE TRIGGER USER", ALTER(EnableTrigUser), NULL, REPLACES, NO, NO, { IT(SRE) }, NULL },
    { "DISABLE TRIGGER USER", ALTER(DisableTrigUser), NULL, REPLACES, NO, NO, { IT(SRE) }, NULL },
    { "ENABLE RULE", ALTER(EnableRule), NULL, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "DISABLE RULE", ALTER(DisableRule), NULL, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "INHERIT", ALTER(AddInherit), NULL, REPLACES, NO, NO, { IT(AE), PARTITION(SUE) }, NULL },
    { "NO INHERIT", ALTER(DropInherit), NULL, REWRITES, NO, NO, { IT(AE), PARTITION(AS) }, NULL },
    { "OF", ALTER(AddOf), NULL, REPLACES, NO, NO, { IT(AE), PARTITION(AS) }, NULL },
    { "NOT OF", ALTER(DropOf), NULL, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "ATTACH PARTITION", ALTER(AttachPartition), on_table, ADDS, NO, MAY, { IT(SUE), INDEXES(SUE), PARTITION(AE), { SQL_SUBJECT, SQL_ITS_DEFAULT_PARTITION, AE } }, "CHECK … NOT VALID and VALIDATE on the partition first: then it is not read" },
    { "ATTACH PARTITION to an index", ALTER(AttachPartition), on_index, REPLACES, NO, NO, { IT(SUE), TABLE(AS), PARTITION(AE), { SQL_PARTITION, SQL_ITS_TABLE, AS } }, NULL },
    { "DETACH PARTITION", ALTER(DetachPartition), is_not_concurrent, REWRITES, NO, NO, { IT(AE), PARTITION(AE), { SQL_SUBJECT, SQL_ITS_DEFAULT_PARTITION, AE } }, "DETACH PARTITION … CONCURRENTLY" },
    { "DETACH PARTITION … CONCURRENTLY", ALTER(DetachPartition), detaches_concurrently, HALFWAY, NO, NO, { IT(SUE) }, NULL },
    { "DETACH PARTITION … FINALIZE", ALTER(DetachPartitionFinalize), NULL, REWRITES, NO, NO, { IT(SUE), PARTITION(AE) }, NULL },

    /* ---- renames, owners, schemas ---- */
    { "RENAME TABLE", OF(RENAME_STMT, TABLE), NULL, REWRITES, NO, NO, { IT(AE) }, "a view with the new name, until nothing uses the old one" },
    { "RENAME COLUMN", OF(RENAME_STMT, COLUMN), NULL, REWRITES, NO, NO, { TREE(AE) }, NEW_COLUMN },
    { "RENAME CONSTRAINT", OF(RENAME_STMT, TABCONSTRAINT), NULL, REPLACES, NO, NO, { TREE(AE) }, NULL },
    { "RENAME TRIGGER", OF(RENAME_STMT, TRIGGER), NULL, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "RENAME POLICY", OF(RENAME_STMT, POLICY), NULL, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "RENAME RULE", OF(RENAME_STMT, RULE), NULL, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "RENAME INDEX", OF(RENAME_STMT, INDEX), NULL, REPLACES, NO, NO, { IT(SUE) }, NULL },
    { "RENAME VIEW", OF(RENAME_STMT, VIEW), NULL, REWRITES, NO, NO, { IT(AE) }, "a second view with the new name" },
    { "RENAME MATERIALIZED VIEW", OF(RENAME_STMT, MATVIEW), NULL, REWRITES, NO, NO, { IT(AE) }, NULL },
    { "RENAME SEQUENCE", OF(RENAME_STMT, SEQUENCE), NULL, REWRITES, NO, NO, { IT(AE) }, NULL },
    { "RENAME ATTRIBUTE", OF(RENAME_STMT, ATTRIBUTE), NULL, REWRITES, NO, NO, { IT(AE) }, NULL },
    { "RENAME of something without rows", NODE(RENAME_STMT), 0, NULL, REWRITES, NO, NO, { { 0 } }, "a second one with the new name" },
    { "SET SCHEMA of a table", OF(ALTER_OBJECT_SCHEMA_STMT, TABLE), NULL, REWRITES, NO, NO, { IT(AE), SEQUENCES(AE) }, "a view in the new schema" },
    { "SET SCHEMA of a view", OF(ALTER_OBJECT_SCHEMA_STMT, VIEW), NULL, REWRITES, NO, NO, { IT(AE) }, "a second view" },
    { "SET SCHEMA of a materialized view", OF(ALTER_OBJECT_SCHEMA_STMT, MATVIEW), NULL, REWRITES, NO, NO, { IT(AE) }, NULL },
    { "SET SCHEMA of a sequence", OF(ALTER_OBJECT_SCHEMA_STMT, SEQUENCE), NULL, REWRITES, NO, NO, { IT(AE) }, NULL },
    { "SET SCHEMA", NODE(ALTER_OBJECT_SCHEMA_STMT), 0, NULL, REWRITES, NO, NO, { { 0 } }, "a second one in the new schema" },
    { "OWNER TO of something without rows", NODE(ALTER_OWNER_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "DEPENDS ON EXTENSION", NODE(ALTER_OBJECT_DEPENDS_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },

    /* ---- new relations ---- */
    { "CREATE TABLE", NODE(CREATE_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "CREATE FOREIGN TABLE", NODE(CREATE_FOREIGN_TABLE_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "CREATE TABLE … REFERENCES", NODE(CREATE_STMT), 0, table_has_references, ADDS, NO, NO, { REFERENCED(SRE) }, NULL },
    { "CREATE TABLE … LIKE", NODE(CREATE_STMT), 0, table_is_like, ADDS, NO, NO, { LIKED(AS) }, NULL },
    { "CREATE TABLE … INHERITS", NODE(CREATE_STMT), 0, table_inherits, ADDS, NO, NO, { PARENTS(SUE) }, NULL },
    { "CREATE TABLE … PARTITION OF", NODE(CREATE_STMT), 0, table_is_partition, ADDS, NO, MAY, { PARENTS(AE), { SQL_PARENTS, SQL_ITS_INDEXES, SUE }, { SQL_PARENTS, SQL_ITS_DEFAULT_PARTITION, AE } }, "CREATE TABLE, then ATTACH PARTITION" },
    { "CREATE TABLE AS", OF(CREATE_TABLE_AS_STMT, TABLE), NULL, ADDS, NO, YES, { READ(AS) }, NULL },
    { "CREATE MATERIALIZED VIEW", OF(CREATE_TABLE_AS_STMT, MATVIEW), NULL, ADDS, NO, YES, { READ(AS) }, NULL },
    { "SELECT INTO", NODE(SELECT_STMT), 0, is_select_into, ADDS, NO, YES, { READ(AS) }, NULL },
    { "CREATE VIEW", NODE(VIEW_STMT), 0, NULL, REPLACES, NO, NO, { READ(AS) }, NULL },
    { "CREATE OR REPLACE VIEW", NODE(VIEW_STMT), 0, view_is_replaced, REPLACES, NO, NO, { IT(AE) }, NULL },
    { "CREATE SEQUENCE", NODE(CREATE_SEQ_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "CREATE SEQUENCE … OWNED BY", NODE(CREATE_SEQ_STMT), 0, sequence_is_owned, ADDS, NO, NO, { OWNER(AS) }, NULL },
    { "ALTER SEQUENCE", NODE(ALTER_SEQ_STMT), 0, NULL, REPLACES, NO, NO, { IT(SRE) }, NULL },
    { "ALTER SEQUENCE … OWNED BY", NODE(ALTER_SEQ_STMT), 0, sequence_is_owned, REPLACES, NO, NO, { OWNER(AS) }, NULL },

    /* ---- indexes ---- */
    { "CREATE INDEX", NODE(INDEX_STMT), 0, is_not_concurrent, ADDS, NO, YES, { TREE(S) }, "CREATE INDEX CONCURRENTLY" },
    { "CREATE INDEX CONCURRENTLY", NODE(INDEX_STMT), 0, is_concurrent, HALFWAY, NO, NO, { IT(SUE) }, NULL },
    { "REINDEX INDEX", NODE(REINDEX_STMT), PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_INDEX, is_not_concurrent, NEUTRAL, NO, YES, { IT(AE), TABLE(S) }, "REINDEX INDEX CONCURRENTLY" },
    { "REINDEX TABLE", NODE(REINDEX_STMT), PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_TABLE, is_not_concurrent, NEUTRAL, NO, YES, { IT(S), INDEXES(AE) }, "REINDEX TABLE CONCURRENTLY" },
    { "REINDEX … CONCURRENTLY", NODE(REINDEX_STMT), 0, is_concurrent, HALFWAY, NO, NO, { IT(SUE) }, NULL },

    /* ---- triggers, policies, rules ---- */
    { "CREATE TRIGGER", NODE(CREATE_TRIG_STMT), 0, NULL, REPLACES, NO, NO, { IT(SRE) }, NULL },
    { "CREATE POLICY", NODE(CREATE_POLICY_STMT), 0, NULL, REPLACES, NO, NO, { IT(AE), READ(AS) }, NULL },
    { "ALTER POLICY", NODE(ALTER_POLICY_STMT), 0, NULL, REPLACES, NO, NO, { IT(AE), READ(AS) }, NULL },
    { "CREATE RULE", NODE(RULE_STMT), 0, NULL, REPLACES, NO, NO, { IT(AE), READ(AS) }, NULL },
    { "DROP TRIGGER", OF(DROP_STMT, TRIGGER), NULL, REPLACES, NO, NO, { EACH(AE) }, NULL },
    { "DROP POLICY", OF(DROP_STMT, POLICY), NULL, REPLACES, NO, NO, { EACH(AE) }, NULL },
    { "DROP RULE", OF(DROP_STMT, RULE), NULL, REPLACES, NO, NO, { EACH(AE) }, NULL },

    /* ---- drops ---- */
    { "DROP TABLE", OF(DROP_STMT, TABLE), NULL, DESTROYS, NO, NO, { EACH(AE), EACH_DEPENDENTS(AE) }, CONTRACT },
    { "DROP FOREIGN TABLE", OF(DROP_STMT, FOREIGN_TABLE), NULL, DESTROYS, NO, NO, { EACH(AE), EACH_DEPENDENTS(AE) }, CONTRACT },
    { "DROP VIEW", OF(DROP_STMT, VIEW), NULL, REPLACES, NO, NO, { EACH(AE), EACH_DEPENDENTS(AE) }, CONTRACT },
    { "DROP MATERIALIZED VIEW", OF(DROP_STMT, MATVIEW), NULL, REPLACES, NO, NO, { EACH(AE), EACH_DEPENDENTS(AE) }, CONTRACT },
    { "DROP SEQUENCE", OF(DROP_STMT, SEQUENCE), NULL, DESTROYS, NO, NO, { EACH(AE), EACH_DEPENDENTS(AE) }, CONTRACT },
    { "DROP INDEX", OF(DROP_STMT, INDEX), is_not_concurrent, REPLACES, NO, NO, { EACH(AE), EACH_TABLE(AE), EACH_DEPENDENTS(AE) }, "DROP INDEX CONCURRENTLY" },
    { "DROP INDEX CONCURRENTLY", OF(DROP_STMT, INDEX), is_concurrent, HALFWAY, NO, NO, { EACH(SUE), EACH_TABLE(SUE) }, NULL },
    { "DROP TYPE", OF(DROP_STMT, TYPE), NULL, REPLACES, NO, NO, { EACH_DEPENDENTS(AE) }, CONTRACT },
    { "DROP DOMAIN", OF(DROP_STMT, DOMAIN), NULL, REPLACES, NO, NO, { EACH_DEPENDENTS(AE) }, CONTRACT },
    { "DROP FUNCTION", OF(DROP_STMT, FUNCTION), NULL, REPLACES, NO, NO, { EACH_DEPENDENTS(AE) }, CONTRACT },
    { "DROP SCHEMA", OF(DROP_STMT, SCHEMA), NULL, REPLACES, NO, NO, { { SQL_LISTED, SQL_ITS_MEMBERS, AE } }, CONTRACT },
    { "DROP EXTENSION", OF(DROP_STMT, EXTENSION), NULL, DESTROYS, NO, NO, { EACH_DEPENDENTS(AE) }, CONTRACT },
    { "DROP of something without rows", NODE(DROP_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "DROP … CASCADE", NODE(DROP_STMT), 0, cascades, DESTROYS, NO, NO, { EACH_DEPENDENTS(AE) }, "name what goes with it" },
    { "DROP OWNED", NODE(DROP_OWNED_STMT), 0, NULL, DESTROYS, NO, NO, { { SQL_SUBJECT, SQL_EVERYTHING, AE } }, CONTRACT },
    { "REASSIGN OWNED", NODE(REASSIGN_OWNED_STMT), 0, NULL, REPLACES, NO, NO, { { SQL_SUBJECT, SQL_EVERYTHING, AE } }, NULL },
    { "DROP ROLE", NODE(DROP_ROLE_STMT), 0, NULL, DESTROYS, NO, NO, { { 0 } }, NULL },
    { "DROP DATABASE", NODE(DROPDB_STMT), 0, NULL, DESTROYS, NO, NO, { { 0 } }, NULL },
    { "DROP SUBSCRIPTION", NODE(DROP_SUBSCRIPTION_STMT), 0, NULL, DESTROYS, NO, NO, { { 0 } }, NULL },
    { "DROP TABLESPACE", NODE(DROP_TABLE_SPACE_STMT), 0, NULL, DESTROYS, NO, NO, { { 0 } }, NULL },
    { "DROP USER MAPPING", NODE(DROP_USER_MAPPING_STMT), 0, NULL, DESTROYS, NO, NO, { { 0 } }, NULL },

    /* ---- types, domains, functions ---- */
    { "CREATE TYPE … AS ENUM", NODE(CREATE_ENUM_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "CREATE TYPE … AS RANGE", NODE(CREATE_RANGE_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "CREATE TYPE … AS", NODE(COMPOSITE_TYPE_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "CREATE DOMAIN", NODE(CREATE_DOMAIN_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "CREATE AGGREGATE, OPERATOR, TYPE, COLLATION", NODE(DEFINE_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "ALTER TYPE … ADD VALUE", NODE(ALTER_ENUM_STMT), 0, adds_label, ADDS, NO, NO, { { 0 } }, NULL },
    { "ALTER TYPE … RENAME VALUE", NODE(ALTER_ENUM_STMT), 0, renames_label, REWRITES, NO, NO, { { 0 } }, "ADD VALUE, and let the code move over" },
    { "ALTER DOMAIN … ADD CONSTRAINT", NODE(ALTER_DOMAIN_STMT), 0, domain_adds_check, REPLACES, NO, YES, { USERS(S) }, "NOT VALID, then VALIDATE CONSTRAINT" },
    { "ALTER DOMAIN … ADD CONSTRAINT … NOT VALID", NODE(ALTER_DOMAIN_STMT), 0, domain_adds_check_not_valid, REPLACES, NO, NO, { { 0 } }, NULL },
    { "ALTER DOMAIN … SET NOT NULL", NODE(ALTER_DOMAIN_STMT), 0, domain_sets_not_null, REWRITES, NO, YES, { USERS(S) }, "a CHECK … NOT VALID, then VALIDATE CONSTRAINT" },
    { "ALTER DOMAIN … VALIDATE CONSTRAINT", NODE(ALTER_DOMAIN_STMT), 0, domain_validates, REPLACES, NO, YES, { USERS(S) }, NULL },
    { "ALTER DOMAIN", NODE(ALTER_DOMAIN_STMT), 0, domain_changes_otherwise, REPLACES, NO, NO, { { 0 } }, NULL },
    { "ALTER TYPE", NODE(ALTER_TYPE_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "CREATE FUNCTION", NODE(CREATE_FUNCTION_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "ALTER FUNCTION", NODE(ALTER_FUNCTION_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "CREATE CAST", NODE(CREATE_CAST_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "CREATE TRANSFORM", NODE(CREATE_TRANSFORM_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "CREATE OPERATOR CLASS", NODE(CREATE_OP_CLASS_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "CREATE OPERATOR FAMILY", NODE(CREATE_OP_FAMILY_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "ALTER OPERATOR FAMILY", NODE(ALTER_OP_FAMILY_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "ALTER OPERATOR", NODE(ALTER_OPERATOR_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "CREATE CONVERSION", NODE(CREATE_CONVERSION_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "ALTER COLLATION", NODE(ALTER_COLLATION_STMT), 0, NULL, NEUTRAL, NO, NO, { { 0 } }, NULL },
    { "ALTER TEXT SEARCH DICTIONARY", NODE(ALTER_TSDICTIONARY_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "ALTER TEXT SEARCH CONFIGURATION", NODE(ALTER_TSCONFIGURATION_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },

    /* ---- schemas, roles, privileges, comments ---- */
    { "CREATE SCHEMA", NODE(CREATE_SCHEMA_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "CREATE EXTENSION", NODE(CREATE_EXTENSION_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "ALTER EXTENSION", NODE(ALTER_EXTENSION_STMT), 0, NULL, REWRITES, NO, NO, { { 0 } }, NULL },
    { "ALTER EXTENSION … ADD, DROP", NODE(ALTER_EXTENSION_CONTENTS_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "CREATE ROLE", NODE(CREATE_ROLE_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "ALTER ROLE", NODE(ALTER_ROLE_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "ALTER ROLE … SET", NODE(ALTER_ROLE_SET_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "GRANT, REVOKE", NODE(GRANT_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "GRANT or REVOKE of a role", NODE(GRANT_ROLE_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "ALTER DEFAULT PRIVILEGES", NODE(ALTER_DEFAULT_PRIVILEGES_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "COMMENT", NODE(COMMENT_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "COMMENT ON a relation or column", NODE(COMMENT_STMT), 0, comments_on_relation, REPLACES, NO, NO, { EACH(SUE) }, NULL },
    { "COMMENT ON a part of a table", NODE(COMMENT_STMT), 0, comments_on_part, REPLACES, NO, NO, { EACH(AS) }, NULL },
    { "SECURITY LABEL", NODE(SEC_LABEL_STMT), 0, NULL, REPLACES, NO, NO, { EACH(SUE) }, NULL },

    /* ---- replication, statistics, foreign servers, events ---- */
    { "CREATE PUBLICATION", NODE(CREATE_PUBLICATION_STMT), 0, NULL, ADDS, NO, NO, { EACH(SUE) }, NULL },
    { "ALTER PUBLICATION", NODE(ALTER_PUBLICATION_STMT), 0, NULL, REPLACES, NO, NO, { EACH(SUE) }, NULL },
    { "CREATE SUBSCRIPTION", NODE(CREATE_SUBSCRIPTION_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "ALTER SUBSCRIPTION", NODE(ALTER_SUBSCRIPTION_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "CREATE STATISTICS", NODE(CREATE_STATS_STMT), 0, NULL, ADDS, NO, NO, { EACH(SUE) }, NULL },
    { "ALTER STATISTICS", NODE(ALTER_STATS_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "CREATE EVENT TRIGGER", NODE(CREATE_EVENT_TRIG_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "ALTER EVENT TRIGGER", NODE(ALTER_EVENT_TRIG_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "CREATE FOREIGN DATA WRAPPER", NODE(CREATE_FDW_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "ALTER FOREIGN DATA WRAPPER", NODE(ALTER_FDW_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "CREATE SERVER", NODE(CREATE_FOREIGN_SERVER_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "ALTER SERVER", NODE(ALTER_FOREIGN_SERVER_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "CREATE USER MAPPING", NODE(CREATE_USER_MAPPING_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "ALTER USER MAPPING", NODE(ALTER_USER_MAPPING_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "IMPORT FOREIGN SCHEMA", NODE(IMPORT_FOREIGN_SCHEMA_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "CREATE LANGUAGE", NODE(CREATE_PLANG_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },
    { "CREATE ACCESS METHOD", NODE(CREATE_AM_STMT), 0, NULL, ADDS, NO, NO, { { 0 } }, NULL },

    /* ---- the database, the server ---- */
    { "CREATE DATABASE", NODE(CREATEDB_STMT), 0, NULL, HALFWAY, NO, NO, { { 0 } }, NULL },
    { "ALTER DATABASE", NODE(ALTER_DATABASE_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "ALTER DATABASE … SET", NODE(ALTER_DATABASE_SET_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "ALTER SYSTEM", NODE(ALTER_SYSTEM_STMT), 0, NULL, HALFWAY, NO, NO, { { 0 } }, NULL },
    { "CREATE TABLESPACE", NODE(CREATE_TABLE_SPACE_STMT), 0, NULL, HALFWAY, NO, NO, { { 0 } }, NULL },
    { "ALTER TABLESPACE", NODE(ALTER_TABLE_SPACE_OPTIONS_STMT), 0, NULL, REPLACES, NO, NO, { { 0 } }, NULL },
    { "ALTER TABLE ALL IN TABLESPACE", NODE(ALTER_TABLE_MOVE_ALL_STMT), 0, NULL, REPLACES, YES, YES, { { SQL_SUBJECT, SQL_EVERYTHING, AE } }, NULL },

    /* ---- maintenance ---- */
    { "REFRESH MATERIALIZED VIEW", NODE(REFRESH_MAT_VIEW_STMT), 0, is_not_concurrent, NEUTRAL, YES, YES, { IT(AE), INDEXES(AE), SOURCES(AS) }, "REFRESH MATERIALIZED VIEW CONCURRENTLY" },
    { "REFRESH MATERIALIZED VIEW CONCURRENTLY", NODE(REFRESH_MAT_VIEW_STMT), 0, is_concurrent, NEUTRAL, NO, YES, { IT(E), SOURCES(AS) }, NULL },
    { "CLUSTER", NODE(CLUSTER_STMT), 0, NULL, NEUTRAL, YES, YES, { IT(AE), INDEXES(AE) }, "pg_repack, which does not lock" },
    { "VACUUM", NODE(VACUUM_STMT), 0, is_vacuum, HALFWAY, NO, YES, { EACH(SUE) }, NULL },
    { "VACUUM FULL", NODE(VACUUM_STMT), 0, is_vacuum_full, HALFWAY, YES, YES, { EACH(AE) }, "pg_repack, which does not lock" },
    { "ANALYZE", NODE(VACUUM_STMT), 0, is_analyze, NEUTRAL, NO, NO, { EACH(SUE) }, NULL },
    { "LOCK", NODE(LOCK_STMT), 0, NULL, NEUTRAL, NO, NO, { EACH(SQL_NO_LOCK) }, NULL },

    /* ---- data ---- */
    { "TRUNCATE", NODE(TRUNCATE_STMT), 0, NULL, DESTROYS, YES, NO, { EACH(AE), { SQL_LISTED, SQL_ITS_INDEXES, AE }, { SQL_LISTED, SQL_ITS_PARTITIONS, AE } }, IN_BATCHES },
    { "TRUNCATE … CASCADE", NODE(TRUNCATE_STMT), 0, cascades, DESTROYS, YES, NO, { EACH_REFERENCING(AE) }, IN_BATCHES },
    { "INSERT", NODE(INSERT_STMT), 0, NULL, FILLS, NO, MAY, { WRITTEN(RE), READ(AS) }, NULL },
    { "UPDATE", NODE(UPDATE_STMT), 0, NULL, FILLS, NO, MAY, { WRITTEN(RE), READ(AS) }, IN_BATCHES },
    { "DELETE", NODE(DELETE_STMT), 0, NULL, DESTROYS, NO, MAY, { WRITTEN(RE), READ(AS) }, IN_BATCHES },
    { "MERGE", NODE(MERGE_STMT), 0, NULL, FILLS, NO, MAY, { WRITTEN(RE), READ(AS) }, IN_BATCHES },
    { "COPY … FROM", NODE(COPY_STMT), 0, copies_from, FILLS, NO, NO, { WRITTEN(RE) }, NULL },
    { "COPY … TO", NODE(COPY_STMT), 0, NULL, NEUTRAL, NO, NO, { READ(AS) }, NULL },
    { "SELECT", NODE(SELECT_STMT), 0, is_plain_select, NEUTRAL, NO, MAY, { WRITTEN(RE), READ(AS) }, NULL },
    { "SELECT … FOR UPDATE", NODE(SELECT_STMT), 0, select_locks_rows, NEUTRAL, NO, MAY, { READ(RS) }, NULL },
    { "WITH … INSERT or UPDATE", NODE(SELECT_STMT), 0, writes_in_with, FILLS, NO, MAY, { { 0 } }, NULL },
    { "WITH … DELETE", NODE(SELECT_STMT), 0, deletes_in_with, DESTROYS, NO, MAY, { { 0 } }, IN_BATCHES },
    { "WITH … DELETE … INSERT", NODE(INSERT_STMT), 0, deletes_in_with, DESTROYS, NO, MAY, { { 0 } }, IN_BATCHES },
    { "WITH … DELETE … UPDATE", NODE(UPDATE_STMT), 0, deletes_in_with, DESTROYS, NO, MAY, { { 0 } }, IN_BATCHES },
    { "DO", NODE(DO_STMT), 0, NULL, FILLS, MAY, MAY, { { 0 } }, NULL },
    { "CALL", NODE(CALL_STMT), 0, NULL, FILLS, MAY, MAY, { { 0 } }, NULL },
    { "EXECUTE", NODE(EXECUTE_STMT), 0, NULL, FILLS, MAY, MAY, { { 0 } }, NULL },
};
// clang-format on

const struct sql_rule *sql_rules(size_t *ret_count)
{
    *ret_count = sizeof rows / sizeof *rows;
    return rows;
}

const struct sql_rule *rule_next(const struct clause *c, const struct sql_rule *from)
{
    for (const struct sql_rule *r = from ? from : rows; r < rows + sizeof rows / sizeof *rows; r++)
        if (r->node == (int)c->statement->node_case && (r->kind == 0 || r->kind == c->kind) &&
            (!r->when || r->when(c)))
            return r;
    return NULL;
}
