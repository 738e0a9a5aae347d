INSERT INTO offline_runs (id, run_id) VALUES ($1, $2)
