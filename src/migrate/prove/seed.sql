-- Everything that the values of rows depend on, one row per column, the tables in an order in which referred tables come
-- first as far as there is one. $1: oids of the tables wanted; the tables they refer to are added.
WITH RECURSIVE wanted (oid, depth) AS (
    SELECT c.oid, 0 FROM pg_class c WHERE c.oid = ANY($1::oid[])
    UNION
    SELECT k.confrelid, w.depth + 1 FROM wanted w JOIN pg_constraint k ON k.conrelid = w.oid AND k.contype = 'f'
    WHERE k.confrelid <> k.conrelid AND w.depth < 12
), ranked AS (
    SELECT c.oid, max(w.depth) AS depth, format('%I.%I', n.nspname, c.relname) AS name
    FROM wanted w JOIN pg_class c ON c.oid = w.oid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND NOT c.relispartition
    GROUP BY c.oid, n.nspname, c.relname
), col AS (
    SELECT a.attrelid, a.attnum, a.attname, a.attnotnull, a.atttypid, a.atttypmod,
        a.attgenerated <> '' OR a.attidentity = 'a' AS is_made,
        a.attidentity = 'd' OR coalesce(pg_get_expr(d.adbin, d.adrelid) ~ 'nextval\(', false) AS counts,
        d.oid IS NOT NULL OR a.attidentity <> '' AS has_default
    FROM ranked r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
), resolved AS ( -- a domain is its base type, with its checks
    SELECT col.*, t.typtype AS declared, CASE WHEN t.typtype = 'd' THEN coalesce(nullif(b.typbasetype, 0), t.typbasetype) ELSE t.oid END AS base,
        CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE col.atttypmod END AS base_mod
    FROM col JOIN pg_type t ON t.oid = col.atttypid LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
)
SELECT r.name, quote_ident(c.attname), c.attnotnull, c.is_made, c.counts, c.has_default,
    format_type(c.atttypid, c.atttypmod), b.typname, b.typtype, b.typcategory,
    format_type(c.base, c.base_mod),
    e.typname, format_type(b.typelem, NULL),
    (SELECT array_to_string(array_agg(quote_literal(enumlabel) ORDER BY enumsortorder), E'\x01') FROM pg_enum
     WHERE enumtypid IN (b.oid, b.typelem)),
    (SELECT string_agg(pg_get_constraintdef(k.oid), E'\n') FROM pg_constraint k
     WHERE k.contype = 'c' AND (k.conrelid = c.attrelid AND c.attnum = ANY(k.conkey) OR k.contypid = c.atttypid AND k.contypid <> 0)),
    -- the first foreign key of the column: the table and the column there
    f.target, f.target_column, f.is_self, (SELECT rngsubtype::regtype::text FROM pg_range WHERE rngtypid = b.oid),
    EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.attrelid AND i.indisunique AND c.attnum = ANY(i.indkey))
FROM resolved c JOIN ranked r ON r.oid = c.attrelid JOIN pg_type b ON b.oid = c.base
LEFT JOIN pg_type e ON e.oid = b.typelem AND b.typcategory = 'A'
LEFT JOIN LATERAL (
    SELECT k.confrelid::regclass::text AS target, k.confrelid = k.conrelid AS is_self,
        (SELECT quote_ident(x.attname) FROM pg_attribute x WHERE x.attrelid = k.confrelid
         AND x.attnum = k.confkey[array_position(k.conkey, c.attnum)]) AS target_column
    FROM pg_constraint k WHERE k.conrelid = c.attrelid AND k.contype = 'f' AND c.attnum = ANY(k.conkey)
    ORDER BY k.oid LIMIT 1) f ON true
ORDER BY r.depth DESC, r.name COLLATE "C", c.attnum
