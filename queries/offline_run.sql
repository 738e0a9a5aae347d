SELECT run_id AS "run_id!" FROM offline_runs WHERE id = $1
