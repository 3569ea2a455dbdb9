-- What migrations that are more than one transaction leave behind while they run, and what was proved about them.

ALTER TABLE lockflight.migrations
    DROP CONSTRAINT migrations_state_check,
    ADD CONSTRAINT migrations_state_check
        CHECK (state IN ('applying', 'applied', 'reversing', 'reversed', 'baseline')),
    ALTER COLUMN finished_at DROP NOT NULL,
    ADD COLUMN steps         integer NOT NULL DEFAULT 1,
    ADD COLUMN loss_class    text CHECK (loss_class IN ('A', 'B', 'C', 'D')),
    ADD COLUMN blocked_ms    bigint NOT NULL DEFAULT 0; -- spent waiting for locks, all attempts

-- One row per step of a migration that does not fit into one transaction. 'applying' is committed before the step
-- touches anything; after a crash the catalogue says what became of it. A backfill keeps its place in cursor, in the
-- transaction of the batch.
CREATE TABLE lockflight.migration_steps (
    version       text NOT NULL,
    direction     text NOT NULL CHECK (direction IN ('apply', 'reverse')),
    step          integer NOT NULL,            -- from 1
    kind          text NOT NULL,               -- how it runs: 'transaction', 'alone', 'backfill'
    sql           text NOT NULL DEFAULT '',    -- its text: a changed file cannot go on where another stopped
    sql_sha256    text NOT NULL,
    state         text NOT NULL CHECK (state IN ('applying', 'done')),
    before        jsonb,                       -- alone: what was there, to tell our work from it after a crash
    cursor        jsonb,                       -- backfill: the last key of the last batch
    rows_done     bigint NOT NULL DEFAULT 0,
    backend_pid   integer,
    backend_start timestamptz,
    epoch         bigint NOT NULL,
    started_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at   timestamptz,
    PRIMARY KEY (version, direction, step)
);

-- Pairs of a migration and its reverse script that were run up, down and up again. Keyed by content: a changed file
-- has no proof.
CREATE TABLE lockflight.proofs (
    up_sha256        text NOT NULL,
    down_sha256      text NOT NULL,
    server_major     integer NOT NULL,
    digest_algorithm integer NOT NULL,
    version          text NOT NULL,
    loss_class       text NOT NULL CHECK (loss_class IN ('A', 'B', 'C', 'D')),
    digest_before    text NOT NULL,
    digest_after     text NOT NULL,
    report           jsonb NOT NULL DEFAULT '{}', -- locks, rewrites, scans, residue, what could not be looked at
    duration_ms      bigint NOT NULL,
    proved_by        text NOT NULL,
    proved_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    tool_version     text NOT NULL,
    PRIMARY KEY (up_sha256, down_sha256, server_major, digest_algorithm)
);

-- The catalogue as the last release or command left it. What differs later was changed by somebody else. One row.
CREATE TABLE lockflight.catalogue (
    is_newest        boolean PRIMARY KEY DEFAULT true CHECK (is_newest),
    digest           text NOT NULL,
    digest_algorithm integer NOT NULL,
    server_major     integer NOT NULL,
    history          text NOT NULL, -- number of applied migrations and the newest: with another history it says nothing
    objects          text NOT NULL, -- [[kind, identity, what], …]
    taken_at         timestamptz NOT NULL DEFAULT clock_timestamp()
);
