-- Writing states, schedules and segments.

-- ---- inside every write ----

-- The version that this transaction makes: the first change in it counts, the others join.
CREATE FUNCTION lockflight.flag_bump(p_key text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    v bigint;
BEGIN
    UPDATE lockflight.flag_set
    SET config_version = config_version + 1, changed_at = clock_timestamp(), changed_in = pg_current_xact_id(),
        changed_began = transaction_timestamp(), changed_keys = ARRAY[p_key]
    WHERE (changed_in, changed_began) IS DISTINCT FROM (pg_current_xact_id(), transaction_timestamp())
    RETURNING config_version INTO v;
    IF FOUND THEN
        RETURN v;
    END IF;
    UPDATE lockflight.flag_set SET changed_keys = changed_keys || p_key
    WHERE p_key <> ALL (changed_keys) AND cardinality(changed_keys) <= 50;
    RETURN (SELECT config_version FROM lockflight.flag_set);
END $$;

-- One notification for each version, sent with its commit. It says what changed, not how.
CREATE FUNCTION lockflight.flag_announce() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    keys text[] := (SELECT changed_keys FROM lockflight.flag_set);
BEGIN
    IF cardinality(keys) > 50 OR '*' = ANY (keys) THEN
        keys := ARRAY['*'];
    END IF;
    PERFORM pg_notify('lockflight_flags', format('{"v":%s,"keys":%s}', NEW.config_version, array_to_json(keys)));
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER flag_announce AFTER UPDATE ON lockflight.flag_set DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.config_version <> NEW.config_version) EXECUTE FUNCTION lockflight.flag_announce();

-- What readers accept as one document: 1 MiB. About as long as it will be, planned changes included.
CREATE FUNCTION lockflight.flag_check_size() RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    n bigint := (SELECT coalesce(sum(150 + octet_length(f.flag_key || f.variants::text || f.requires::text || f.owner)
                                     + coalesce(octet_length(s.targeting::text), 0)), 0)
                 FROM lockflight.flag f JOIN lockflight.flag_state s USING (flag_key) WHERE f.archived_at IS NULL)
              + (SELECT coalesce(sum(octet_length(name || rule::text)), 0) FROM lockflight.flag_segment)
              + (SELECT coalesce(sum(octet_length(patch::text)), 0) FROM lockflight.flag_schedule
                 WHERE applied_at IS NULL AND cancelled_at IS NULL AND suspended_at IS NULL);
BEGIN
    IF n > 1048576 THEN
        RAISE EXCEPTION 'all flags together would have % bytes; at most 1048576', n USING ERRCODE = '54000',
            DETAIL = 'shorten rules and segments, or archive flags that nobody uses';
    END IF;
END $$;

