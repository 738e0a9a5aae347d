-- Writers: what of their spools has arrived. Released: changes go into a new script.
--
-- Older clients need not know these tables.

-- The reference to runs waits for whoever writes to them, and makes all behind it wait: it then fails, and can be tried
-- again.
SET LOCAL lock_timeout = '10s';

-- How much each writer has delivered. The number is committed together with the rows, so that whoever delivers next
-- knows where to go on.
CREATE TABLE writers (
    -- 32 hexadecimal digits, chosen at random.
    id TEXT PRIMARY KEY,
    -- The number of the last entry that has arrived; 0 if none has.
    last_seq BIGINT NOT NULL,
    -- When it arrived.
    time_updated TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- Which run each one has become that was begun without a database.
CREATE TABLE offline_runs (
    -- 32 hexadecimal digits, chosen at random where the run was begun.
    id TEXT PRIMARY KEY,
    run_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE
);

CREATE INDEX offline_runs_run_id ON offline_runs (run_id);
