-- The relations that wanted locks fall on. $1 schema ('': by search_path), $2 name, $3 reach, $4 level, in parallel.
-- Whoever connects with another search_path meant the one that a fresh session has.
WITH RECURSIVE path (nspname, place) AS (
    SELECT CASE part WHEN '"$user"' THEN current_user::text ELSE trim(BOTH '"' FROM part) END, n
    FROM pg_settings, unnest(string_to_array(replace(reset_val, ' ', ''), ',')) WITH ORDINALITY AS p (part, n)
    WHERE pg_settings.name = 'search_path'
), wanted AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[]) AS w (schema, name, reach, level)
), named AS (
    SELECT w.reach, w.level, r.oid FROM wanted w CROSS JOIN LATERAL (
        SELECT c.oid FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
        LEFT JOIN path p ON p.nspname = s.nspname
        WHERE c.relname = w.name AND CASE WHEN w.schema = '' THEN p.place IS NOT NULL ELSE s.nspname = w.schema END
        ORDER BY p.place LIMIT 1) r
), typed AS (
    SELECT w.level, t.oid FROM wanted w JOIN pg_type t ON t.typname = w.name
    JOIN pg_namespace s ON s.oid = t.typnamespace
    WHERE w.reach = 'users' AND CASE WHEN w.schema = '' THEN s.nspname IN (SELECT nspname FROM path)
                                     ELSE s.nspname = w.schema END
), below AS (
    SELECT level, oid FROM named WHERE reach = 'partitions'
    UNION SELECT b.level, i.inhrelid FROM below b JOIN pg_inherits i ON i.inhparent = b.oid
), reading AS (
    SELECT level, oid FROM named WHERE reach = 'dependents'
    UNION SELECT v.level, r.ev_class FROM reading v JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass
        AND d.refobjid = v.oid AND d.classid = 'pg_rewrite'::regclass JOIN pg_rewrite r ON r.oid = d.objid
), reached (level, oid) AS (
    SELECT level, oid FROM named WHERE reach = 'itself'
    UNION ALL SELECT level, oid FROM below
    UNION ALL SELECT level, oid FROM reading
    UNION ALL SELECT n.level, c.conrelid FROM named n JOIN pg_constraint c ON c.contype = 'f' AND c.confrelid = n.oid
        WHERE n.reach IN ('referencing', 'dependents')
    UNION ALL SELECT n.level, c.confrelid FROM named n JOIN pg_constraint c ON c.contype = 'f' AND c.conrelid = n.oid
        WHERE n.reach = 'referenced'
    UNION ALL SELECT n.level, d.objid FROM named n JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass
        AND d.refobjid = n.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
        JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' WHERE n.reach = 'sequences'
    UNION ALL SELECT n.level, d.refobjid FROM named n JOIN pg_rewrite r ON r.ev_class = n.oid
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> n.oid WHERE n.reach = 'sources'
    UNION ALL SELECT n.level, i.indrelid FROM named n JOIN pg_index i ON i.indexrelid = n.oid WHERE n.reach = 'table'
    UNION ALL SELECT n.level, p.partdefid FROM named n JOIN pg_partitioned_table p ON p.partrelid = n.oid
        WHERE n.reach = 'default partition' AND p.partdefid <> 0
    UNION ALL SELECT t.level, a.attrelid FROM typed t JOIN pg_attribute a ON a.atttypid = t.oid AND a.attnum > 0
        AND NOT a.attisdropped
    UNION ALL SELECT w.level, c.oid FROM wanted w JOIN pg_namespace s ON s.nspname = w.name
        JOIN pg_class c ON c.relnamespace = s.oid WHERE w.reach = 'members'
)
SELECT c.oid, format('%I.%I', s.nspname, c.relname), max(r.level),
       c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND has_schema_privilege(s.oid, 'USAGE')
           AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE'),
       (SELECT setting FROM pg_settings WHERE name = 'deadlock_timeout')
FROM reached r JOIN pg_class c ON c.oid = r.oid JOIN pg_namespace s ON s.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND s.nspname NOT IN ('pg_catalog', 'information_schema')
GROUP BY c.oid, s.oid, s.nspname, c.relname, c.relkind, c.relpersistence
ORDER BY s.nspname COLLATE "C", c.relname COLLATE "C"
