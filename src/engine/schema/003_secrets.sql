-- What this environment knows of its secrets file, so that an older or a foreign one is refused: the key it trusts, and
-- the highest revision that was sent of each name. Neither tells anything of a value.

CREATE TABLE lockflight.secret_keys (
    target     text PRIMARY KEY,
    generation bigint NOT NULL,
    key_id     text NOT NULL,
    trusted_by text NOT NULL,
    trusted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE lockflight.secret_revisions (
    target   text NOT NULL,
    name     text NOT NULL,
    revision bigint NOT NULL,
    sent_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (target, name)
);

-- What `vars push` sent since the live release, which knows only what it sent itself.
CREATE TABLE lockflight.variables_sent (
    target  text NOT NULL,
    name    text NOT NULL,
    mark    jsonb NOT NULL, -- how the value is recognised again; never the value
    sent_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (target, name)
);
