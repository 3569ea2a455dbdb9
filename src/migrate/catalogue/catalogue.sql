-- Every object of the database that a migration can make, one row each: kind, identity, what it is. No OIDs, every
-- list in a fixed order, an absent access list written out as the default it stands for. Run with search_path
-- 'pg_catalog, pg_temp', so that definitions come out with qualified names.
WITH ns AS (
    SELECT oid, nspname, nspowner, nspacl, quote_ident(nspname) AS quoted FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN
        ('information_schema', 'lockflight', 'lockflight_gone', 'lockflight_undo', 'supabase_migrations')
), member AS ( -- what belongs to an extension comes and goes with it
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), rel AS (
    SELECT c.*, n.quoted || '.' || quote_ident(c.relname) AS identity FROM pg_class c JOIN ns n ON n.oid = c.relnamespace
    WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
), proc AS (
    SELECT p.*, n.quoted || '.' || quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')'
        AS identity FROM pg_proc p JOIN ns n ON n.oid = p.pronamespace
    WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_proc'::regclass AND m.objid = p.oid)
), typ AS (
    SELECT t.*, n.quoted || '.' || quote_ident(t.typname) AS identity FROM pg_type t JOIN ns n ON n.oid = t.typnamespace
    WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)
), line (kind, identity, what) AS (
    SELECT 'schema', n.quoted, jsonb_build_object('owner', n.nspowner::regrole, 'comment', obj_description(n.oid, 'pg_namespace'),
        'acl', (SELECT array_agg(x::text ORDER BY x::text COLLATE "C") FROM unnest(coalesce(n.nspacl, acldefault('n', n.nspowner))) x))
    FROM ns n
    UNION ALL
    SELECT 'extension', quote_ident(extname), jsonb_build_object('version', extversion, 'schema', extnamespace::regnamespace)
    FROM pg_extension
    UNION ALL
    SELECT 'type', t.identity, jsonb_build_object('kind', t.typtype, 'owner', t.typowner::regrole,
        'comment', obj_description(t.oid, 'pg_type'),
        'acl', (SELECT array_agg(x::text ORDER BY x::text COLLATE "C") FROM unnest(coalesce(t.typacl, acldefault('T', t.typowner))) x),
        'labels', (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
        'base', CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
        'default', t.typdefault, 'not null', t.typnotnull,
        'collation', CASE WHEN t.typcollation <> 0 AND t.typtype = 'd' THEN t.typcollation::regcollation END,
        'range', (SELECT jsonb_build_object('subtype', format_type(rngsubtype, NULL), 'collation', rngcollation::regcollation,
            'canonical', rngcanonical::regproc, 'diff', rngsubdiff::regproc) FROM pg_range WHERE rngtypid = t.oid))
    FROM typ t
    WHERE t.typtype IN ('e', 'd', 'r') OR t.typtype = 'b' AND t.typelem = 0
        OR t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')
    UNION ALL
    SELECT 'relation', r.identity, jsonb_build_object('kind', r.relkind, 'persistence', r.relpersistence,
        'owner', r.relowner::regrole, 'comment', obj_description(r.oid, 'pg_class'),
        'acl', (SELECT array_agg(x::text ORDER BY x::text COLLATE "C") FROM unnest(coalesce(r.relacl,
            acldefault(CASE r.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", r.relowner))) x),
        'options', (SELECT array_agg(x ORDER BY x COLLATE "C") FROM unnest(r.reloptions) x),
        'rls', r.relrowsecurity, 'force rls', r.relforcerowsecurity, 'replica identity', r.relreplident,
        'method', (SELECT amname FROM pg_am WHERE oid = r.relam),
        'partition by', CASE r.relkind WHEN 'p' THEN pg_get_partkeydef(r.oid) END,
        'bound', pg_get_expr(r.relpartbound, r.oid),
        'parents', (SELECT array_agg(inhparent::regclass ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = r.oid),
        'definition', CASE WHEN r.relkind IN ('v', 'm') THEN pg_get_viewdef(r.oid) END,
        'of type', CASE WHEN r.reloftype <> 0 THEN format_type(r.reloftype, NULL) END)
    FROM rel r WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c', 'S')
    UNION ALL
    SELECT 'column', r.identity || '.' || quote_ident(a.attname), jsonb_build_object('type', format_type(a.atttypid, a.atttypmod),
        'not null', a.attnotnull, 'default', pg_get_expr(d.adbin, d.adrelid), 'identity', a.attidentity,
        'generated', a.attgenerated, 'storage', a.attstorage, 'compression', a.attcompression,
        'statistics', a.attstattarget, 'inherited', a.attinhcount, 'local', a.attislocal,
        'collation', CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation END,
        'acl', (SELECT array_agg(x::text ORDER BY x::text COLLATE "C") FROM unnest(a.attacl) x),
        'options', (SELECT array_agg(x ORDER BY x COLLATE "C") FROM unnest(a.attoptions) x WHERE x ~ '^n_distinct'),
        'comment', col_description(r.oid, a.attnum))
    FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
    WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
    UNION ALL
    SELECT 'constraint', coalesce(r.identity, ty.identity) || '.' || quote_ident(c.conname),
        jsonb_build_object('definition', pg_get_constraintdef(c.oid), 'valid', c.convalidated, 'local', c.conislocal,
            'inherited', c.coninhcount, 'comment', obj_description(c.oid, 'pg_constraint'))
    FROM pg_constraint c LEFT JOIN rel r ON r.oid = c.conrelid LEFT JOIN typ ty ON ty.oid = c.contypid
    WHERE (r.oid IS NOT NULL OR ty.oid IS NOT NULL) AND c.contype <> 't'
    UNION ALL
    SELECT 'index', r.identity, jsonb_build_object('definition', pg_get_indexdef(i.indexrelid), 'valid', i.indisvalid,
        'ready', i.indisready, 'clustered', i.indisclustered, 'replica identity', i.indisreplident,
        'statistics', (SELECT array_agg(attstattarget ORDER BY attnum) FROM pg_attribute WHERE attrelid = r.oid),
        'comment', obj_description(r.oid, 'pg_class'))
    FROM pg_index i JOIN rel r ON r.oid = i.indexrelid
    UNION ALL
    SELECT 'sequence', r.identity, jsonb_build_object('type', format_type(s.seqtypid, NULL), 'start', s.seqstart,
        'increment', s.seqincrement, 'min', s.seqmin, 'max', s.seqmax, 'cache', s.seqcache, 'cycle', s.seqcycle,
        'owned by', (SELECT d.refobjid::regclass || '.' || quote_ident(a.attname) FROM pg_depend d
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
              AND d.deptype IN ('a', 'i') LIMIT 1))
    FROM pg_sequence s JOIN rel r ON r.oid = s.seqrelid
    UNION ALL
    SELECT 'function', p.identity, jsonb_build_object('kind', p.prokind, 'owner', p.proowner::regrole,
        'comment', obj_description(p.oid, 'pg_proc'),
        'acl', (SELECT array_agg(x::text ORDER BY x::text COLLATE "C") FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) x),
        'definition', CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END,
        'aggregate', (SELECT jsonb_build_object('result', pg_get_function_result(p.oid), 'transition', g.aggtransfn::regproc,
            'final', g.aggfinalfn::regproc, 'combine', g.aggcombinefn::regproc, 'type', format_type(g.aggtranstype, NULL),
            'initial', g.agginitval, 'sort', g.aggsortop::regoperator, 'kind', g.aggkind) FROM pg_aggregate g WHERE g.aggfnoid = p.oid))
    FROM proc p
    UNION ALL
    SELECT 'trigger', r.identity || '.' || quote_ident(t.tgname), jsonb_build_object('definition', pg_get_triggerdef(t.oid),
        'enabled', t.tgenabled, 'comment', obj_description(t.oid, 'pg_trigger'))
    FROM pg_trigger t JOIN rel r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'rule', r.identity || '.' || quote_ident(w.rulename), jsonb_build_object('definition', pg_get_ruledef(w.oid),
        'enabled', w.ev_enabled, 'comment', obj_description(w.oid, 'pg_rewrite'))
    FROM pg_rewrite w JOIN rel r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'
    UNION ALL
    SELECT 'policy', r.identity || '.' || quote_ident(p.polname), jsonb_build_object('command', p.polcmd,
        'permissive', p.polpermissive, 'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid),
        'roles', (SELECT array_agg(CASE x WHEN 0 THEN 'public' ELSE x::regrole::text END
            ORDER BY CASE x WHEN 0 THEN 'public' ELSE x::regrole::text END COLLATE "C") FROM unnest(p.polroles) x),
        'comment', obj_description(p.oid, 'pg_policy'))
    FROM pg_policy p JOIN rel r ON r.oid = p.polrelid
    UNION ALL
    SELECT 'statistics', n.quoted || '.' || quote_ident(s.stxname), jsonb_build_object('definition', pg_get_statisticsobjdef(s.oid),
        'target', s.stxstattarget, 'owner', s.stxowner::regrole)
    FROM pg_statistic_ext s JOIN ns n ON n.oid = s.stxnamespace
    UNION ALL
    SELECT 'publication', quote_ident(p.pubname), jsonb_build_object('owner', p.pubowner::regrole, 'all', p.puballtables,
        'insert', p.pubinsert, 'update', p.pubupdate, 'delete', p.pubdelete, 'truncate', p.pubtruncate, 'root', p.pubviaroot,
        'tables', (SELECT array_agg(format('%I.%I (%s) %s', t.schemaname, t.tablename, t.attnames, t.rowfilter)
            ORDER BY t.schemaname COLLATE "C", t.tablename COLLATE "C") FROM pg_publication_tables t
            JOIN ns n ON n.nspname = t.schemaname WHERE t.pubname = p.pubname))
    FROM pg_publication p
    UNION ALL
    SELECT 'event trigger', quote_ident(e.evtname), jsonb_build_object('event', e.evtevent, 'function', e.evtfoid::regproc,
        'enabled', e.evtenabled, 'tags', e.evttags, 'owner', e.evtowner::regrole)
    FROM pg_event_trigger e
    WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_event_trigger'::regclass AND m.objid = e.oid)
    UNION ALL
    SELECT 'default privileges', format('%s in %s on %s', d.defaclrole::regrole, coalesce(n.quoted, 'every schema'), d.defaclobjtype),
        jsonb_build_object('acl', (SELECT array_agg(x::text ORDER BY x::text COLLATE "C") FROM unnest(d.defaclacl) x))
    FROM pg_default_acl d LEFT JOIN ns n ON n.oid = d.defaclnamespace WHERE d.defaclnamespace = 0 OR n.oid IS NOT NULL
    UNION ALL -- the rest, by name
    SELECT 'other ' || o.type, o.identity, '{}' FROM (
        SELECT 'pg_operator'::regclass AS class, oid FROM pg_operator UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_cast
        UNION ALL SELECT 'pg_opclass'::regclass, oid FROM pg_opclass UNION ALL SELECT 'pg_opfamily'::regclass, oid FROM pg_opfamily
        UNION ALL SELECT 'pg_collation'::regclass, oid FROM pg_collation UNION ALL SELECT 'pg_conversion'::regclass, oid FROM pg_conversion
        UNION ALL SELECT 'pg_language'::regclass, oid FROM pg_language UNION ALL SELECT 'pg_am'::regclass, oid FROM pg_am
        UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid FROM pg_foreign_data_wrapper
        UNION ALL SELECT 'pg_foreign_server'::regclass, oid FROM pg_foreign_server
        UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict
    ) AS x CROSS JOIN LATERAL pg_identify_object(x.class, x.oid, 0) AS o
    WHERE x.oid >= 16384 AND NOT EXISTS (SELECT FROM member m WHERE m.classid = x.class AND m.objid = x.oid)
      AND (o.schema IS NULL OR o.schema IN (SELECT nspname FROM ns))
)
SELECT kind || ' ' || identity || ' ' || jsonb_strip_nulls(what)::text FROM line
ORDER BY kind COLLATE "C", identity COLLATE "C", what::text COLLATE "C"
