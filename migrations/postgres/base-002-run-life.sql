-- Run life: who tracks a run, and when it was last heard of. Released: changes go into a new script.
--
-- All columns are NULL for a run that nobody tracks. Older clients need not know them.

-- Whoever reads runs for long makes this wait, and all others behind it: it then fails, and can be tried again.
SET LOCAL lock_timeout = '10s';

ALTER TABLE runs
    -- A random number, a new one for each takeover: who holds another one may not write any more.
    ADD COLUMN lease BIGINT,
    -- Who took the lease: host and process.
    ADD COLUMN holder TEXT,
    -- How many trackers share the lease; 0 once all of them have ended.
    ADD COLUMN trackers INTEGER,
    -- When a tracker was last heard of, on the server's clock.
    ADD COLUMN time_heartbeat TIMESTAMP WITH TIME ZONE,
    -- Seconds from one heartbeat to the next.
    ADD COLUMN heartbeat_interval DOUBLE PRECISION;

-- The status of each run, where LOST is one that is RUNNING by its row and whose tracker has missed three heartbeats.
-- A run that was started anew without tracking since its last heartbeat is what its row says.
CREATE VIEW run_status AS
SELECT
    id,
    experiment_id,
    CASE
        WHEN
            status = 'RUNNING'
            AND time_heartbeat >= COALESCE(time_started, time_heartbeat)
            AND time_heartbeat < clock_timestamp() - 3 * make_interval(secs => heartbeat_interval)
            THEN 'LOST'
        ELSE status
    END AS status,
    time_created,
    time_started,
    time_updated,
    time_heartbeat,
    holder
FROM runs;
