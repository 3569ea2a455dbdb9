-- What Lockflight remembers about this environment. Created and upgraded by the lockflight program, which
-- carries this script inside; a script that has shipped never changes, the next one has the next number.

CREATE SCHEMA lockflight;
REVOKE ALL ON SCHEMA lockflight FROM PUBLIC;
COMMENT ON SCHEMA lockflight IS 'Lockflight: releases, lease and journal of this environment';

CREATE TABLE lockflight.schema_scripts (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Who may act. The heartbeat renews expires_at, by this server's clock.
CREATE TABLE lockflight.lease (
    target        text PRIMARY KEY,
    epoch         bigint NOT NULL DEFAULT 0,
    holder        text,                    -- null: free
    purpose       text,
    host          text,
    host_key      text,                    -- machine, boot and process space: may a process id be compared?
    pid           integer,
    pid_start     text,
    backend_pid   integer,
    backend_start timestamptz,
    request_ms    integer NOT NULL DEFAULT 0, -- the holder's deadline for remote calls
    taken_at      timestamptz,
    expires_at    timestamptz,
    given_back_at timestamptz,
    locked_by     text,                    -- by a person; never expires
    lock_reason   text,
    locked_at     timestamptz
);

-- The epoch again, in a row that only a takeover changes: every transaction of a runner holds it FOR SHARE, and
-- that must not stand in the way of the heartbeat.
CREATE TABLE lockflight.fence (
    target text PRIMARY KEY,
    epoch  bigint NOT NULL DEFAULT 0
);

CREATE TABLE lockflight.releases (
    id                uuid PRIMARY KEY,
    target            text NOT NULL,
    name              text NOT NULL,
    kind              text NOT NULL,
    restores          uuid REFERENCES lockflight.releases,
    previous          uuid REFERENCES lockflight.releases,
    source_digest     text,
    artefact_digest   text,
    plan_sha256       text,
    git_commit        text,
    git_subject       text,
    actor             text NOT NULL,
    state             text NOT NULL CHECK (state IN
                          ('forward', 'reversing', 'stuck', 'committed', 'rolled_back', 'refused')),
    note              text,
    manifest          jsonb NOT NULL DEFAULT '{}',
    plan              jsonb,
    epoch             bigint NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at       timestamptz,
    quarantined_at    timestamptz,
    quarantined_by    text,
    quarantine_reason text
);
CREATE INDEX releases_newest ON lockflight.releases (target, created_at DESC);
CREATE UNIQUE INDEX releases_one_open ON lockflight.releases (target)
    WHERE state IN ('forward', 'reversing', 'stuck');

CREATE TABLE lockflight.steps (
    release         uuid NOT NULL REFERENCES lockflight.releases,
    seq             integer NOT NULL,
    direction       text NOT NULL CHECK (direction IN ('forward', 'reverse')),
    phase           text NOT NULL,
    kind            text NOT NULL,
    key             text NOT NULL,
    title           text NOT NULL,
    idempotency_key text,
    state           text NOT NULL,
    before          jsonb,
    after           jsonb,
    attempt         integer NOT NULL DEFAULT 1,
    epoch           bigint NOT NULL,
    started_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at     timestamptz,
    PRIMARY KEY (release, seq, direction),
    CHECK ((direction = 'forward' AND state IN ('intent', 'done'))
        OR (direction = 'reverse' AND state IN ('undo_intent', 'undone')))
);

-- Append-only and hash-chained: hash = sha256(prev_hash, seq, release, epoch, microseconds, type, body), one per line.
CREATE TABLE lockflight.events (
    target    text NOT NULL,
    seq       bigint NOT NULL,
    release   uuid,
    epoch     bigint NOT NULL,
    at        timestamptz NOT NULL,
    type      text NOT NULL,
    body      jsonb NOT NULL,
    nonce     uuid NOT NULL UNIQUE,
    prev_hash text NOT NULL,
    hash      text NOT NULL,
    PRIMARY KEY (target, seq)
);
CREATE INDEX events_of_release ON lockflight.events (release, seq);

CREATE TABLE lockflight.chain (
    target text PRIMARY KEY,
    seq    bigint NOT NULL,
    hash   text NOT NULL
);

-- The one way to write an event. The same nonce twice is one event: a write whose answer was lost may be sent again.
CREATE FUNCTION lockflight.event_append(p_target text, p_release uuid, p_epoch bigint, p_type text, p_body jsonb,
                                        p_nonce uuid) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    head   lockflight.chain;
    moment timestamptz := pg_catalog.clock_timestamp();
    digest text;
BEGIN
    INSERT INTO lockflight.chain VALUES (p_target, 0, pg_catalog.repeat('0', 64)) ON CONFLICT DO NOTHING;
    SELECT * INTO STRICT head FROM lockflight.chain WHERE target = p_target FOR UPDATE;
    IF EXISTS (SELECT FROM lockflight.events WHERE nonce = p_nonce) THEN
        RETURN head.seq;
    END IF;
    digest := pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.concat_ws(E'\n',
                  head.hash, head.seq + 1, coalesce(p_release::text, '-'), p_epoch,
                  (extract(epoch FROM moment) * 1000000)::bigint, p_type, p_body::text), 'UTF8')), 'hex');
    INSERT INTO lockflight.events
    VALUES (p_target, head.seq + 1, p_release, p_epoch, moment, p_type, p_body, p_nonce, head.hash, digest);
    UPDATE lockflight.chain SET seq = head.seq + 1, hash = digest WHERE target = p_target;
    RETURN head.seq + 1;
END $$;

CREATE FUNCTION lockflight.events_are_append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'lockflight.events is append-only';
END $$;
CREATE TRIGGER events_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lockflight.events
    FOR EACH STATEMENT EXECUTE FUNCTION lockflight.events_are_append_only();

CREATE TABLE lockflight.artifacts (
    sha256     text PRIMARY KEY,
    kind       text NOT NULL,
    size       bigint NOT NULL,
    bytes      bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE lockflight.artifacts ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE lockflight.attestations (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    environment     text NOT NULL,
    release         uuid REFERENCES lockflight.releases,
    release_name    text,
    source_digest   text NOT NULL,
    artefact_digest text,
    claims          jsonb NOT NULL DEFAULT '{}',
    created_by      text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    epoch           bigint NOT NULL
);
CREATE INDEX attestations_of_content ON lockflight.attestations (environment, source_digest, id DESC);

-- What the history table of the Supabase CLI has no room for. A reversed migration keeps its row.
CREATE TABLE lockflight.migrations (
    version            text PRIMARY KEY,
    name               text NOT NULL,
    state              text NOT NULL CHECK (state IN ('applied', 'reversed')),
    release            uuid,
    up_sha256          text NOT NULL,
    down_sha256        text,
    down_sql           text,             -- so that it can be reversed without the repository
    applied_by         text NOT NULL,
    attempts           integer NOT NULL,
    epoch              bigint NOT NULL,
    started_at         timestamptz NOT NULL,
    finished_at        timestamptz NOT NULL,
    reversed_at        timestamptz,
    reversed_by        text,
    tool_version       text NOT NULL,
    server_version_num integer NOT NULL
);
