INSERT INTO experiments (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id AS "id!"
