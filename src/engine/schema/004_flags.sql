-- Feature flags of this environment. Definitions belong to the code and are written by releases; states, schedules and
-- segments belong to operators. Everything is written by the functions below, which lock flag_set first: one writer at
-- a time, so config versions are in the order of commits, and whoever reads version n has seen all up to n.

CREATE TABLE lockflight.flag_set (
    is_only        boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    config_version bigint NOT NULL DEFAULT 0,
    changed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_in     xid8,                     -- the newest version's transaction: there is one version in each
    changed_began  timestamptz,              -- when it began: in a restored database the number alone says little
    changed_keys   text[] NOT NULL DEFAULT '{}' -- what it changed, for the notification; '*' is everything
);
INSERT INTO lockflight.flag_set DEFAULT VALUES;

CREATE TABLE lockflight.flag_attribute (
    name       text PRIMARY KEY CHECK (name ~ '^[A-Za-z_][A-Za-z0-9_.-]{0,62}$' AND name <> 'targetingKey'),
    type       text NOT NULL CHECK (type IN ('string', 'number', 'boolean', 'list', 'version')),
    trusted    boolean NOT NULL DEFAULT false, -- only from a token that was checked
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_by text NOT NULL
);

CREATE TABLE lockflight.flag (
    flag_key           text PRIMARY KEY CHECK (flag_key ~ '^[A-Za-z][A-Za-z0-9_.-]{0,126}$'),
    value_type         text NOT NULL CHECK (value_type IN ('boolean', 'string', 'number', 'object')),
    variants           jsonb NOT NULL,
    off_variant        text NOT NULL,
    exposure           text NOT NULL CHECK (exposure IN ('server', 'client', 'db')),
    kind               text NOT NULL CHECK (kind IN ('release', 'ops', 'experiment', 'permission')),
    owner              text NOT NULL DEFAULT '',
    description        text NOT NULL DEFAULT '',
    expires_on         date,
    requires           jsonb NOT NULL DEFAULT '[]', -- [{"flag", "variant"}]
    needs              jsonb NOT NULL DEFAULT '{}', -- {"migrations": [], "functions": [], "release": true}
    attributes         text[] NOT NULL DEFAULT '{}', -- what its rules may look at; none: all that are declared
    created_by_release uuid,
    needs_release      uuid, -- which brings what it needs
    code_rev           text,
    code_removed_at    timestamptz,
    archived_at        timestamptz,
    created_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (variants ? off_variant)
);

CREATE TABLE lockflight.flag_state (
    flag_key        text PRIMARY KEY REFERENCES lockflight.flag,
    enabled         boolean NOT NULL DEFAULT true,  -- false: the code's own default
    killed          boolean NOT NULL DEFAULT false, -- the off variant for everyone; the rest is kept
    default_variant text,                           -- null: the code's own default
    targeting       jsonb,
    bucketing       smallint NOT NULL DEFAULT 2 CHECK (bucketing = 2), -- which generation of hashing
    version         bigint NOT NULL DEFAULT 1,
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_by      text NOT NULL,
    updated_via     text NOT NULL,
    updated_reason  text
);

CREATE TABLE lockflight.flag_segment (
    name       text PRIMARY KEY CHECK (name ~ '^[A-Za-z][A-Za-z0-9_.-]{0,126}$'),
    rule       jsonb NOT NULL,
    version    bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_by text NOT NULL
);

-- A patch that is part of the state from run_at on. Readers lay it over the stored state; the next write puts it there.
CREATE TABLE lockflight.flag_schedule (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flag_key          text NOT NULL REFERENCES lockflight.flag,
    run_at            timestamptz NOT NULL,
    patch             jsonb NOT NULL,
    base_version      bigint NOT NULL,
    reason            text,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by        text NOT NULL,
    applied_at        timestamptz,
    applied_version   bigint,
    cancelled_at      timestamptz,
    cancelled_by      text,
    suspended_at      timestamptz, -- somebody changed the same fields by hand
    suspended_by      text,
    suspended_version bigint
);
CREATE INDEX flag_schedule_waiting ON lockflight.flag_schedule (run_at, id)
    WHERE applied_at IS NULL AND cancelled_at IS NULL AND suspended_at IS NULL;
CREATE INDEX flag_schedule_waiting_of_flag ON lockflight.flag_schedule (flag_key, run_at)
    WHERE applied_at IS NULL AND cancelled_at IS NULL AND suspended_at IS NULL;

CREATE TABLE lockflight.flag_audit (
    seq            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    config_version bigint NOT NULL,
    actor          text NOT NULL,
    via            text NOT NULL,
    reason         text,
    action         text NOT NULL,
    flag_key       text,          -- null: not about a flag
    object         text NOT NULL, -- "flag financial", "segment staff", "attribute plan"
    release        uuid,
    old            jsonb,
    new            jsonb
);
CREATE INDEX flag_audit_of_flag ON lockflight.flag_audit (flag_key, seq DESC);

CREATE FUNCTION lockflight.flag_audit_is_append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    RAISE EXCEPTION 'lockflight.flag_audit is append-only' USING ERRCODE = '42501';
END $$;
CREATE TRIGGER flag_audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lockflight.flag_audit
    FOR EACH STATEMENT EXECUTE FUNCTION lockflight.flag_audit_is_append_only();

-- How often a variant was served; '' is the code's own default.
CREATE TABLE lockflight.flag_usage (
    flag_key text NOT NULL,
    day      date NOT NULL,
    variant  text NOT NULL,
    n        bigint NOT NULL,
    PRIMARY KEY (flag_key, day, variant)
);

-- What the code of a published deploy knows: {key: [variants]}.
CREATE TABLE lockflight.flag_manifest (
    deploy_id    text PRIMARY KEY,
    release      uuid,
    code_rev     text,
    flags        jsonb NOT NULL,
    published_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX flag_manifest_newest ON lockflight.flag_manifest (published_at DESC);

-- ---- hashing ----

-- MurmurHash3 x86_32 with seed 0 over the UTF-8 bytes. The negative factors are the algorithm's own less 2^32, so that
-- no product leaves 64 bits.
CREATE FUNCTION lockflight.flag_murmur3(value text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    b bytea  := convert_to(value, 'UTF8');
    n int    := length(b);
    h bigint := 0;
    k bigint := 0;
BEGIN
    FOR i IN 0 .. n / 4 - 1 LOOP
        k := ((get_byte(b, 4 * i) + get_byte(b, 4 * i + 1) * 256 + get_byte(b, 4 * i + 2) * 65536
             + get_byte(b, 4 * i + 3) * 16777216::bigint) * -862048943) & 4294967295;
        h := h # (((((k << 15) & 4294967295) | (k >> 17)) * 461845907) & 4294967295);
        h := ((((h << 13) & 4294967295) | (h >> 19)) * 5 + 3864292196) & 4294967295;
    END LOOP;
    IF n % 4 > 0 THEN
        k := 0;
        FOR i IN REVERSE n - 1 .. n - n % 4 LOOP
            k := k * 256 + get_byte(b, i);
        END LOOP;
        k := (k * -862048943) & 4294967295;
        h := h # (((((k << 15) & 4294967295) | (k >> 17)) * 461845907) & 4294967295);
    END IF;
    h := h # n;
    h := ((h # (h >> 16)) * -2048144789) & 4294967295;
    h := ((h # (h >> 13)) * -1028477387) & 4294967295;
    RETURN h # (h >> 16);
END $$;

