-- What the reference adds, so that a claim looks at the rows it serves and at no others. Nothing here is part of the
-- contract. The clock is `now()` throughout, unqualified, so that a function earlier on the search path can move it.

-- A queue turns over its rows: by default vacuum would wait until a fifth of all that were ever finished is dead. And a
-- statement that was planned when the table was a page or two long scans it, and goes on to when it is long: so it is
-- neither analysed while it is small, nor cut short when it was emptied.
ALTER TABLE task_queue SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 1000,
    vacuum_truncate = off
);

-- The clock of the weighted race, whose law is in weighted.py; a tick is 2^-20 of what a task of weight 1 needs on
-- average. A sequence, because claims in the same moment must not wait for each other's commit.
CREATE SEQUENCE reference_weighted_clock MINVALUE 0 START 0;

-- `ready` is false for what is not due yet, so that a million delayed tasks in front cost a claim nothing. The arrival
-- in the weighted race is weighted_from + weighted_draw * 2^20 * (priority + 1): drawn by the defaults for every row,
-- whoever inserts it, from the clock as it stands then.
ALTER TABLE task_queue
    ADD COLUMN ready boolean NOT NULL DEFAULT true,
    ADD COLUMN weighted_from double precision NOT NULL
        DEFAULT coalesce(pg_sequence_last_value('reference_weighted_clock'), 0),
    ADD COLUMN weighted_draw double precision NOT NULL DEFAULT -ln(1 - random());

CREATE FUNCTION reference_arrival(begun double precision, draw double precision, priority bigint)
    RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN begun + draw * 1048576 * (greatest(coalesce(priority, 100), 0)::double precision + 1);

CREATE FUNCTION reference_is_spent(attempts bigint, max_attempts bigint) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN coalesce(attempts, 0) >= coalesce(max_attempts, 5);

CREATE FUNCTION reference_put_off() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.ready := false;
    RETURN NEW;
END $$;

CREATE TRIGGER reference_put_off BEFORE INSERT OR UPDATE OF run_after_utc ON task_queue
    FOR EACH ROW WHEN (NEW.run_after_utc > now()) EXECUTE FUNCTION reference_put_off();

