-- Writers: what of their spools has arrived. Released: changes go into a new script.
--
-- Older clients need not know these tables.

-- How much each writer has delivered. The number is committed together with the rows, so that whoever delivers next
-- knows where to go on.
CREATE TABLE writers (
    -- 32 hexadecimal digits, chosen at random.
    id TEXT NOT NULL PRIMARY KEY,
    -- The number of the last entry that has arrived; 0 if none has.
    last_seq INTEGER NOT NULL,
    -- When it arrived.
    time_updated TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now'))
) WITHOUT ROWID;

-- Which run each one has become that was begun without a database.
CREATE TABLE offline_runs (
    -- 32 hexadecimal digits, chosen at random where the run was begun.
    id TEXT NOT NULL PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE INDEX offline_runs_run_id ON offline_runs (run_id);
