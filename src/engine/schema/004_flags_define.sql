-- Writing definitions, which releases do; and who may call what.

-- ---- what releases write ----

CREATE FUNCTION lockflight.flag_attribute_set(p_name text, p_type text, p_trusted boolean, p_actor text, p_via text,
                                              p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    old lockflight.flag_attribute;
    new lockflight.flag_attribute;
BEGIN
    PERFORM lockflight.flag_begin(p_actor, p_via);
    SELECT * INTO old FROM lockflight.flag_attribute WHERE name = p_name FOR UPDATE;
    IF p_type IS NULL THEN
        IF old.name IS NULL THEN
            RETURN;
        END IF;
        DELETE FROM lockflight.flag_attribute WHERE name = p_name;
    ELSIF old.type = p_type AND old.trusted = p_trusted THEN
        RETURN;
    ELSE
        INSERT INTO lockflight.flag_attribute (name, type, trusted, updated_by)
        VALUES (p_name, p_type, coalesce(p_trusted, false), p_actor)
        ON CONFLICT (name) DO UPDATE SET type = excluded.type, trusted = excluded.trusted,
                                         updated_at = clock_timestamp(), updated_by = excluded.updated_by
        RETURNING * INTO new;
        IF (SELECT count(*) FROM lockflight.flag_attribute) > 100 THEN
            RAISE EXCEPTION 'attribute %: 100 attributes are there already', p_name USING ERRCODE = '54000';
        END IF;
    END IF;
    PERFORM lockflight.flag_note(
        lockflight.flag_bump('*'), p_actor, p_via, p_reason, 'attribute', NULL, 'attribute ' || p_name, NULL,
        CASE WHEN old.name IS NOT NULL THEN jsonb_build_object('type', old.type, 'trusted', old.trusted) END,
        CASE WHEN new.name IS NOT NULL THEN jsonb_build_object('type', new.type, 'trusted', new.trusted) END);
END $$;

CREATE FUNCTION lockflight.flag_definition(f lockflight.flag) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('variants', f.variants, 'off', f.off_variant, 'exposure', f.exposure, 'kind', f.kind,
                              'owner', f.owner, 'description', f.description, 'expires', f.expires_on,
                              'requires', f.requires, 'needs', f.needs, 'attributes', to_jsonb(f.attributes),
                              'code_removed', f.code_removed_at IS NOT NULL, 'archived', f.archived_at IS NOT NULL)
$$;

-- A definition as JSON becomes a row; what is absent is at its default.
CREATE FUNCTION lockflight.flag_defined(d jsonb) RETURNS lockflight.flag
LANGUAGE plpgsql STABLE AS $$
DECLARE
    f     lockflight.flag;
    bad   text;
    types text[];
BEGIN
    f.flag_key := d->>'key';
    IF f.flag_key IS NULL OR f.flag_key !~ '^[A-Za-z][A-Za-z0-9_.-]{0,126}$' THEN
        RAISE EXCEPTION 'flag "%": a key is a letter, then letters, digits and _ . -, 127 at most', f.flag_key
            USING ERRCODE = '22023';
    END IF;
    SELECT k INTO bad FROM jsonb_object_keys(d) k
    WHERE k NOT IN ('key', 'variants', 'off', 'exposure', 'kind', 'owner', 'description', 'expires', 'requires', 'needs',
                    'attributes', 'initial', 'code_rev') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'flag %: there is no field "%"', f.flag_key, bad USING ERRCODE = '22023';
    END IF;
    f.variants := coalesce(nullif(d->'variants', 'null'), '{"on": true, "off": false}');
    IF jsonb_typeof(f.variants) <> 'object' OR f.variants = '{}' OR f.variants ? '' THEN
        RAISE EXCEPTION 'flag %: variants is an object of names and values', f.flag_key USING ERRCODE = '22023';
    END IF;
    SELECT array_agg(DISTINCT jsonb_typeof(v)) INTO types FROM jsonb_each(f.variants) AS x (k, v);
    IF cardinality(types) <> 1 OR types[1] NOT IN ('boolean', 'string', 'number', 'object') THEN
        RAISE EXCEPTION 'flag %: all variants are booleans, texts, numbers or objects, not %', f.flag_key,
            array_to_string(types, ' and ') USING ERRCODE = '22023';
    END IF;
    f.value_type := types[1];
    f.off_variant := coalesce(d->>'off', 'off');
    IF NOT f.variants ? f.off_variant THEN
        RAISE EXCEPTION 'flag %: the off variant "%" is not among its variants', f.flag_key, f.off_variant
            USING ERRCODE = '23514';
    END IF;
    f.exposure := coalesce(d->>'exposure', 'server');
    f.kind := coalesce(d->>'kind', 'release');
    f.owner := coalesce(d->>'owner', '');
    f.description := coalesce(d->>'description', '');
    f.expires_on := (d->>'expires')::date;
    f.requires := coalesce(nullif(d->'requires', 'null'), '[]');
    f.needs := coalesce(nullif(d->'needs', 'null'), '{}');
    IF jsonb_typeof(f.requires) <> 'array' OR jsonb_array_length(f.requires) > 32
       OR EXISTS (SELECT FROM jsonb_array_elements(f.requires) r
                  WHERE jsonb_typeof(r->'flag') IS DISTINCT FROM 'string'
                     OR jsonb_typeof(r->'variant') IS DISTINCT FROM 'string') THEN
        RAISE EXCEPTION 'flag %: requires is a list of at most 32 {"flag", "variant"}', f.flag_key USING ERRCODE = '22023';
    ELSIF jsonb_typeof(f.needs) <> 'object' OR f.needs - ARRAY['migrations', 'functions', 'release'] <> '{}'
       OR jsonb_typeof(coalesce(f.needs->'migrations', '[]')) <> 'array'
       OR jsonb_typeof(coalesce(f.needs->'functions', '[]')) <> 'array'
       OR jsonb_typeof(coalesce(f.needs->'release', 'true')) <> 'boolean' THEN
        RAISE EXCEPTION 'flag %: needs has lists migrations and functions, and release, true or false', f.flag_key
            USING ERRCODE = '22023';
    END IF;
    f.attributes := coalesce((SELECT array_agg(x) FROM jsonb_array_elements_text(nullif(d->'attributes', 'null')) x), '{}');
    f.code_rev := d->>'code_rev';
    IF (SELECT count(*) FROM jsonb_object_keys(f.variants)) > 64 OR length(f.owner) > 200 OR length(f.description) > 2000
       OR octet_length(f.variants::text) > 65536 THEN
        RAISE EXCEPTION 'flag %: at most 64 variants, 65536 bytes together; an owner of 200 characters, a description of 2000',
            f.flag_key USING ERRCODE = '54000';
    END IF;
    RETURN f;
END $$;

-- What would no longer hold if o became f.
CREATE FUNCTION lockflight.flag_check_redefinition(o lockflight.flag, f lockflight.flag) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    gone    text[] := ARRAY(SELECT k FROM jsonb_object_keys(o.variants) k WHERE NOT f.variants ? k);
    used_by text;
    variant text;
BEGIN
    IF o.value_type <> f.value_type THEN
        RAISE EXCEPTION 'flag % has values of type %, which cannot become %', f.flag_key, o.value_type, f.value_type
            USING ERRCODE = '55000', DETAIL = 'a flag of another type is another flag: give it another key';
    END IF;
    IF gone = '{}' THEN
        RETURN;
    END IF;
    SELECT x.variant, x.what INTO variant, used_by FROM (
        SELECT s.default_variant AS variant, 'its state' AS what
        FROM lockflight.flag_state s WHERE s.flag_key = f.flag_key
        UNION ALL
        SELECT t #>> '{}', 'its rule'
        FROM lockflight.flag_state s, jsonb_path_query(s.targeting, 'strict $.**') t
        WHERE s.flag_key = f.flag_key AND jsonb_typeof(t) = 'string'
        UNION ALL
        SELECT t #>> '{}', 'schedule ' || d.id
        FROM lockflight.flag_schedule d, jsonb_path_query(d.patch, 'strict $.**') t
        WHERE d.flag_key = f.flag_key AND jsonb_typeof(t) = 'string' AND d.applied_at IS NULL
          AND d.cancelled_at IS NULL AND d.suspended_at IS NULL
        UNION ALL
        SELECT r->>'variant', 'flag ' || b.flag_key
        FROM lockflight.flag b, jsonb_array_elements(b.requires) r
        WHERE r->>'flag' = f.flag_key AND b.archived_at IS NULL) x
    WHERE x.variant = ANY (gone) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'flag %: variant "%" cannot go, % uses it', f.flag_key, variant, used_by
            USING ERRCODE = '55006';
    END IF;
END $$;

CREATE FUNCTION lockflight.flag_check_requires(p_key text) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    r record;
    circle text;
BEGIN
    IF (SELECT requires = '[]' FROM lockflight.flag WHERE flag_key = p_key) THEN
        RETURN;
    END IF;
    FOR r IN SELECT q->>'flag' AS flag, q->>'variant' AS variant, o.variants, o.archived_at
             FROM lockflight.flag f CROSS JOIN LATERAL jsonb_array_elements(f.requires) q
             LEFT JOIN lockflight.flag o ON o.flag_key = q->>'flag' WHERE f.flag_key = p_key LOOP
        IF r.variants IS NULL OR r.archived_at IS NOT NULL THEN
            RAISE EXCEPTION 'flag % requires flag "%", which there is not', p_key, r.flag USING ERRCODE = '23503';
        ELSIF NOT r.variants ? r.variant THEN
            RAISE EXCEPTION 'flag % requires variant "%" of flag %, which has no such variant', p_key, r.variant, r.flag
                USING ERRCODE = '23514';
        END IF;
    END LOOP;
    WITH RECURSIVE down (flag_key, path) AS (
        SELECT p_key, ARRAY[p_key]
        UNION ALL
        SELECT q->>'flag', path || (q->>'flag')
        FROM down JOIN lockflight.flag f USING (flag_key) CROSS JOIN LATERAL jsonb_array_elements(f.requires) q
        WHERE cardinality(path) <= 32 AND down.flag_key <> ALL (path[:cardinality(path) - 1]))
    SELECT array_to_string(path, ' → ') INTO circle FROM down
    WHERE cardinality(path) > 32 OR flag_key = ANY (path[:cardinality(path) - 1]) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'flags require each other in a circle, or in a chain of more than 32: %', circle
            USING ERRCODE = '22023';
    END IF;
END $$;

CREATE FUNCTION lockflight.flag_define_new(f lockflight.flag, p_initial text, p_release uuid, p_actor text, p_via text,
                                           p_reason text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    s lockflight.flag_state;
    held text[] := '{}';
BEGIN
    IF p_initial IS NOT NULL AND NOT f.variants ? p_initial THEN
        RAISE EXCEPTION 'flag %: the initial variant "%" is not among its variants', f.flag_key, p_initial
            USING ERRCODE = '23514';
    END IF;
    f.created_by_release := p_release;
    f.needs_release := p_release;
    f.created_at := clock_timestamp();
    INSERT INTO lockflight.flag SELECT f.*;
    IF coalesce(p_initial, f.off_variant) <> f.off_variant THEN
        held := lockflight.flag_missing(f.flag_key);
    END IF;
    INSERT INTO lockflight.flag_state (flag_key, default_variant, updated_by, updated_via, updated_reason)
    VALUES (f.flag_key, CASE WHEN held = '{}' THEN coalesce(p_initial, f.off_variant) ELSE f.off_variant END, p_actor,
            p_via, nullif(p_reason, '')) RETURNING * INTO STRICT s;
    PERFORM lockflight.flag_note(lockflight.flag_bump(f.flag_key), p_actor, p_via, p_reason, 'create', f.flag_key,
                                 'flag ' || f.flag_key, p_release, NULL,
                                 lockflight.flag_definition(f) || lockflight.flag_image(s));
    IF held <> '{}' THEN -- due now, and like every schedule it waits for what the flag needs
        PERFORM lockflight.flag_schedule_put(f.flag_key, clock_timestamp(),
                                             jsonb_build_object('default_variant', p_initial), p_actor, p_via, p_reason);
    END IF;
    RETURN jsonb_build_object('key', f.flag_key, 'created', true, 'changed', '[]'::jsonb, 'version', s.version,
                              'held_back', to_jsonb(held));
END $$;

CREATE FUNCTION lockflight.flag_define_again(o lockflight.flag, f lockflight.flag, p_release uuid, p_actor text,
                                             p_via text, p_reason text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    changed text[];
    v bigint;
BEGIN
    PERFORM lockflight.flag_check_redefinition(o, f);
    SELECT array_agg(n.key ORDER BY n.key) INTO changed
    FROM jsonb_each(lockflight.flag_definition(f)) n
    WHERE n.value <> lockflight.flag_definition(o)->n.key;
    UPDATE lockflight.flag
    SET variants = f.variants, off_variant = f.off_variant, exposure = f.exposure, kind = f.kind, owner = f.owner,
        description = f.description, expires_on = f.expires_on, requires = f.requires, needs = f.needs,
        attributes = f.attributes, code_rev = coalesce(f.code_rev, code_rev), code_removed_at = NULL, archived_at = NULL,
        needs_release = CASE
            WHEN p_release IS NOT NULL AND (o.needs <> f.needs OR NOT EXISTS (
                     SELECT FROM lockflight.releases WHERE id = o.needs_release AND state = 'committed'))
            THEN p_release ELSE needs_release END
    WHERE flag_key = f.flag_key;
    IF changed IS NOT NULL THEN
        PERFORM lockflight.flag_note(lockflight.flag_bump(f.flag_key), p_actor, p_via, p_reason, 'define', f.flag_key,
                                     'flag ' || f.flag_key, p_release, lockflight.flag_definition(o),
                                     lockflight.flag_definition(f));
    END IF;
    SELECT version INTO STRICT v FROM lockflight.flag_state WHERE flag_key = f.flag_key;
    RETURN jsonb_build_object('key', f.flag_key, 'created', false, 'changed', to_jsonb(coalesce(changed, '{}')),
                              'version', v, 'held_back', '[]'::jsonb);
END $$;

-- The roles of a Supabase project may ask is_on, and nothing else. They need not be there yet: each definition tries
-- again.
CREATE FUNCTION lockflight.flag_grants() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    who text;
BEGIN
    FOR who IN SELECT rolname FROM pg_catalog.pg_roles
               WHERE rolname IN ('anon', 'authenticated', 'service_role')
                 AND NOT has_schema_privilege(oid, 'lockflight', 'USAGE') LOOP
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA lockflight FROM %I', who);
        EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA lockflight FROM %I', who);
        EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA lockflight FROM %I', who);
        EXECUTE format('GRANT USAGE ON SCHEMA lockflight TO %I', who);
        EXECUTE format('GRANT EXECUTE ON FUNCTION lockflight.is_on(text, text) TO %I', who);
    END LOOP;
END $$;

CREATE FUNCTION lockflight.flag_define(p_definition jsonb, p_actor text, p_release uuid, p_via text DEFAULT 'deploy',
                                       p_reason text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    d jsonb;
    f lockflight.flag;
    o lockflight.flag;
    answers jsonb[] := '{}';
BEGIN
    PERFORM lockflight.flag_begin(p_actor, p_via);
    PERFORM lockflight.flag_grants();
    IF jsonb_typeof(p_definition) = 'object' THEN
        p_definition := jsonb_build_array(p_definition);
    ELSIF p_definition IS NULL OR jsonb_typeof(p_definition) <> 'array' THEN
        RAISE EXCEPTION 'a definition is an object, definitions are a list of them' USING ERRCODE = '22023';
    END IF;
    FOR d IN SELECT jsonb_array_elements(p_definition) LOOP
        f := lockflight.flag_defined(d);
        SELECT * INTO o FROM lockflight.flag WHERE flag_key = f.flag_key FOR UPDATE;
        IF FOUND THEN
            answers := answers || lockflight.flag_define_again(o, f, p_release, p_actor, p_via, p_reason);
        ELSE
            answers := answers || lockflight.flag_define_new(f, d->>'initial', p_release, p_actor, p_via, p_reason);
        END IF;
    END LOOP;
    IF (SELECT count(*) FROM lockflight.flag WHERE archived_at IS NULL) > 5000 THEN
        RAISE EXCEPTION 'that would be more than 5000 flags' USING ERRCODE = '54000',
            DETAIL = 'archive those that nobody uses';
    END IF;
    PERFORM lockflight.flag_check_size();
    FOR d IN SELECT jsonb_array_elements(p_definition) LOOP
        PERFORM lockflight.flag_check_requires(d->>'key');
    END LOOP;
    RETURN to_jsonb(answers);
END $$;

CREATE FUNCTION lockflight.flag_removed(p_key text, p_actor text, p_release uuid, p_via text DEFAULT 'deploy') RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    f lockflight.flag;
BEGIN
    PERFORM lockflight.flag_begin(p_actor, p_via);
    f := lockflight.flag_find(p_key);
    IF f.code_removed_at IS NULL THEN
        UPDATE lockflight.flag SET code_removed_at = clock_timestamp() WHERE flag_key = p_key;
        PERFORM lockflight.flag_note(lockflight.flag_bump(p_key), p_actor, p_via, NULL, 'removed', p_key,
                                     'flag ' || p_key, p_release, NULL, NULL);
    END IF;
END $$;

CREATE FUNCTION lockflight.flag_archive(p_key text, p_actor text, p_via text, p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    f lockflight.flag;
    d record;
    used_by text;
BEGIN
    PERFORM lockflight.flag_begin(p_actor, p_via);
    SELECT * INTO f FROM lockflight.flag WHERE flag_key = p_key FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no flag "%"', p_key USING ERRCODE = 'P0002';
    ELSIF f.archived_at IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT flag_key INTO used_by FROM lockflight.flag b
    WHERE b.archived_at IS NULL AND b.requires @> jsonb_build_array(jsonb_build_object('flag', p_key)) ORDER BY 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'flag % is required by flag %', p_key, used_by USING ERRCODE = '55006';
    END IF;
    SELECT m.deploy_id INTO used_by
    FROM (SELECT * FROM lockflight.flag_manifest ORDER BY published_at DESC LIMIT 10) m
    WHERE m.flags ? p_key ORDER BY m.published_at DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'flag % is known to the code of deploy %', p_key, used_by
            USING ERRCODE = '55006', DETAIL = 'one of the last ten that were published, to which a rollback may go';
    END IF;
    FOR d IN UPDATE lockflight.flag_schedule SET cancelled_at = clock_timestamp(), cancelled_by = p_actor
             WHERE flag_key = p_key AND applied_at IS NULL AND cancelled_at IS NULL RETURNING * LOOP
        PERFORM lockflight.flag_note(lockflight.flag_bump(p_key), p_actor, p_via, p_reason, 'cancel', p_key,
                                     'schedule ' || d.id, NULL,
                                     jsonb_build_object('run_at', d.run_at, 'patch', d.patch), NULL);
    END LOOP;
    UPDATE lockflight.flag SET archived_at = clock_timestamp() WHERE flag_key = p_key;
    PERFORM lockflight.flag_note(lockflight.flag_bump(p_key), p_actor, p_via, p_reason, 'archive', p_key,
                                 'flag ' || p_key, NULL, NULL, NULL);
END $$;

-- ---- what servers write ----

-- [{"k": key, "v": variant, "n": how often}]
CREATE FUNCTION lockflight.flag_usage_add(p_batch jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    INSERT INTO lockflight.flag_usage AS u (flag_key, day, variant, n)
    SELECT f.flag_key, (clock_timestamp() AT TIME ZONE 'UTC')::date, coalesce(b.v, ''), sum(b.n)
    FROM jsonb_to_recordset(p_batch) AS b (k text, v text, n bigint)
    JOIN lockflight.flag f ON f.flag_key = b.k AND (coalesce(b.v, '') = '' OR f.variants ? b.v)
    WHERE b.n > 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (flag_key, day, variant) DO UPDATE SET n = u.n + excluded.n
$$;

-- For readers without a connection that listens: null if they have it already. Writes what is due first, so that a
-- version says everything.
CREATE FUNCTION lockflight.flag_snapshot_newer(p_known bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM lockflight.flag_materialise();
    IF p_known = (SELECT config_version FROM lockflight.flag_set) THEN
        RETURN NULL;
    END IF;
    RETURN lockflight.flag_snapshot();
END $$;

-- ---- who may ----

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA lockflight FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lockflight.is_on(text, text) TO PUBLIC;
SELECT lockflight.flag_grants();
