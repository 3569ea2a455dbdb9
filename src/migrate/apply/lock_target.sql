-- The relations that wanted locks fall on. $1 schema ('': by search_path), $2 name, $3 reach, $4 level, $5 the column
-- or constraint that the reach goes out from ('': all of it), in parallel.
-- Whoever connects with another search_path meant the one that a fresh session has.
WITH RECURSIVE path (nspname, place) AS (
    SELECT CASE part WHEN '"$user"' THEN current_user::text ELSE trim(BOTH '"' FROM part) END, n
    FROM pg_settings, unnest(string_to_array(replace(reset_val, ' ', ''), ',')) WITH ORDINALITY AS p (part, n)
    WHERE pg_settings.name = 'search_path'
), wanted AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[]) WITH ORDINALITY
        AS w (schema, name, reach, level, part, n)
), named AS (
    SELECT w.n, w.reach, w.level, w.part, r.oid, r.relkind FROM wanted w CROSS JOIN LATERAL (
        SELECT c.oid, c.relkind FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
        LEFT JOIN path p ON p.nspname = s.nspname
        WHERE c.relname = w.name AND CASE WHEN w.schema = '' THEN p.place IS NOT NULL ELSE s.nspname = w.schema END
        ORDER BY p.place LIMIT 1) r
), typed AS (
    SELECT w.reach, w.level, t.oid FROM wanted w JOIN pg_type t ON t.typname = w.name
    JOIN pg_namespace s ON s.oid = t.typnamespace
    WHERE w.reach IN ('users', 'dependents')
        AND NOT EXISTS (SELECT FROM named n WHERE n.n = w.n AND n.relkind <> 'c') -- a table's name is also a type's
        AND CASE WHEN w.schema = '' THEN s.nspname IN (SELECT nspname FROM path)
                                     ELSE s.nspname = w.schema END
), below AS (
    SELECT level, oid FROM named WHERE reach = 'partitions'
    UNION SELECT b.level, i.inhrelid FROM below b JOIN pg_inherits i ON i.inhparent = b.oid
), gone (level, classid, objid, objsubid) AS (
    -- what DROP takes along: from the thing, or from a column or constraint of it
    (SELECT level, 'pg_class'::regclass::oid, oid, 0 FROM named WHERE reach = 'dependents' AND part = ''
    UNION ALL SELECT n.level, 'pg_class'::regclass, a.attrelid, a.attnum FROM named n
        JOIN pg_attribute a ON a.attrelid = n.oid AND a.attname = n.part WHERE n.reach = 'dependents'
    UNION ALL SELECT n.level, 'pg_constraint'::regclass, k.oid, 0 FROM named n
        JOIN pg_constraint k ON k.conrelid = n.oid AND k.conname = n.part WHERE n.reach = 'dependents'
    UNION ALL SELECT level, 'pg_type'::regclass, oid, 0 FROM typed WHERE reach = 'dependents'
    UNION ALL SELECT w.level, 'pg_proc'::regclass, p.oid, 0 FROM wanted w JOIN pg_proc p ON p.proname = w.name
        JOIN pg_namespace s ON s.oid = p.pronamespace AND s.nspname NOT IN ('pg_catalog', 'information_schema')
        WHERE w.reach = 'dependents' AND w.schema IN ('', s.nspname)
            AND NOT EXISTS (SELECT FROM named n WHERE n.n = w.n))
    UNION SELECT g.level, d.classid, d.objid, d.objsubid FROM gone g JOIN pg_depend d ON d.refclassid = g.classid
        AND d.refobjid = g.objid AND (g.objsubid = 0 OR d.refobjsubid = g.objsubid)
), reached (level, oid) AS (
    SELECT level, oid FROM named WHERE reach = 'itself'
    UNION ALL SELECT level, oid FROM below
    UNION ALL SELECT level, objid FROM gone WHERE classid = 'pg_class'::regclass
    UNION ALL SELECT g.level, r.ev_class FROM gone g JOIN pg_rewrite r ON r.oid = g.objid
        WHERE g.classid = 'pg_rewrite'::regclass
    UNION ALL SELECT g.level, unnest(ARRAY[c.conrelid, c.confrelid]) FROM gone g JOIN pg_constraint c ON c.oid = g.objid
        WHERE g.classid = 'pg_constraint'::regclass
    UNION ALL SELECT g.level, t.tgrelid FROM gone g JOIN pg_trigger t ON t.oid = g.objid
        WHERE g.classid = 'pg_trigger'::regclass
    UNION ALL SELECT g.level, p.polrelid FROM gone g JOIN pg_policy p ON p.oid = g.objid
        WHERE g.classid = 'pg_policy'::regclass
    UNION ALL SELECT g.level, d.adrelid FROM gone g JOIN pg_attrdef d ON d.oid = g.objid
        WHERE g.classid = 'pg_attrdef'::regclass
    UNION ALL SELECT c.level, c.oid FROM (
        WITH RECURSIVE r (level, oid) AS (
            SELECT n.level, k.conrelid FROM named n JOIN pg_constraint k ON k.contype = 'f' AND k.confrelid = n.oid
                WHERE n.reach = 'referencing'
            UNION SELECT r.level, k.conrelid FROM r JOIN pg_constraint k ON k.contype = 'f' AND k.confrelid = r.oid)
        SELECT level, oid FROM r) c
    UNION ALL SELECT n.level, c.confrelid FROM named n JOIN pg_constraint c ON c.contype = 'f' AND c.conrelid = n.oid
        WHERE n.reach = 'referenced'
    UNION ALL SELECT n.level, d.objid FROM named n JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass
        AND d.refobjid = n.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
        JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' WHERE n.reach = 'sequences' AND (n.part = '' OR
            d.refobjsubid = (SELECT attnum FROM pg_attribute WHERE attrelid = n.oid AND attname = n.part))
    UNION ALL SELECT n.level, d.refobjid FROM named n JOIN pg_rewrite r ON r.ev_class = n.oid
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> n.oid WHERE n.reach = 'sources'
    UNION ALL SELECT n.level, i.indrelid FROM named n JOIN pg_index i ON i.indexrelid = n.oid WHERE n.reach = 'table'
    UNION ALL SELECT n.level, p.partdefid FROM named n JOIN pg_partitioned_table p ON p.partrelid = n.oid
        WHERE n.reach = 'default partition' AND p.partdefid <> 0
    UNION ALL SELECT t.level, a.attrelid FROM typed t JOIN pg_attribute a ON a.atttypid = t.oid AND a.attnum > 0
        AND NOT a.attisdropped WHERE t.reach = 'users'
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
