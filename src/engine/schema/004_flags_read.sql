-- Reading flags: what a state says at a moment, what servers get, and what policies may ask.
--
-- A function that runs with its owner's rights sets search_path itself. The others leave it as it is: only those, and
-- the owner, may call them.

-- ---- what a state says ----

CREATE FUNCTION lockflight.flag_patched(s lockflight.flag_state, p jsonb) RETURNS lockflight.flag_state
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF p ? 'enabled' THEN s.enabled := (p->'enabled')::boolean; END IF;
    IF p ? 'killed' THEN s.killed := (p->'killed')::boolean; END IF;
    IF p ? 'default_variant' THEN s.default_variant := p->>'default_variant'; END IF;
    IF p ? 'targeting' THEN s.targeting := nullif(nullif(p->'targeting', 'null'), '{}'); END IF;
    IF p ? 'bucketing' THEN s.bucketing := (p->>'bucketing')::smallint; END IF;
    RETURN s;
END $$;

CREATE FUNCTION lockflight.flag_image(s lockflight.flag_state) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('enabled', s.enabled, 'killed', s.killed, 'default_variant', s.default_variant,
                              'targeting', s.targeting, 'bucketing', s.bucketing, 'version', s.version)
$$;

-- Is there a context for which something else than the off variant, or the code's own default, is served? When in
-- doubt, yes.
CREATE FUNCTION lockflight.flag_may_serve(f lockflight.flag, s lockflight.flag_state) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT s.enabled AND NOT s.killed AND (
        coalesce(s.default_variant <> f.off_variant, false)
        OR s.targeting IS NOT NULL AND (
            f.variants ?| ARRAY['true', 'false'] OR s.targeting ? '$ref'
            OR EXISTS (SELECT FROM jsonb_path_query(s.targeting, 'strict $.**') x
                       WHERE jsonb_typeof(x) = 'string' AND x #>> '{}' <> f.off_variant AND f.variants ? (x #>> '{}'))))
$$;

-- What the flag needs and is not live, as sentences.
CREATE FUNCTION lockflight.flag_missing(p_key text) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    f       lockflight.flag;
    brings  lockflight.releases; -- the release that brings what is needed
    live    lockflight.releases;
    content lockflight.releases; -- whose content is live: after a rollback an older one's
    missing text[] := '{}';
    one     text;
    found_  boolean;
BEGIN
    SELECT * INTO f FROM lockflight.flag WHERE flag_key = p_key;
    IF NOT FOUND OR f.needs = '{}' THEN
        RETURN missing;
    END IF;
    FOR one IN SELECT jsonb_array_elements_text(f.needs->'migrations') LOOP
        found_ := false;
        IF to_regclass('supabase_migrations.schema_migrations') IS NOT NULL THEN
            SELECT EXISTS (SELECT FROM supabase_migrations.schema_migrations WHERE version = one) INTO found_;
        END IF;
        IF NOT found_ THEN
            missing := missing || format('migration %s is not applied', one);
        END IF;
    END LOOP;
    SELECT * INTO brings FROM lockflight.releases WHERE id = f.needs_release;
    SELECT * INTO live FROM lockflight.releases
    WHERE state = 'committed' AND kind IN ('deploy', 'rollback') AND target = coalesce(brings.target, target)
    ORDER BY finished_at DESC LIMIT 1;
    FOR one IN SELECT jsonb_array_elements_text(f.needs->'functions') LOOP
        IF live.id IS NULL OR NOT coalesce(live.manifest->'functions' ? one, false) THEN
            missing := missing || format('function %s is not live', one);
        ELSIF brings.state <> 'committed' THEN
            missing := missing || format('function %s: release %s, which brings it, is not finished (%s)', one,
                                         brings.name, brings.state);
        END IF;
    END LOOP;
    IF coalesce((f.needs->'release')::boolean, false) AND f.needs_release IS NOT NULL THEN
        SELECT * INTO content FROM lockflight.releases WHERE id = coalesce(live.restores, live.id);
        IF brings.id IS NULL OR brings.state <> 'committed' THEN
            missing := missing || format('release %s is not finished (%s)', coalesce(brings.name, f.needs_release::text),
                                         coalesce(brings.state, 'unknown'));
        ELSIF content.created_at < brings.created_at THEN
            missing := missing || format('release %s was rolled back to %s', brings.name, content.name);
        END IF;
    END IF;
    RETURN missing;
END $$;

-- The state at a moment: stored, and over it what is due, in the order in which it runs. What would switch on a flag
-- whose content is not live waits.
CREATE FUNCTION lockflight.flag_fold(s lockflight.flag_state, moment timestamptz) RETURNS lockflight.flag_state
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    d lockflight.flag_schedule;
    f lockflight.flag;
    n lockflight.flag_state;
    held boolean;
BEGIN
    FOR d IN SELECT * FROM lockflight.flag_schedule
             WHERE flag_key = s.flag_key AND run_at <= moment
               AND applied_at IS NULL AND cancelled_at IS NULL AND suspended_at IS NULL
             ORDER BY run_at, id LOOP
        IF f.flag_key IS NULL THEN
            SELECT * INTO STRICT f FROM lockflight.flag WHERE flag_key = s.flag_key;
            held := cardinality(lockflight.flag_missing(s.flag_key)) > 0;
        END IF;
        n := lockflight.flag_patched(s, d.patch);
        IF n IS DISTINCT FROM s AND NOT (held AND lockflight.flag_may_serve(f, n)) THEN
            s := n;
            s.version := s.version + 1;
            s.updated_at := d.run_at;
            s.updated_by := 'schedule';
            s.updated_via := 'schedule';
            s.updated_reason := coalesce(d.reason, format('scheduled by %s', d.created_by));
        END IF;
    END LOOP;
    RETURN s;
END $$;

-- In plpgsql, as flag_snapshot is: a session plans it once, not at each call.
CREATE FUNCTION lockflight.flag_states(moment timestamptz) RETURNS SETOF lockflight.flag_state
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    RETURN QUERY SELECT (x.s).* FROM (
        SELECT CASE WHEN EXISTS (SELECT FROM lockflight.flag_schedule d
                                 WHERE d.flag_key = s.flag_key AND d.run_at <= moment
                                   AND d.applied_at IS NULL AND d.cancelled_at IS NULL AND d.suspended_at IS NULL)
                    THEN lockflight.flag_fold(s, moment) ELSE s END AS s
        FROM lockflight.flag_state s OFFSET 0) x;
END $$;

-- ---- what readers get ----

CREATE FUNCTION lockflight.flag_version() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT config_version FROM lockflight.flag_set
$$;

-- One flag as the flagd format has it.
CREATE FUNCTION lockflight.flag_document(f lockflight.flag, s lockflight.flag_state) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('state', CASE WHEN s.enabled OR s.killed THEN 'ENABLED' ELSE 'DISABLED' END,
                              'variants', f.variants, 'offVariant', f.off_variant)
        || CASE WHEN s.killed THEN jsonb_build_object('defaultVariant', f.off_variant)
                WHEN s.default_variant IS NULL THEN '{}'
                ELSE jsonb_build_object('defaultVariant', s.default_variant) END
        || CASE WHEN s.killed OR s.targeting IS NULL THEN '{}' ELSE jsonb_build_object('targeting', s.targeting) END
        || CASE WHEN s.killed OR f.requires = '[]' THEN '{}' ELSE jsonb_build_object('requires', f.requires) END
        || jsonb_build_object('metadata',
               CASE WHEN f.owner = '' THEN '{}' ELSE jsonb_build_object('owner', f.owner) END
            || CASE WHEN f.expires_on IS NULL THEN '{}' ELSE jsonb_build_object('expires', f.expires_on) END
            || CASE WHEN s.killed THEN '{"killed": true}'::jsonb ELSE '{}' END)
$$;

CREATE FUNCTION lockflight.flag_snapshot(moment timestamptz DEFAULT clock_timestamp()) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    RETURN (WITH flags AS MATERIALIZED (
        SELECT f, s FROM lockflight.flag f JOIN lockflight.flag_states(moment) s USING (flag_key)
        WHERE f.archived_at IS NULL)
    SELECT jsonb_build_object(
        'v', (SELECT config_version FROM lockflight.flag_set),
        'next', (SELECT ceil(extract(epoch FROM min(d.run_at)))::bigint
                 FROM lockflight.flag_schedule d JOIN lockflight.flag f USING (flag_key)
                 WHERE d.run_at > moment AND d.applied_at IS NULL AND d.cancelled_at IS NULL
                   AND d.suspended_at IS NULL AND f.archived_at IS NULL),
        'document', jsonb_build_object(
            'flags', coalesce((SELECT jsonb_object_agg((f).flag_key, lockflight.flag_document(f, s)) FROM flags), '{}'),
            'metadata', jsonb_build_object('version', (SELECT config_version::text FROM lockflight.flag_set)))
            || coalesce((SELECT jsonb_build_object('$evaluators', jsonb_object_agg(name, rule))
                         FROM lockflight.flag_segment HAVING count(*) > 0), '{}'),
        'flags', coalesce((SELECT jsonb_object_agg((f).flag_key, jsonb_build_object('exposure', (f).exposure,
                                                                                    'kind', (f).kind))
                           FROM flags), '{}'),
        'attributes', coalesce((SELECT jsonb_object_agg(name, jsonb_build_object('type', type, 'trusted', trusted))
                                FROM lockflight.flag_attribute), '{}')));
END $$;

-- ---- in policies and functions: a part of the rules ----

-- A condition: is the unit on a list, written out or as a segment. Null: one that is not understood here.
CREATE FUNCTION lockflight.flag_condition(rule jsonb, unit text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF jsonb_typeof(rule) = 'object' AND jsonb_typeof(rule->'$ref') = 'string' THEN
        rule := (SELECT s.rule FROM lockflight.flag_segment s WHERE s.name = flag_condition.rule->>'$ref');
    END IF;
    IF jsonb_typeof(rule) IS DISTINCT FROM 'object' OR jsonb_typeof(rule->'in') IS DISTINCT FROM 'array'
       OR jsonb_array_length(rule->'in') <> 2 OR jsonb_typeof(rule->'in'->1) <> 'array' THEN
        RETURN NULL;
    END IF;
    IF rule->'in'->0 IN ('{"var": "targetingKey"}', '{"var": ["targetingKey"]}') THEN
        RETURN coalesce(rule->'in'->1 ? unit, false);
    ELSIF rule->'in'->0 = '{"var": ["targetingKey", ""]}' THEN
        RETURN rule->'in'->1 ? coalesce(unit, '');
    END IF;
    RETURN NULL;
END $$;

-- A text to be hashed. known is false if it is one that is not understood here.
CREATE FUNCTION lockflight.flag_bucket_text(e jsonb, key text, unit text, OUT known boolean, OUT value text)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    part   jsonb;
    inside record;
BEGIN
    known := true;
    IF jsonb_typeof(e) = 'string' THEN
        value := e #>> '{}';
    ELSIF e IN ('{"var": "targetingKey"}', '{"var": ["targetingKey"]}') THEN
        value := unit;
    ELSIF e = '{"var": ["targetingKey", ""]}' THEN
        value := coalesce(unit, '');
    ELSIF e IN ('{"var": "$flagd.flagKey"}', '{"var": ["$flagd.flagKey"]}') THEN
        value := key;
    ELSIF jsonb_typeof(e) = 'object' AND jsonb_typeof(e->'cat') = 'array' AND jsonb_array_length(e->'cat') > 1 THEN
        value := '';
        FOR part IN SELECT jsonb_array_elements(e->'cat') LOOP
            SELECT * INTO inside FROM lockflight.flag_bucket_text(part, key, unit);
            known := known AND inside.known;
            value := value || coalesce(inside.value, '');
        END LOOP;
    ELSE
        known := false;
    END IF;
END $$;

-- A JSON string is a variant, JSON null is "the default"; SQL null: not understood here.
CREATE FUNCTION lockflight.flag_fractional(args jsonb, key text, unit text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    n      int := jsonb_array_length(args);
    first  int := 0;
    total  bigint := 0;
    place  bigint;
    entry  jsonb;
    weight numeric;
    bounds bigint[] := '{}';
    bucket record;
BEGIN
    IF n = 0 THEN
        RETURN 'null';
    END IF;
    IF jsonb_typeof(args->0) <> 'array' THEN
        SELECT * INTO bucket FROM lockflight.flag_bucket_text(args->0, key, unit);
        first := 1;
    ELSE
        SELECT true AS known, key || nullif(unit, '') AS value INTO bucket;
    END IF;
    IF NOT bucket.known THEN
        RETURN NULL;
    ELSIF bucket.value IS NULL THEN
        RETURN 'null';
    END IF;
    FOR i IN first .. n - 1 LOOP
        entry := args->i;
        IF jsonb_typeof(entry) <> 'array' OR jsonb_array_length(entry) NOT IN (1, 2) THEN
            RETURN 'null';
        ELSIF jsonb_typeof(entry->0) IN ('array', 'object') OR jsonb_typeof(entry->1) IN ('array', 'object') THEN
            RETURN NULL; -- a rule inside
        ELSIF jsonb_array_length(entry) = 1 THEN
            weight := 1;
        ELSIF jsonb_typeof(entry->1) = 'number' AND (entry->1)::numeric % 1 = 0 THEN
            weight := greatest((entry->1)::numeric, 0);
        ELSE
            RETURN 'null';
        END IF;
        IF weight + total > 2147483647 THEN
            RETURN 'null';
        END IF;
        total := total + weight::bigint;
        bounds := bounds || total;
    END LOOP;
    IF total = 0 THEN
        RETURN 'null';
    END IF;
    place := (lockflight.flag_murmur3(bucket.value) * total) >> 32;
    FOR i IN 1 .. cardinality(bounds) LOOP
        IF place < bounds[i] THEN
            entry := args->(first + i - 1)->0;
            RETURN CASE WHEN jsonb_typeof(entry) IN ('string', 'null') THEN entry ELSE to_jsonb(entry #>> '{}') END;
        END IF;
    END LOOP;
    RETURN 'null';
END $$;

-- As flag_fractional.
CREATE FUNCTION lockflight.flag_rule(rule jsonb, key text, unit text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    args jsonb;
    holds boolean;
    n int;
BEGIN
    IF jsonb_typeof(rule) IN ('string', 'null') THEN
        RETURN rule;
    ELSIF jsonb_typeof(rule) <> 'object' THEN
        RETURN NULL;
    ELSIF jsonb_typeof(rule->'fractional') = 'array' THEN
        RETURN lockflight.flag_fractional(rule->'fractional', key, unit);
    ELSIF jsonb_typeof(rule->'if') = 'array' THEN
        args := rule->'if';
        n := jsonb_array_length(args);
        FOR i IN 0 .. n / 2 - 1 LOOP
            holds := lockflight.flag_condition(args->(2 * i), unit);
            IF holds IS NULL THEN
                RETURN NULL;
            ELSIF holds THEN
                RETURN lockflight.flag_rule(args->(2 * i + 1), key, unit);
            END IF;
        END LOOP;
        RETURN CASE WHEN n % 2 = 1 THEN lockflight.flag_rule(args->(n - 1), key, unit) ELSE 'null' END;
    END IF;
    RETURN to_jsonb(lockflight.flag_condition(rule, unit)::text);
END $$;

-- The variant; null: the code's own default.
CREATE FUNCTION lockflight.flag_served(f lockflight.flag, unit text, depth int) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    s      lockflight.flag_state;
    other  lockflight.flag;
    r      jsonb;
    answer jsonb;
BEGIN
    SELECT * INTO STRICT s FROM lockflight.flag_state WHERE flag_key = f.flag_key;
    IF EXISTS (SELECT FROM lockflight.flag_schedule
               WHERE flag_key = f.flag_key AND run_at <= statement_timestamp()
                 AND applied_at IS NULL AND cancelled_at IS NULL AND suspended_at IS NULL) THEN
        s := lockflight.flag_fold(s, statement_timestamp());
    END IF;
    IF s.killed THEN
        RETURN f.off_variant;
    ELSIF NOT s.enabled THEN
        RETURN NULL;
    END IF;
    IF f.requires <> '[]' THEN
        FOR r IN SELECT jsonb_array_elements(f.requires) LOOP
            SELECT * INTO other FROM lockflight.flag WHERE flag_key = r->>'flag' AND archived_at IS NULL;
            IF NOT FOUND OR depth >= 32
               OR lockflight.flag_served(other, unit, depth + 1) IS DISTINCT FROM r->>'variant' THEN
                RETURN f.off_variant;
            END IF;
        END LOOP;
    END IF;
    IF s.targeting IS NULL THEN
        RETURN s.default_variant;
    END IF;
    answer := lockflight.flag_rule(s.targeting, f.flag_key, unit);
    IF answer IS NULL THEN
        RETURN f.off_variant;
    ELSIF answer = 'null' THEN
        RETURN s.default_variant;
    END IF;
    RETURN CASE WHEN f.variants ? (answer #>> '{}') THEN answer #>> '{}' END;
END $$;

-- For policies: USING ((SELECT lockflight.is_on('financial', auth.uid()::text))). Without the inner SELECT it is asked
-- for every row. Only flags whose exposure is db or client. Of rules it knows lists of units, written out or as a
-- segment, and percentages, alone or as branches of "if"; any other rule gives the off variant.
CREATE FUNCTION lockflight.is_on(key text, unit text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    f       lockflight.flag;
    variant text;
BEGIN
    SELECT * INTO f FROM lockflight.flag WHERE flag_key = key AND exposure IN ('db', 'client') AND archived_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    variant := lockflight.flag_served(f, unit, 0);
    IF f.value_type = 'boolean' THEN
        RETURN coalesce((f.variants->variant)::boolean, false);
    END IF;
    RETURN coalesce(variant <> f.off_variant, false);
END $$;

