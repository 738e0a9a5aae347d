-- Lineage: runs that continue others, as one series. Released: changes go into a new script.
--
-- Only views, which older clients need not know. None of them names a metric, since a column that a view names can no more
-- change its type.

-- The series that each run belongs to, by the kind of the links that join runs; `resumes` has also the runs without links. A run
-- that several others continue is in one series with all of them. The id of a series is that of the run it begins with.
CREATE VIEW run_lineage AS
WITH RECURSIVE
    kinds AS (
        SELECT 'resumes' AS kind
        UNION
        SELECT kind FROM run_links
    ),
    reached (kind, lineage_id, run_id) AS (
        SELECT k.kind, r.id, r.id
        FROM
            runs AS r
            CROSS JOIN kinds AS k
        WHERE
            NOT EXISTS (SELECT FROM run_links AS l WHERE l.from_id = r.id AND l.kind = k.kind)
            AND (k.kind = 'resumes' OR EXISTS (SELECT FROM run_links AS l WHERE l.to_id = r.id AND l.kind = k.kind))
        UNION
        SELECT s.kind, s.lineage_id, l.from_id
        FROM
            reached AS s
            JOIN run_links AS l ON l.to_id = s.run_id AND l.kind = s.kind
    ),
    members AS (
        SELECT kind, lineage_id, run_id, FALSE AS is_cycle FROM reached
        UNION ALL
        -- What goes round in a circle has no beginning: each of its runs stands by itself.
        SELECT DISTINCT l.kind, l.from_id, l.from_id, TRUE
        FROM run_links AS l
        WHERE NOT EXISTS (SELECT FROM reached AS s WHERE s.run_id = l.from_id AND s.kind = l.kind)
    )
SELECT
    m.kind,
    m.lineage_id,
    m.run_id,
    -- A later run wins from its first step on: what this one has from there is not part of the series. NULL if none is later.
    min((SELECT min(step) FROM metrics WHERE run_id = m.run_id)) OVER (
        PARTITION BY m.kind, m.lineage_id
        ORDER BY r.time_created, r.id
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
    ) AS before_step,
    m.is_cycle
FROM
    members AS m
    JOIN runs AS r ON r.id = m.run_id;

-- Which rows of metrics make up each series of runs that resume others:
-- SELECT lineage_id, m.* FROM metrics_lineage JOIN metrics AS m USING (run_id, step, progress)
CREATE VIEW metrics_lineage AS
SELECT l.lineage_id, m.run_id, m.step, m.progress
FROM
    run_lineage AS l
    JOIN metrics AS m ON m.run_id = l.run_id
WHERE
    l.kind = 'resumes'
    AND (l.before_step IS NULL OR m.step < l.before_step);