-- Whether a worker can do a task: every key of `needs` is among its capabilities, equal as jsonb says (1 is 1.0 but not
-- true, the order of keys counts for nothing). NULL if `needs` is no JSON object, so that nobody ever will.
CREATE FUNCTION reference_suits(needs text, capabilities jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    wanted jsonb;
BEGIN
    wanted := needs::jsonb;
    IF jsonb_typeof(wanted) <> 'object' THEN
        RETURN NULL;
    END IF;
    RETURN NOT EXISTS (
        SELECT FROM jsonb_each(wanted) AS need WHERE capabilities -> need.key IS DISTINCT FROM need.value
    );
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END $$;

-- Each of these has an order that no other index gives (`id + 0`, lest the primary key be walked through all that is
-- finished), so that whoever asks for the first in that order gets this one whatever the statistics say.
CREATE INDEX reference_by_age ON task_queue ((id + 0)) WHERE status = 'queued' AND ready;

CREATE INDEX reference_by_priority ON task_queue (priority NULLS FIRST, id) WHERE status = 'queued' AND ready;

CREATE INDEX reference_by_arrival ON task_queue (reference_arrival(weighted_from, weighted_draw, priority), id)
    WHERE status = 'queued' AND ready;

CREATE VIEW reference_claimable AS
    SELECT id, id + 0 AS age, priority, coalesce(run_after_utc, '-infinity') AS due,
        nullif(compatibility, '{}') AS needs,
        reference_arrival(weighted_from, weighted_draw, priority) AS arrival
    FROM task_queue WHERE status = 'queued' AND ready AND NOT reference_is_spent(attempts, max_attempts);

CREATE INDEX reference_waiting ON task_queue (coalesce(run_after_utc, '-infinity')) WHERE status = 'queued' AND NOT ready;

CREATE INDEX reference_leased ON task_queue (lease_until_utc) WHERE status = 'leased';

CREATE INDEX reference_completed ON task_queue (finished_at_utc) WHERE status = 'completed';

-- What nobody can serve; empty but for rows that others spoilt, so that looking for them costs a claim next to nothing.
CREATE INDEX reference_unfit ON task_queue (updated_at_utc) WHERE status = 'queued' AND (
    reference_is_spent(attempts, max_attempts)
    OR coalesce(compatibility, '{}') <> '{}' AND reference_suits(compatibility, '{}') IS NULL
);

CREATE INDEX reference_logs_of_task ON task_logs (task_id);

-- One key, one task, for ever: a deleted task leaves its key behind, whoever deletes it.
CREATE TABLE reference_retired_keys (
    idempotency_key text PRIMARY KEY,
    task_id bigint NOT NULL
);

CREATE FUNCTION reference_retire_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reference_retired_keys VALUES (OLD.idempotency_key, OLD.id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER reference_retire_key AFTER DELETE ON task_queue
    FOR EACH ROW WHEN (OLD.idempotency_key IS NOT NULL) EXECUTE FUNCTION reference_retire_key();

-- An insertion that waited for the deletion of its key's first task does not see with its own snapshot what that left.
CREATE FUNCTION reference_refuse_retired_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM reference_retired_keys WHERE idempotency_key = NEW.idempotency_key) THEN
        RAISE unique_violation USING MESSAGE =
            format('the idempotency key %L belonged to a task that was deleted, and names it for ever', NEW.idempotency_key);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER reference_refuse_retired_key AFTER INSERT OR UPDATE OF idempotency_key ON task_queue
    FOR EACH ROW WHEN (NEW.idempotency_key IS NOT NULL) EXECUTE FUNCTION reference_refuse_retired_key();

-- Ends at most `most` leases that are over; returns how many. One at a time, because a claim passes over rows that are
-- locked: it waits here for whoever is at it, and then sees all of what that brought back.
CREATE FUNCTION reference_take_back(most integer) RETURNS integer LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_sort = off SET jit = off AS $$
DECLARE
    changed integer;
BEGIN
    PERFORM pg_advisory_xact_lock('task_queue'::regclass::oid::integer, 1);
    UPDATE task_queue
    SET status = CASE WHEN reference_is_spent(attempts, max_attempts) THEN 'failed' ELSE 'queued' END,
        ready = true,
        run_after_utc = least(run_after_utc, now()),
        finished_at_utc = CASE WHEN reference_is_spent(attempts, max_attempts) THEN now() ELSE finished_at_utc END,
        error_message = CASE WHEN reference_is_spent(attempts, max_attempts) AND error_message IS NULL
            THEN format('lease of %s was over at %s in the last attempt',
                coalesce(locked_by, 'nobody'), lease_until_utc AT TIME ZONE 'UTC')
            ELSE error_message END,
        weighted_from = DEFAULT, weighted_draw = DEFAULT,
        updated_at_utc = now(), reserved_at_utc = NULL, lease_until_utc = NULL, locked_by = NULL
    WHERE id = ANY (ARRAY(
        SELECT id FROM task_queue WHERE status = 'leased' AND lease_until_utc <= now()
        ORDER BY lease_until_utc LIMIT most FOR NO KEY UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;

-- Brings the hints that claims rely on up to date, at most `most` rows of each kind; returns how many rows changed.
CREATE FUNCTION reference_tidy(weighted boolean, most integer) RETURNS integer LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_sort = off SET jit = off AS $$
DECLARE
    changed integer := reference_take_back(most);
    step integer;
    clock double precision;
BEGIN
    UPDATE task_queue SET ready = true, weighted_from = DEFAULT, weighted_draw = DEFAULT
    WHERE id = ANY (ARRAY(
        SELECT id FROM task_queue
        WHERE status = 'queued' AND NOT ready AND coalesce(run_after_utc, '-infinity') <= now()
        ORDER BY coalesce(run_after_utc, '-infinity') LIMIT most FOR NO KEY UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS step = ROW_COUNT;
    changed := changed + step;

    UPDATE task_queue
    SET status = 'failed', finished_at_utc = now(), updated_at_utc = now(),
        error_message = concat_ws('; ', error_message, CASE
            WHEN reference_is_spent(attempts, max_attempts)
            THEN 'never claimed again: all its attempts are used up'
            ELSE 'cannot be served: its compatibility is not a JSON object' END),
        reserved_at_utc = NULL, lease_until_utc = NULL, locked_by = NULL
    WHERE id = ANY (ARRAY(
        SELECT id FROM task_queue
        WHERE status = 'queued' AND (
            reference_is_spent(attempts, max_attempts)
            OR coalesce(compatibility, '{}') <> '{}' AND reference_suits(compatibility, '{}') IS NULL
        )
        ORDER BY updated_at_utc LIMIT most FOR NO KEY UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS step = ROW_COUNT;
    changed := changed + step;

    IF weighted THEN
        clock := coalesce(pg_sequence_last_value('reference_weighted_clock'), 0);
        IF clock >= 2^46 THEN -- a new lap: doubles lose digits as the clock grows
            PERFORM setval('reference_weighted_clock', 0);
            clock := 'infinity';
        END IF;
        UPDATE task_queue SET weighted_from = DEFAULT, weighted_draw = DEFAULT
        WHERE id = ANY (ARRAY(
            SELECT id FROM reference_claimable WHERE arrival <= clock ORDER BY arrival, id FOR NO KEY UPDATE SKIP LOCKED
        ));
    END IF;
    RETURN changed;
END $$;

-- Wakes who waits for work, and costs nobody else: NOTIFY makes all commits that carry one queue up behind each other,
-- so it is sent only while somebody waits. Who waits holds this lock, shared, and listens before taking it.
CREATE FUNCTION reference_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_try_advisory_lock(TG_RELID::integer, 2) THEN
        PERFORM pg_advisory_unlock(TG_RELID::integer, 2);
    ELSE
        PERFORM pg_notify('taskq_' || TG_RELID, '');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER reference_wake_for_new AFTER INSERT ON task_queue
    FOR EACH STATEMENT EXECUTE FUNCTION reference_wake();

CREATE TRIGGER reference_wake_for_returned AFTER UPDATE OF status, run_after_utc ON task_queue
    FOR EACH ROW WHEN (
        NEW.status = 'queued' AND (OLD.status IS DISTINCT FROM 'queued' OR NEW.run_after_utc < OLD.run_after_utc)
    ) EXECUTE FUNCTION reference_wake();
