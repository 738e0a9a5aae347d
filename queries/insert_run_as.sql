INSERT INTO runs (id, experiment_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id AS "id!"
