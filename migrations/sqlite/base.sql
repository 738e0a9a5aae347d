-- The base schema of SQLTrack for SQLite. Released: changes go into a new script.
--
-- JSON is kept as text, a time as UTC text of a fixed width that sorts and that SQLite's date functions read.

CREATE TABLE experiments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_created TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    name TEXT NOT NULL UNIQUE,
    comment TEXT,
    tags JSONB,
    extras JSONB
);

CREATE TABLE experiment_links (
    from_id INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    to_id INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    PRIMARY KEY (from_id, kind, to_id)
) WITHOUT ROWID;

CREATE INDEX experiment_links_to_id ON experiment_links (to_id);

CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    experiment_id INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    status TEXT NOT NULL DEFAULT 'PLANNED',
    time_created TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    time_started TIMESTAMP WITH TIME ZONE,
    time_updated TIMESTAMP WITH TIME ZONE,
    comment TEXT,
    tags JSONB,
    args JSONB,
    env JSONB,
    extras JSONB
);

CREATE INDEX runs_experiment_id ON runs (experiment_id);

CREATE TABLE run_links (
    from_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    to_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    PRIMARY KEY (from_id, kind, to_id)
) WITHOUT ROWID;

CREATE INDEX run_links_to_id ON run_links (to_id);

-- One row for each point in time of a run, one column for each metric. The columns come with the metrics.
CREATE TABLE metrics (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    step INTEGER NOT NULL DEFAULT 0,
    progress DOUBLE PRECISION NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, step, progress)
);

-- What a column of metrics cannot hold: a float in value, everything else in other. SQLite has no NaN: it is
-- '{"float":"NaN"}' in other, while the column of metrics stays NULL.
CREATE TABLE metrics_overflow (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    step INTEGER NOT NULL DEFAULT 0,
    progress DOUBLE PRECISION NOT NULL DEFAULT 0,
    name TEXT NOT NULL,
    value DOUBLE PRECISION,
    other TEXT,
    PRIMARY KEY (run_id, step, progress, name)
) WITHOUT ROWID;

-- Every metric value as a row of its own. Made anew whenever SQLTrack adds a column to metrics.
CREATE VIEW metrics_long AS
SELECT run_id, step, progress, name, value, other
FROM metrics_overflow;
