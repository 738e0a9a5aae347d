SELECT
    (SELECT count(*) FROM metrics WHERE run_id = r.id) AS "metric_rows!: i64",
    (SELECT count(*) FROM run_links WHERE from_id = r.id OR to_id = r.id) AS "links!: i64"
FROM runs AS r
WHERE r.id = $1
