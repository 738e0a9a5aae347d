SELECT experiment_id AS "experiment_id!" FROM runs WHERE id = $1
