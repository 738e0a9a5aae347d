-- Run life: who tracks a run, and when it was last heard of. Released: changes go into a new script.
--
-- All columns are NULL for a run that nobody tracks. Older clients need not know them.

-- A random number, a new one for each takeover: who holds another one may not write any more.
ALTER TABLE runs ADD COLUMN lease INTEGER;
-- Who took the lease: host and process.
ALTER TABLE runs ADD COLUMN holder TEXT;
-- How many trackers share the lease; 0 once all of them have ended.
ALTER TABLE runs ADD COLUMN trackers INTEGER;
-- When a tracker was last heard of, on the clock of the file's system.
ALTER TABLE runs ADD COLUMN time_heartbeat TIMESTAMP WITH TIME ZONE;
-- Seconds from one heartbeat to the next.
ALTER TABLE runs ADD COLUMN heartbeat_interval DOUBLE PRECISION;

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
            AND (julianday('now') - julianday(time_heartbeat)) * 86400 > 3 * heartbeat_interval
            THEN 'LOST'
        ELSE status
    END AS status,
    time_created,
    time_started,
    time_updated,
    time_heartbeat,
    holder
FROM runs;
