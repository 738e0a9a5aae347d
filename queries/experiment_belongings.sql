SELECT
    (SELECT count(*) FROM runs WHERE experiment_id = e.id) AS "runs!: i64",
    (
        SELECT count(*) FROM metrics
        WHERE run_id IN (SELECT id FROM runs WHERE experiment_id = e.id)
    ) AS "metric_rows!: i64",
    (SELECT count(*) FROM experiment_links WHERE from_id = e.id OR to_id = e.id)
        + (
            SELECT count(*) FROM run_links
            WHERE from_id IN (SELECT id FROM runs WHERE experiment_id = e.id)
                OR to_id IN (SELECT id FROM runs WHERE experiment_id = e.id)
        ) AS "links!: i64"
FROM experiments AS e
WHERE e.id = $1