CREATE FUNCTION lockflight.flag_note(p_version bigint, p_actor text, p_via text, p_reason text, p_action text, p_key text,
                                     p_object text, p_release uuid, p_old jsonb, p_new jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF length(p_reason) > 2000 THEN
        RAISE EXCEPTION 'the reason has % characters; at most 2000', length(p_reason) USING ERRCODE = '54000';
    END IF;
    INSERT INTO lockflight.flag_audit (config_version, actor, via, reason, action, flag_key, object, release, old, new)
    VALUES (p_version, p_actor, p_via, nullif(p_reason, ''), p_action, p_key, p_object, p_release, p_old, p_new);
END $$;

-- Puts a state where another was: version, schedules that it overtakes, config version, audit.
CREATE FUNCTION lockflight.flag_put_state(s lockflight.flag_state, n lockflight.flag_state, p_action text, p_actor text,
                                          p_via text, p_reason text, p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    v bigint := lockflight.flag_bump(s.flag_key);
    d lockflight.flag_schedule;
BEGIN
    UPDATE lockflight.flag_state
    SET enabled = n.enabled, killed = n.killed, default_variant = n.default_variant, targeting = n.targeting,
        bucketing = n.bucketing, version = s.version + 1, updated_at = p_at, updated_by = p_actor, updated_via = p_via,
        updated_reason = nullif(p_reason, '')
    WHERE flag_key = s.flag_key RETURNING * INTO STRICT n;
    IF p_via <> 'schedule' AND n.targeting <> coalesce(s.targeting, '{}') THEN
        PERFORM lockflight.flag_check_size();
    END IF;
    PERFORM lockflight.flag_note(v, p_actor, p_via, p_reason, p_action, s.flag_key, 'flag ' || s.flag_key, NULL,
                                 lockflight.flag_image(s), lockflight.flag_image(n));
    IF p_via = 'schedule' THEN
        RETURN n.version;
    END IF;
    FOR d IN UPDATE lockflight.flag_schedule
             SET suspended_at = clock_timestamp(), suspended_by = p_actor, suspended_version = n.version
             WHERE flag_key = s.flag_key AND applied_at IS NULL AND cancelled_at IS NULL AND suspended_at IS NULL
               AND EXISTS (SELECT FROM jsonb_object_keys(patch) field
                           WHERE lockflight.flag_image(n)->field <> lockflight.flag_image(s)->field)
             RETURNING * LOOP
        PERFORM lockflight.flag_note(v, p_actor, p_via, p_reason, 'suspend', s.flag_key, 'schedule ' || d.id, NULL,
                                     NULL, jsonb_build_object('run_at', d.run_at, 'patch', d.patch));
    END LOOP;
    RETURN n.version;
END $$;

-- Writes what is due into the states. Returns how many schedules ran.
CREATE FUNCTION lockflight.flag_materialise() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    d lockflight.flag_schedule;
    f lockflight.flag;
    s lockflight.flag_state;
    n lockflight.flag_state;
    v bigint;
    done bigint := 0;
BEGIN
    IF NOT EXISTS (SELECT FROM lockflight.flag_schedule
                   WHERE run_at <= clock_timestamp() AND applied_at IS NULL AND cancelled_at IS NULL
                     AND suspended_at IS NULL) THEN
        RETURN 0;
    END IF;
    PERFORM FROM lockflight.flag_set FOR UPDATE;
    FOR d IN SELECT * FROM lockflight.flag_schedule
             WHERE run_at <= clock_timestamp() AND applied_at IS NULL AND cancelled_at IS NULL AND suspended_at IS NULL
             ORDER BY run_at, id FOR UPDATE LOOP
        SELECT * INTO STRICT f FROM lockflight.flag WHERE flag_key = d.flag_key;
        SELECT * INTO STRICT s FROM lockflight.flag_state WHERE flag_key = d.flag_key FOR UPDATE;
        n := lockflight.flag_patched(s, d.patch);
        v := s.version;
        IF n IS DISTINCT FROM s THEN
            CONTINUE WHEN lockflight.flag_may_serve(f, n) AND cardinality(lockflight.flag_missing(d.flag_key)) > 0;
            v := lockflight.flag_put_state(s, n, 'schedule', 'schedule', 'schedule',
                                           coalesce(d.reason, format('scheduled by %s', d.created_by)), d.run_at);
        END IF;
        UPDATE lockflight.flag_schedule SET applied_at = clock_timestamp(), applied_version = v WHERE id = d.id;
        done := done + 1;
    END LOOP;
    RETURN done;
END $$;

-- Every write begins so.
CREATE FUNCTION lockflight.flag_begin(p_actor text, p_via text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF coalesce(btrim(p_actor), '') = '' OR length(p_actor) > 200 THEN
        RAISE EXCEPTION 'who changes a flag must be named, in at most 200 characters' USING ERRCODE = '22023';
    ELSIF coalesce(p_via, '') NOT IN ('cli', 'deploy', 'schedule', 'check', 'api') THEN
        RAISE EXCEPTION 'via is cli, deploy, schedule, check or api, not "%"', p_via USING ERRCODE = '22023';
    END IF;
    PERFORM FROM lockflight.flag_set FOR UPDATE;
    PERFORM lockflight.flag_materialise();
END $$;

-- The form of a rule that is stored: one operator, not too long, known segments.
CREATE FUNCTION lockflight.flag_check_rule(p_what text, p_rule jsonb) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    unknown text;
BEGIN
    IF jsonb_typeof(p_rule) <> 'object' OR (SELECT count(*) FROM jsonb_object_keys(p_rule)) <> 1 THEN
        RAISE EXCEPTION '%: a rule is an object with one operator, not %', p_what, left(p_rule::text, 60)
            USING ERRCODE = '22023';
    ELSIF octet_length(p_rule::text) > 65536 THEN
        RAISE EXCEPTION '%: the rule has % bytes; at most 65536', p_what, octet_length(p_rule::text)
            USING ERRCODE = '54000';
    END IF;
    SELECT x #>> '{}' INTO unknown FROM jsonb_path_query(p_rule, 'strict $.**."$ref"', silent => true) x
    WHERE NOT EXISTS (SELECT FROM lockflight.flag_segment WHERE name = x #>> '{}') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%: there is no segment "%"', p_what, unknown USING ERRCODE = '23503';
    END IF;
END $$;

CREATE FUNCTION lockflight.flag_check_patch(f lockflight.flag, p jsonb) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    field text;
    value jsonb;
BEGIN
    IF p IS NULL OR jsonb_typeof(p) <> 'object' THEN
        RAISE EXCEPTION 'flag %: a change is an object of fields', f.flag_key USING ERRCODE = '22023';
    END IF;
    FOR field, value IN SELECT * FROM jsonb_each(p) LOOP
        IF field IN ('enabled', 'killed') THEN
            CONTINUE WHEN jsonb_typeof(value) = 'boolean';
            RAISE EXCEPTION 'flag %: % is true or false', f.flag_key, field USING ERRCODE = '22023';
        ELSIF field = 'default_variant' THEN
            CONTINUE WHEN jsonb_typeof(value) = 'null' OR jsonb_typeof(value) = 'string' AND f.variants ? (value #>> '{}');
            RAISE EXCEPTION 'flag % has no variant %', f.flag_key, value
                USING ERRCODE = '23514', DETAIL = format('it has %s', (SELECT string_agg(k, ', ') FROM jsonb_object_keys(f.variants) k));
        ELSIF field = 'targeting' THEN
            CONTINUE WHEN value IN ('null', '{}');
            PERFORM lockflight.flag_check_rule('flag ' || f.flag_key, value);
        ELSIF field = 'bucketing' THEN
            CONTINUE WHEN value = '2';
            RAISE EXCEPTION 'flag %: bucketing is 2, the only generation there is', f.flag_key USING ERRCODE = '22023';
        ELSE
            RAISE EXCEPTION 'flag %: there is no field "%"', f.flag_key, field
                USING ERRCODE = '22023', DETAIL = 'there are enabled, killed, default_variant, targeting, bucketing';
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION lockflight.flag_find(p_key text) RETURNS lockflight.flag
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    f lockflight.flag;
BEGIN
    SELECT * INTO f FROM lockflight.flag WHERE flag_key = p_key;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no flag "%"', p_key USING ERRCODE = 'P0002';
    ELSIF f.archived_at IS NOT NULL THEN
        RAISE EXCEPTION 'flag % is archived', p_key USING ERRCODE = '55000',
            DETAIL = 'a release that has it in its lockflight.flags.toml brings it back';
    END IF;
    RETURN f;
END $$;

-- ---- what operators write ----

CREATE FUNCTION lockflight.flag_set_state(p_key text, p_patch jsonb, p_expected_version bigint, p_actor text, p_via text,
                                          p_reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    f lockflight.flag;
    s lockflight.flag_state;
    n lockflight.flag_state;
    missing text[];
    action text := 'set';
BEGIN
    PERFORM lockflight.flag_begin(p_actor, p_via);
    f := lockflight.flag_find(p_key);
    SELECT * INTO STRICT s FROM lockflight.flag_state WHERE flag_key = p_key FOR UPDATE;
    IF p_expected_version <> s.version THEN
        RAISE EXCEPTION 'flag % is at version %, not %', p_key, s.version, p_expected_version
            USING ERRCODE = '40001',
                  DETAIL = format('last changed by %s (%s) at %s UTC%s', s.updated_by, s.updated_via,
                                  to_char(s.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
                                  ': ' || s.updated_reason);
    END IF;
    PERFORM lockflight.flag_check_patch(f, p_patch);
    n := lockflight.flag_patched(s, p_patch);
    IF n IS NOT DISTINCT FROM s THEN
        RETURN s.version;
    END IF;
    IF lockflight.flag_may_serve(f, n) THEN
        missing := lockflight.flag_missing(p_key);
        IF cardinality(missing) > 0 THEN
            RAISE EXCEPTION 'flag % cannot be on yet: %', p_key, array_to_string(missing, '; ')
                USING ERRCODE = '55000';
        END IF;
    END IF;
    IF n.killed <> s.killed THEN
        action := CASE WHEN n.killed THEN 'kill' ELSE 'unkill' END;
    END IF;
    RETURN lockflight.flag_put_state(s, n, action, p_actor, p_via, p_reason, clock_timestamp());
END $$;

CREATE FUNCTION lockflight.flag_schedule_put(p_key text, p_run_at timestamptz, p_patch jsonb, p_actor text, p_via text,
                                             p_reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    d lockflight.flag_schedule;
BEGIN
    INSERT INTO lockflight.flag_schedule (flag_key, run_at, patch, base_version, reason, created_by)
    SELECT p_key, p_run_at, p_patch, version, nullif(p_reason, ''), p_actor
    FROM lockflight.flag_state WHERE flag_key = p_key RETURNING * INTO STRICT d;
    PERFORM lockflight.flag_note(lockflight.flag_bump(p_key), p_actor, p_via, p_reason, 'plan', p_key,
                                 'schedule ' || d.id, NULL, NULL,
                                 jsonb_build_object('run_at', d.run_at, 'patch', d.patch));
    RETURN d.id;
END $$;

CREATE FUNCTION lockflight.flag_schedule_add(p_key text, p_run_at timestamptz, p_patch jsonb, p_actor text, p_via text,
                                             p_reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    f lockflight.flag;
    id bigint;
BEGIN
    PERFORM lockflight.flag_begin(p_actor, p_via);
    f := lockflight.flag_find(p_key);
    PERFORM lockflight.flag_check_patch(f, p_patch);
    IF p_patch = '{}' THEN
        RAISE EXCEPTION 'flag %: a schedule that changes nothing', p_key USING ERRCODE = '22023';
    ELSIF p_run_at IS NULL OR p_run_at <= clock_timestamp() OR p_run_at > clock_timestamp() + interval '10 years' THEN
        RAISE EXCEPTION 'flag %: % is not a time to come, within ten years', p_key, p_run_at USING ERRCODE = '22023';
    ELSIF (SELECT count(*) FROM lockflight.flag_schedule WHERE flag_key = p_key AND applied_at IS NULL
             AND cancelled_at IS NULL AND suspended_at IS NULL) >= 100 THEN
        RAISE EXCEPTION 'flag %: 100 schedules wait already', p_key USING ERRCODE = '54000';
    END IF;
    id := lockflight.flag_schedule_put(p_key, p_run_at, p_patch, p_actor, p_via, p_reason);
    PERFORM lockflight.flag_check_size();
    RETURN id;
END $$;

CREATE FUNCTION lockflight.flag_schedule_cancel(p_id bigint, p_actor text, p_via text, p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    d lockflight.flag_schedule;
BEGIN
    PERFORM lockflight.flag_begin(p_actor, p_via);
    SELECT * INTO d FROM lockflight.flag_schedule WHERE id = p_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no schedule %', p_id USING ERRCODE = 'P0002';
    ELSIF d.cancelled_at IS NOT NULL THEN
        RETURN;
    ELSIF d.applied_at IS NOT NULL THEN
        RAISE EXCEPTION 'schedule % of flag % has run at % UTC', p_id, d.flag_key,
            to_char(d.run_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') USING ERRCODE = '55000';
    END IF;
    UPDATE lockflight.flag_schedule SET cancelled_at = clock_timestamp(), cancelled_by = p_actor WHERE id = p_id;
    PERFORM lockflight.flag_note(lockflight.flag_bump(d.flag_key), p_actor, p_via, p_reason, 'cancel', d.flag_key,
                                 'schedule ' || d.id, NULL,
                                 jsonb_build_object('run_at', d.run_at, 'patch', d.patch), NULL);
END $$;

CREATE FUNCTION lockflight.flag_uses_segment(p_rule jsonb, p_name text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_path_exists(p_rule, 'strict $.**."$ref" ? (@ == $name)', jsonb_build_object('name', p_name),
                                      true), false)
$$;

CREATE FUNCTION lockflight.flag_segment_set(p_name text, p_rule jsonb, p_expected_version bigint, p_actor text,
                                            p_via text, p_reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    s lockflight.flag_segment;
    used_by text;
    version_ bigint;
BEGIN
    PERFORM lockflight.flag_begin(p_actor, p_via);
    SELECT * INTO s FROM lockflight.flag_segment WHERE name = p_name FOR UPDATE;
    version_ := coalesce(s.version, 0);
    IF p_expected_version <> version_ THEN
        RAISE EXCEPTION 'segment % is at version %, not %', p_name, version_, p_expected_version
            USING ERRCODE = '40001',
                  DETAIL = coalesce(format('last changed by %s at %s UTC', s.updated_by,
                                           to_char(s.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')),
                                    'it does not exist');
    ELSIF p_rule IS NULL AND s.name IS NULL THEN
        RAISE EXCEPTION 'there is no segment "%"', p_name USING ERRCODE = 'P0002';
    ELSIF s.rule IS NOT DISTINCT FROM p_rule THEN
        RETURN version_;
    END IF;
    IF p_rule IS NULL THEN
        SELECT flag_key INTO used_by FROM (
            SELECT flag_key FROM lockflight.flag_state WHERE lockflight.flag_uses_segment(targeting, p_name)
            UNION ALL SELECT flag_key FROM lockflight.flag_schedule
            WHERE applied_at IS NULL AND cancelled_at IS NULL AND suspended_at IS NULL
              AND lockflight.flag_uses_segment(patch->'targeting', p_name)) u ORDER BY 1 LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'segment % is used by flag %', p_name, used_by USING ERRCODE = '55006';
        END IF;
        DELETE FROM lockflight.flag_segment WHERE name = p_name;
    ELSE
        IF p_name IS NULL OR p_name !~ '^[A-Za-z][A-Za-z0-9_.-]{0,126}$' THEN
            RAISE EXCEPTION 'segment "%": a name is a letter, then letters, digits and _ . -, 127 at most', p_name
                USING ERRCODE = '22023';
        ELSIF jsonb_path_exists(p_rule, 'strict $.**."$ref"', '{}', true) THEN
            RAISE EXCEPTION 'segment %: a segment cannot use another', p_name USING ERRCODE = '22023';
        END IF;
        PERFORM lockflight.flag_check_rule('segment ' || p_name, p_rule);
        version_ := version_ + 1;
        INSERT INTO lockflight.flag_segment (name, rule, version, updated_by) VALUES (p_name, p_rule, version_, p_actor)
        ON CONFLICT (name) DO UPDATE SET rule = excluded.rule, version = excluded.version,
                                         updated_at = clock_timestamp(), updated_by = excluded.updated_by;
        IF (SELECT count(*) FROM lockflight.flag_segment) > 200 THEN
            RAISE EXCEPTION 'segment %: 200 segments are there already', p_name USING ERRCODE = '54000';
        END IF;
        PERFORM lockflight.flag_check_size();
    END IF;
    PERFORM lockflight.flag_note(lockflight.flag_bump('*'), p_actor, p_via, p_reason, 'segment', NULL,
                                 'segment ' || p_name, NULL, s.rule, p_rule);
    RETURN CASE WHEN p_rule IS NULL THEN 0 ELSE version_ END;
END $$;

