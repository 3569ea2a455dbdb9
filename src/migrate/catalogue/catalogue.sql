-- Every object of the database that a migration can make, one row each: its line (kind, identity, what it is) and where
-- the server keeps it (catalogue, OID, column), by which an object is known again under another name. A line has no OIDs,
-- every list in a fixed order, an absent access list written out as the default it stands for, and everything that is
-- needed to make the object again. Run with search_path 'pg_catalog, pg_temp', so that definitions come out with
-- qualified names. "column order" is the one soft kind: the digest leaves it out. Comments are joined where there are
-- many objects, because obj_description() for each costs more than all the rest. Rows come in no order: who reads them sorts.
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
), line (class, obj, sub, kind, identity, what) AS (
    SELECT 'pg_namespace'::regclass, n.oid, 0, 'schema', n.quoted, jsonb_build_object('owner', n.nspowner::regrole,
        'comment', nt.description,
        'acl', (SELECT array_agg(x::text ORDER BY x::text COLLATE "C") FROM unnest(coalesce(n.nspacl, acldefault('n', n.nspowner))) x))
    FROM ns n LEFT JOIN pg_description nt ON nt.classoid = 'pg_namespace'::regclass AND nt.objoid = n.oid AND nt.objsubid = 0
    UNION ALL
    SELECT 'pg_extension'::regclass, oid, 0, 'extension', quote_ident(extname), jsonb_build_object('version', extversion,
        'schema', extnamespace::regnamespace, 'comment', obj_description(oid, 'pg_extension'))
    FROM pg_extension
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 0, 'type', t.identity, jsonb_build_object('kind', t.typtype, 'owner', t.typowner::regrole,
        'comment', obj_description(t.oid, 'pg_type'),
        'acl', (SELECT array_agg(x::text ORDER BY x::text COLLATE "C") FROM unnest(coalesce(t.typacl, acldefault('T', t.typowner))) x),
        'labels', (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
        'base', CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
        'default', t.typdefault, 'not null', t.typnotnull,
        'collation', CASE WHEN t.typcollation <> 0 AND t.typtype = 'd' AND t.typcollation <> (SELECT b.typcollation FROM pg_type b
            WHERE b.oid = t.typbasetype) THEN t.typcollation::regcollation END,
        'attributes', CASE t.typtype WHEN 'c' THEN (SELECT jsonb_agg(jsonb_build_object('name', quote_ident(a.attname),
            'type', format_type(a.atttypid, a.atttypmod), 'comment', col_description(a.attrelid, a.attnum),
            'collation', CASE WHEN a.attcollation <> y.typcollation THEN a.attcollation::regcollation END) ORDER BY a.attnum)
            FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
            WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END,
        'input', CASE t.typtype WHEN 'b' THEN t.typinput::regproc END, 'output', CASE t.typtype WHEN 'b' THEN t.typoutput::regproc END,
        'storage', CASE t.typtype WHEN 'b' THEN format('%s %s %s', t.typlen, t.typalign, t.typstorage) END,
        'range', (SELECT jsonb_build_object('subtype', format_type(rngsubtype, NULL),
            'collation', CASE WHEN rngcollation <> 0 THEN rngcollation::regcollation END,
            'opclass', (SELECT o.opcnamespace::regnamespace || '.' || quote_ident(o.opcname) FROM pg_opclass o WHERE o.oid = rngsubopc),
            'canonical', CASE WHEN rngcanonical <> 0 THEN rngcanonical::regproc END,
            'diff', CASE WHEN rngsubdiff <> 0 THEN rngsubdiff::regproc END,
            'multirange', (SELECT quote_ident(x.typname) FROM pg_type x WHERE x.oid = rngmultitypid))
            FROM pg_range WHERE rngtypid = t.oid))
    FROM typ t
    WHERE t.typtype IN ('e', 'd', 'r') OR t.typtype = 'b' AND t.typelem = 0
        OR t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')
    UNION ALL
    SELECT 'pg_class'::regclass, r.oid, 0, 'relation', r.identity, jsonb_build_object('kind', r.relkind, 'persistence', r.relpersistence,
        'owner', r.relowner::regrole, 'comment', nt.description,
        'acl', (SELECT array_agg(x::text ORDER BY x::text COLLATE "C") FROM unnest(coalesce(r.relacl, acldefault('r', r.relowner))) x),
        'options', (SELECT array_agg(x ORDER BY x COLLATE "C") FROM unnest(r.reloptions) x),
        'toast options', (SELECT array_agg('toast.' || x ORDER BY x COLLATE "C") FROM pg_class c, unnest(c.reloptions) x
            WHERE c.oid = r.reltoastrelid),
        'rls', r.relrowsecurity, 'force rls', r.relforcerowsecurity, 'replica identity', r.relreplident,
        'method', (SELECT quote_ident(amname) FROM pg_am WHERE oid = r.relam),
        'tablespace', (SELECT quote_ident(spcname) FROM pg_tablespace WHERE oid = r.reltablespace),
        'partition by', CASE r.relkind WHEN 'p' THEN pg_get_partkeydef(r.oid) END,
        'bound', pg_get_expr(r.relpartbound, r.oid),
        'parents', (SELECT array_agg(inhparent::regclass ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = r.oid),
        'definition', CASE WHEN r.relkind IN ('v', 'm') THEN pg_get_viewdef(r.oid) END,
        'unpopulated', CASE WHEN r.relkind = 'm' AND NOT r.relispopulated THEN true END,
        'server', CASE r.relkind WHEN 'f' THEN (SELECT quote_ident(s.srvname) FROM pg_foreign_table f
            JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = r.oid) END,
        'foreign options', CASE r.relkind WHEN 'f' THEN (SELECT (SELECT string_agg(format('%I %L', o.option_name, o.option_value), ', ' ORDER BY o.option_name COLLATE "C") FROM pg_options_to_table(f.ftoptions) o) FROM pg_foreign_table f WHERE f.ftrelid = r.oid) END,
        'of type', CASE WHEN r.reloftype <> 0 THEN format_type(r.reloftype, NULL) END)
    FROM rel r LEFT JOIN pg_description nt ON nt.classoid = 'pg_class'::regclass AND nt.objoid = r.oid AND nt.objsubid = 0
    WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f')
    UNION ALL
    SELECT 'pg_class'::regclass, r.oid, a.attnum, 'column', r.identity || '.' || quote_ident(a.attname),
        jsonb_build_object('type', format_type(a.atttypid, a.atttypmod),
        'not null', a.attnotnull, 'default', pg_get_expr(d.adbin, d.adrelid), 'identity', nullif(a.attidentity, ''),
        'generated', nullif(a.attgenerated, ''), 'storage', a.attstorage, 'type storage', t.typstorage,
        'compression', nullif(a.attcompression, ''),
        'statistics', nullif(a.attstattarget, -1), 'inherited', nullif(a.attinhcount, 0), 'local', a.attislocal,
        'collation', CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation END,
        'acl', CASE WHEN a.attacl IS NOT NULL THEN (SELECT array_agg(x::text ORDER BY x::text COLLATE "C") FROM unnest(a.attacl) x) END,
        'options', CASE WHEN a.attoptions::text LIKE '%n_distinct%' THEN (SELECT array_agg(x ORDER BY x COLLATE "C")
            FROM unnest(a.attoptions) x WHERE x ~ '^n_distinct') END,
        'foreign options', CASE WHEN a.attfdwoptions IS NOT NULL THEN (SELECT string_agg(format('%I %L', o.option_name, o.option_value), ', ' ORDER BY o.option_name COLLATE "C") FROM pg_options_to_table(a.attfdwoptions) o) END,
        'comment', nt.description)
    FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
    LEFT JOIN pg_description nt ON nt.classoid = 'pg_class'::regclass AND nt.objoid = r.oid AND nt.objsubid = a.attnum
    WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f')
    UNION ALL
    SELECT 'pg_class'::regclass, r.oid, -1, 'column order', r.identity, jsonb_build_object('columns',
        (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped))
    FROM rel r WHERE r.relkind IN ('r', 'p', 'f')
    UNION ALL
    SELECT 'pg_constraint'::regclass, c.oid, 0, 'constraint', coalesce(r.identity, ty.identity) || '.' || quote_ident(c.conname),
        jsonb_build_object('type', c.contype, 'definition', pg_get_constraintdef(c.oid), 'valid', c.convalidated,
            'local', c.conislocal, 'inherited', nullif(c.coninhcount, 0), 'of parent', nullif(c.conparentid <> 0, false),
            'domain', nullif(c.contypid <> 0, false), 'comment', nt.description)
    FROM pg_constraint c LEFT JOIN rel r ON r.oid = c.conrelid LEFT JOIN typ ty ON ty.oid = c.contypid
    LEFT JOIN pg_description nt ON nt.classoid = 'pg_constraint'::regclass AND nt.objoid = c.oid AND nt.objsubid = 0
    WHERE (r.oid IS NOT NULL OR ty.oid IS NOT NULL) AND c.contype <> 't'
    UNION ALL
    SELECT 'pg_class'::regclass, r.oid, 0, 'index', r.identity, jsonb_build_object('definition', pg_get_indexdef(i.indexrelid),
        'table', i.indrelid::regclass, 'valid', i.indisvalid, 'ready', i.indisready, 'clustered', nullif(i.indisclustered, false),
        'replica identity', nullif(i.indisreplident, false), 'constraint', quote_ident(k.conname),
        'parent', CASE WHEN r.relispartition THEN (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = r.oid) END,
        'options', (SELECT array_agg(x ORDER BY x COLLATE "C") FROM unnest(r.reloptions) x),
        'tablespace', (SELECT quote_ident(spcname) FROM pg_tablespace WHERE oid = r.reltablespace),
        'statistics', (SELECT jsonb_object_agg(attnum, attstattarget) FROM pg_attribute WHERE attrelid = r.oid AND attstattarget >= 0),
        'comment', nt.description)
    FROM pg_index i JOIN rel r ON r.oid = i.indexrelid
    LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
    LEFT JOIN pg_description nt ON nt.classoid = 'pg_class'::regclass AND nt.objoid = r.oid AND nt.objsubid = 0
    UNION ALL
    SELECT 'pg_class'::regclass, r.oid, 0, 'sequence', r.identity, jsonb_build_object('type', format_type(s.seqtypid, NULL), 'start', s.seqstart,
        'increment', s.seqincrement, 'min', s.seqmin, 'max', s.seqmax, 'cache', s.seqcache, 'cycle', s.seqcycle,
        'persistence', r.relpersistence, 'owner', r.relowner::regrole, 'comment', nt.description,
        'acl', (SELECT array_agg(x::text ORDER BY x::text COLLATE "C") FROM unnest(coalesce(r.relacl, acldefault('s', r.relowner))) x),
        'owned by', own.of, 'identity', nullif(own.deptype = 'i', false))
    FROM pg_sequence s JOIN rel r ON r.oid = s.seqrelid
    LEFT JOIN pg_description nt ON nt.classoid = 'pg_class'::regclass AND nt.objoid = r.oid AND nt.objsubid = 0
    LEFT JOIN LATERAL (SELECT d.refobjid::regclass || '.' || quote_ident(a.attname) AS of, d.deptype FROM pg_depend d
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
              AND d.deptype IN ('a', 'i') LIMIT 1) own ON true
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 0, 'function', p.identity, jsonb_build_object('kind', p.prokind, 'owner', p.proowner::regrole,
        'comment', nt.description,
        'acl', (SELECT array_agg(x::text ORDER BY x::text COLLATE "C") FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) x),
        'definition', CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) ELSE (
            SELECT format('CREATE AGGREGATE %s.%I(%s) (', p.pronamespace::regnamespace, p.proname, pg_get_function_arguments(p.oid))
                || concat_ws(', ', 'SFUNC = ' || g.aggtransfn::regproc, 'STYPE = ' || format_type(g.aggtranstype, NULL),
                'SSPACE = ' || nullif(g.aggtransspace, 0), 'FINALFUNC = ' || nullif(g.aggfinalfn, 0)::regproc,
                CASE WHEN g.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
                CASE WHEN g.aggfinalfn <> 0 THEN 'FINALFUNC_MODIFY = ' || CASE g.aggfinalmodify WHEN 'r' THEN 'READ_ONLY'
                    WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END END,
                'COMBINEFUNC = ' || nullif(g.aggcombinefn, 0)::regproc, 'SERIALFUNC = ' || nullif(g.aggserialfn, 0)::regproc,
                'DESERIALFUNC = ' || nullif(g.aggdeserialfn, 0)::regproc, 'INITCOND = ' || quote_literal(g.agginitval),
                'MSFUNC = ' || nullif(g.aggmtransfn, 0)::regproc, 'MINVFUNC = ' || nullif(g.aggminvtransfn, 0)::regproc,
                'MSTYPE = ' || format_type(nullif(g.aggmtranstype, 0), NULL), 'MSSPACE = ' || nullif(g.aggmtransspace, 0),
                'MFINALFUNC = ' || nullif(g.aggmfinalfn, 0)::regproc, CASE WHEN g.aggmfinalextra THEN 'MFINALFUNC_EXTRA' END,
                CASE WHEN g.aggmfinalfn <> 0 THEN 'MFINALFUNC_MODIFY = ' || CASE g.aggmfinalmodify WHEN 'r' THEN 'READ_ONLY'
                    WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END END,
                'MINITCOND = ' || quote_literal(g.aggminitval),
                'SORTOP = ' || (SELECT format('OPERATOR(%s.%s)', o.oprnamespace::regnamespace, o.oprname) FROM pg_operator o WHERE o.oid = g.aggsortop),
                CASE p.proparallel WHEN 's' THEN 'PARALLEL = SAFE' WHEN 'r' THEN 'PARALLEL = RESTRICTED' END,
                CASE g.aggkind WHEN 'h' THEN 'HYPOTHETICAL' END) || ')'
            FROM pg_aggregate g WHERE g.aggfnoid = p.oid) END)
    FROM proc p LEFT JOIN pg_description nt ON nt.classoid = 'pg_proc'::regclass AND nt.objoid = p.oid AND nt.objsubid = 0
    UNION ALL
    SELECT 'pg_trigger'::regclass, t.oid, 0, 'trigger', r.identity || '.' || quote_ident(t.tgname),
        jsonb_build_object('definition', pg_get_triggerdef(t.oid), 'of parent', nullif(t.tgparentid <> 0, false),
        'enabled', t.tgenabled, 'comment', nt.description)
    FROM pg_trigger t JOIN rel r ON r.oid = t.tgrelid LEFT JOIN pg_description nt ON nt.classoid = 'pg_trigger'::regclass AND nt.objoid = t.oid AND nt.objsubid = 0
    WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'pg_rewrite'::regclass, w.oid, 0, 'rule', r.identity || '.' || quote_ident(w.rulename),
        jsonb_build_object('definition', pg_get_ruledef(w.oid),
        'enabled', w.ev_enabled, 'comment', obj_description(w.oid, 'pg_rewrite'))
    FROM pg_rewrite w JOIN rel r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'
    UNION ALL
    SELECT 'pg_policy'::regclass, p.oid, 0, 'policy', r.identity || '.' || quote_ident(p.polname), jsonb_build_object('command', p.polcmd,
        'permissive', p.polpermissive, 'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid),
        'roles', (SELECT array_agg(CASE x WHEN 0 THEN 'public' ELSE x::regrole::text END
            ORDER BY CASE x WHEN 0 THEN 'public' ELSE x::regrole::text END COLLATE "C") FROM unnest(p.polroles) x),
        'comment', nt.description)
    FROM pg_policy p JOIN rel r ON r.oid = p.polrelid LEFT JOIN pg_description nt ON nt.classoid = 'pg_policy'::regclass AND nt.objoid = p.oid AND nt.objsubid = 0
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, s.oid, 0, 'statistics', n.quoted || '.' || quote_ident(s.stxname),
        jsonb_build_object('definition', pg_get_statisticsobjdef(s.oid), 'table', s.stxrelid::regclass,
        'target', nullif(s.stxstattarget, -1), 'owner', s.stxowner::regrole, 'comment', obj_description(s.oid, 'pg_statistic_ext'))
    FROM pg_statistic_ext s JOIN ns n ON n.oid = s.stxnamespace
    UNION ALL
    SELECT 'pg_publication'::regclass, p.oid, 0, 'publication', quote_ident(p.pubname), jsonb_build_object('owner', p.pubowner::regrole,
        'all', p.puballtables, 'insert', p.pubinsert, 'update', p.pubupdate, 'delete', p.pubdelete, 'truncate', p.pubtruncate,
        'root', p.pubviaroot, 'generated columns', to_jsonb(p) -> 'pubgencols', 'comment', obj_description(p.oid, 'pg_publication'),
        'tables', (SELECT jsonb_agg(jsonb_build_object('table', r.identity, 'where', pg_get_expr(x.prqual, x.prrelid),
            'columns', (SELECT array_agg(quote_ident(a.attname) ORDER BY a.attnum) FROM pg_attribute a
                WHERE a.attrelid = x.prrelid AND a.attnum = ANY (x.prattrs))) ORDER BY r.identity COLLATE "C")
            FROM pg_publication_rel x JOIN rel r ON r.oid = x.prrelid WHERE x.prpubid = p.oid),
        'schemas', (SELECT array_agg(n.quoted ORDER BY n.quoted COLLATE "C") FROM pg_publication_namespace x
            JOIN ns n ON n.oid = x.pnnspid WHERE x.pnpubid = p.oid))
    FROM pg_publication p
    UNION ALL
    SELECT 'pg_event_trigger'::regclass, e.oid, 0, 'event trigger', quote_ident(e.evtname), jsonb_build_object('event', e.evtevent,
        'function', e.evtfoid::regproc, 'enabled', e.evtenabled, 'tags', e.evttags, 'owner', e.evtowner::regrole,
        'comment', obj_description(e.oid, 'pg_event_trigger'))
    FROM pg_event_trigger e
    WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_event_trigger'::regclass AND m.objid = e.oid)
    UNION ALL
    SELECT 'pg_default_acl'::regclass, d.oid, 0, 'default privileges',
        format('%s in %s on %s', d.defaclrole::regrole, coalesce(n.quoted, 'every schema'), d.defaclobjtype),
        jsonb_build_object('role', d.defaclrole::regrole, 'schema', n.quoted, 'type', d.defaclobjtype,
        'acl', (SELECT array_agg(x::text ORDER BY x::text COLLATE "C") FROM unnest(d.defaclacl) x),
        'without', CASE WHEN d.defaclnamespace = 0 THEN (SELECT array_agg(x::text ORDER BY x::text COLLATE "C")
            FROM unnest(acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END, d.defaclrole)) x) END)
    FROM pg_default_acl d LEFT JOIN ns n ON n.oid = d.defaclnamespace WHERE d.defaclnamespace = 0 OR n.oid IS NOT NULL
    UNION ALL
    SELECT 'pg_depend'::regclass, d.objid, (d.refobjid::bigint % 2147483647)::int, 'extension need', o.type || ' ' || o.identity || ' of ' || quote_ident(e.extname),
        jsonb_build_object('object', upper(o.type) || ' ' || o.identity, 'extension', quote_ident(e.extname))
    FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
    CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) o WHERE d.deptype = 'x'
    UNION ALL -- the rest: what makes it, and the words that name it
    SELECT x.class, x.oid, 0, 'other ' || x.type, x.object, jsonb_build_object('object', x.object, 'definition', x.definition,
        'owner', nullif(x.owner, 0)::regrole, 'comment', obj_description(x.oid, x.class::text::name),
        'acl', (SELECT array_agg(i::text ORDER BY i::text COLLATE "C") FROM unnest(x.acl) i))
    FROM (
        SELECT 'pg_operator'::regclass AS class, o.oid, 'operator' AS type, o.oprnamespace AS schema, o.oprowner AS owner, NULL::aclitem[] AS acl,
            format('OPERATOR %s.%s (%s, %s)', o.oprnamespace::regnamespace, o.oprname, coalesce(format_type(nullif(o.oprleft, 0), NULL), 'NONE'),
                coalesce(format_type(nullif(o.oprright, 0), NULL), 'NONE')) AS object,
            format('CREATE OPERATOR %s.%s (', o.oprnamespace::regnamespace, o.oprname) || concat_ws(', ', 'FUNCTION = ' || o.oprcode::regproc,
                'LEFTARG = ' || format_type(nullif(o.oprleft, 0), NULL), 'RIGHTARG = ' || format_type(nullif(o.oprright, 0), NULL),
                'COMMUTATOR = ' || (SELECT format('OPERATOR(%s.%s)', c.oprnamespace::regnamespace, c.oprname) FROM pg_operator c WHERE c.oid = o.oprcom),
                'NEGATOR = ' || (SELECT format('OPERATOR(%s.%s)', c.oprnamespace::regnamespace, c.oprname) FROM pg_operator c WHERE c.oid = o.oprnegate),
                'RESTRICT = ' || nullif(o.oprrest, 0)::regproc, 'JOIN = ' || nullif(o.oprjoin, 0)::regproc,
                CASE WHEN o.oprcanhash THEN 'HASHES' END, CASE WHEN o.oprcanmerge THEN 'MERGES' END) || ')' AS definition
        FROM pg_operator o
        UNION ALL
        SELECT 'pg_cast'::regclass, c.oid, 'cast', NULL, NULL, NULL, format('CAST (%s AS %s)', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)),
            format('CREATE CAST (%s AS %s) %s', format_type(c.castsource, NULL), format_type(c.casttarget, NULL),
                CASE c.castmethod WHEN 'b' THEN 'WITHOUT FUNCTION' WHEN 'i' THEN 'WITH INOUT' ELSE 'WITH FUNCTION ' || c.castfunc::regprocedure END)
                || CASE c.castcontext WHEN 'i' THEN ' AS IMPLICIT' WHEN 'a' THEN ' AS ASSIGNMENT' ELSE '' END
        FROM pg_cast c
        UNION ALL
        SELECT 'pg_opfamily'::regclass, f.oid, 'operator family', f.opfnamespace, f.opfowner, NULL,
            format('OPERATOR FAMILY %s.%I USING %I', f.opfnamespace::regnamespace, f.opfname, m.amname),
            format('CREATE OPERATOR FAMILY %s.%I USING %I', f.opfnamespace::regnamespace, f.opfname, m.amname)
        FROM pg_opfamily f JOIN pg_am m ON m.oid = f.opfmethod
        UNION ALL
        SELECT 'pg_opclass'::regclass, c.oid, 'operator class', c.opcnamespace, c.opcowner, NULL,
            format('OPERATOR CLASS %s.%I USING %I', c.opcnamespace::regnamespace, c.opcname, m.amname),
            format('CREATE OPERATOR CLASS %s.%I %sFOR TYPE %s USING %I FAMILY %s.%I AS ', c.opcnamespace::regnamespace, c.opcname,
                CASE WHEN c.opcdefault THEN 'DEFAULT ' ELSE '' END, format_type(c.opcintype, NULL), m.amname,
                f.opfnamespace::regnamespace, f.opfname) || concat_ws(', ',
                (SELECT string_agg(format('OPERATOR %s %s', a.amopstrategy, a.amopopr::regoperator) || coalesce(' FOR ORDER BY ' ||
                    (SELECT format('%s.%I', s.opfnamespace::regnamespace, s.opfname) FROM pg_opfamily s WHERE s.oid = a.amopsortfamily), ''),
                    ', ' ORDER BY a.amopstrategy) FROM pg_amop a JOIN pg_depend d ON d.classid = 'pg_amop'::regclass AND d.objid = a.oid
                    AND d.refclassid = 'pg_opclass'::regclass AND d.refobjid = c.oid),
                (SELECT string_agg(format('FUNCTION %s (%s, %s) %s', a.amprocnum, format_type(a.amproclefttype, NULL),
                    format_type(a.amprocrighttype, NULL), a.amproc::regprocedure), ', ' ORDER BY a.amprocnum)
                    FROM pg_amproc a JOIN pg_depend d ON d.classid = 'pg_amproc'::regclass AND d.objid = a.oid
                    AND d.refclassid = 'pg_opclass'::regclass AND d.refobjid = c.oid),
                'STORAGE ' || format_type(coalesce(nullif(c.opckeytype, 0), c.opcintype), NULL))
        FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod JOIN pg_opfamily f ON f.oid = c.opcfamily
        UNION ALL
        SELECT 'pg_collation'::regclass, c.oid, 'collation', c.collnamespace, c.collowner, NULL,
            format('COLLATION %s.%I', c.collnamespace::regnamespace, c.collname),
            format('CREATE COLLATION %s.%I (', c.collnamespace::regnamespace, c.collname) || concat_ws(', ',
                'PROVIDER = ' || CASE c.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
                'LOCALE = ' || quote_literal(coalesce(to_jsonb(c) ->> 'colliculocale', to_jsonb(c) ->> 'colllocale')),
                'LC_COLLATE = ' || quote_literal(c.collcollate), 'LC_CTYPE = ' || quote_literal(c.collctype),
                CASE WHEN NOT c.collisdeterministic THEN 'DETERMINISTIC = false' END) || ')'
        FROM pg_collation c WHERE c.oid >= 16384
        UNION ALL
        SELECT 'pg_conversion'::regclass, c.oid, 'conversion', c.connamespace, c.conowner, NULL,
            format('CONVERSION %s.%I', c.connamespace::regnamespace, c.conname),
            format('CREATE %sCONVERSION %s.%I FOR %L TO %L FROM %s', CASE WHEN c.condefault THEN 'DEFAULT ' ELSE '' END,
                c.connamespace::regnamespace, c.conname, pg_encoding_to_char(c.conforencoding), pg_encoding_to_char(c.contoencoding), c.conproc::regproc)
        FROM pg_conversion c
        UNION ALL
        SELECT 'pg_language'::regclass, l.oid, 'language', NULL, l.lanowner, coalesce(l.lanacl, acldefault('l', l.lanowner)), format('LANGUAGE %I', l.lanname),
            format('CREATE %sLANGUAGE %I HANDLER %s%s%s', CASE WHEN l.lanpltrusted THEN 'TRUSTED ' ELSE '' END, l.lanname, l.lanplcallfoid::regproc,
                CASE WHEN l.laninline <> 0 THEN ' INLINE ' || l.laninline::regproc ELSE '' END,
                CASE WHEN l.lanvalidator <> 0 THEN ' VALIDATOR ' || l.lanvalidator::regproc ELSE '' END)
        FROM pg_language l
        UNION ALL
        SELECT 'pg_am'::regclass, m.oid, 'access method', NULL, NULL, NULL, format('ACCESS METHOD %I', m.amname),
            format('CREATE ACCESS METHOD %I TYPE %s HANDLER %s', m.amname, CASE m.amtype WHEN 'i' THEN 'INDEX' ELSE 'TABLE' END, m.amhandler::regproc)
        FROM pg_am m
        UNION ALL
        SELECT 'pg_foreign_data_wrapper'::regclass, f.oid, 'foreign data wrapper', NULL, f.fdwowner, coalesce(f.fdwacl, acldefault('F', f.fdwowner)),
            format('FOREIGN DATA WRAPPER %I', f.fdwname), format('CREATE FOREIGN DATA WRAPPER %I', f.fdwname)
                || coalesce(' HANDLER ' || nullif(f.fdwhandler, 0)::regproc, '') || coalesce(' VALIDATOR ' || nullif(f.fdwvalidator, 0)::regproc, '')
                || coalesce(' OPTIONS (' || (SELECT string_agg(format('%I %L', o.option_name, o.option_value), ', ' ORDER BY o.option_name COLLATE "C") FROM pg_options_to_table(f.fdwoptions) o) || ')', '')
        FROM pg_foreign_data_wrapper f
        UNION ALL
        SELECT 'pg_foreign_server'::regclass, s.oid, 'server', NULL, s.srvowner, coalesce(s.srvacl, acldefault('S', s.srvowner)), format('SERVER %I', s.srvname),
            format('CREATE SERVER %I', s.srvname) || coalesce(' TYPE ' || quote_literal(s.srvtype), '')
                || coalesce(' VERSION ' || quote_literal(s.srvversion), '') || format(' FOREIGN DATA WRAPPER %I', f.fdwname)
                || coalesce(' OPTIONS (' || (SELECT string_agg(format('%I %L', o.option_name, o.option_value), ', ' ORDER BY o.option_name COLLATE "C") FROM pg_options_to_table(s.srvoptions) o) || ')', '')
        FROM pg_foreign_server s JOIN pg_foreign_data_wrapper f ON f.oid = s.srvfdw
        UNION ALL
        SELECT 'pg_user_mapping'::regclass, u.umid, 'user mapping', NULL, NULL, NULL,
            format('USER MAPPING FOR %s SERVER %I', CASE u.umuser WHEN 0 THEN 'public' ELSE quote_ident(u.usename) END, u.srvname),
            format('CREATE USER MAPPING FOR %s SERVER %I', CASE u.umuser WHEN 0 THEN 'public' ELSE quote_ident(u.usename) END, u.srvname)
                || coalesce(' OPTIONS (' || (SELECT string_agg(format('%I %L', o.option_name, o.option_value), ', ' ORDER BY o.option_name COLLATE "C") FROM pg_options_to_table(u.umoptions) o) || ')', '')
        FROM pg_user_mappings u
        UNION ALL
        SELECT 'pg_ts_dict'::regclass, d.oid, 'text search dictionary', d.dictnamespace, d.dictowner, NULL,
            format('TEXT SEARCH DICTIONARY %s.%I', d.dictnamespace::regnamespace, d.dictname),
            format('CREATE TEXT SEARCH DICTIONARY %s.%I (TEMPLATE = %s.%I', d.dictnamespace::regnamespace, d.dictname,
                t.tmplnamespace::regnamespace, t.tmplname) || coalesce(', ' || d.dictinitoption, '') || ')'
        FROM pg_ts_dict d JOIN pg_ts_template t ON t.oid = d.dicttemplate
        UNION ALL
        SELECT 'pg_ts_config'::regclass, c.oid, 'text search configuration', c.cfgnamespace, c.cfgowner, NULL,
            format('TEXT SEARCH CONFIGURATION %s.%I', c.cfgnamespace::regnamespace, c.cfgname),
            format('CREATE TEXT SEARCH CONFIGURATION %s.%I (PARSER = %s.%I)', c.cfgnamespace::regnamespace, c.cfgname,
                p.prsnamespace::regnamespace, p.prsname) || CASE WHEN c.oid >= 16384 THEN coalesce((SELECT string_agg(format(
                E';\nALTER TEXT SEARCH CONFIGURATION %s.%I ADD MAPPING FOR %s WITH %s', c.cfgnamespace::regnamespace, c.cfgname, k.alias, k.dicts), ''
                    ORDER BY k.alias COLLATE "C") FROM (SELECT t.alias, string_agg(format('%s.%I', d.dictnamespace::regnamespace, d.dictname), ', '
                    ORDER BY m.mapseqno) AS dicts FROM pg_ts_config_map m JOIN ts_token_type(c.cfgparser) t ON t.tokid = m.maptokentype
                    JOIN pg_ts_dict d ON d.oid = m.mapdict WHERE m.mapcfg = c.oid GROUP BY t.alias) k), '') ELSE '' END
        FROM pg_ts_config c JOIN pg_ts_parser p ON p.oid = c.cfgparser
        UNION ALL
        SELECT 'pg_ts_parser'::regclass, p.oid, 'text search parser', p.prsnamespace, NULL, NULL,
            format('TEXT SEARCH PARSER %s.%I', p.prsnamespace::regnamespace, p.prsname),
            format('CREATE TEXT SEARCH PARSER %s.%I (START = %s, GETTOKEN = %s, END = %s, LEXTYPES = %s%s)', p.prsnamespace::regnamespace, p.prsname,
                p.prsstart, p.prstoken, p.prsend, p.prslextype, coalesce(', HEADLINE = ' || nullif(p.prsheadline, 0)::regproc, ''))
        FROM pg_ts_parser p
        UNION ALL
        SELECT 'pg_ts_template'::regclass, t.oid, 'text search template', t.tmplnamespace, NULL, NULL,
            format('TEXT SEARCH TEMPLATE %s.%I', t.tmplnamespace::regnamespace, t.tmplname),
            format('CREATE TEXT SEARCH TEMPLATE %s.%I (%sLEXIZE = %s)', t.tmplnamespace::regnamespace, t.tmplname,
                coalesce('INIT = ' || nullif(t.tmplinit, 0)::regproc || ', ', ''), t.tmpllexize)
        FROM pg_ts_template t
        UNION ALL
        SELECT 'pg_transform'::regclass, t.oid, 'transform', NULL, NULL, NULL,
            format('TRANSFORM FOR %s LANGUAGE %I', format_type(t.trftype, NULL), l.lanname),
            format('CREATE TRANSFORM FOR %s LANGUAGE %I (', format_type(t.trftype, NULL), l.lanname) || concat_ws(', ',
                'FROM SQL WITH FUNCTION ' || nullif(t.trffromsql, 0)::regprocedure, 'TO SQL WITH FUNCTION ' || nullif(t.trftosql, 0)::regprocedure) || ')'
        FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang
    ) AS x
    WHERE x.oid >= 16384 AND NOT EXISTS (SELECT FROM member m WHERE m.classid = x.class AND m.objid = x.oid)
      AND (x.schema IS NULL OR x.schema IN (SELECT oid FROM ns))
)
SELECT kind, identity, jsonb_strip_nulls(what)::text, class::oid, obj, sub FROM line
