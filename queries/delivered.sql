INSERT INTO writers (id, last_seq) VALUES ($1, 0)
ON CONFLICT (id) DO UPDATE SET last_seq = writers.last_seq
RETURNING last_seq AS "last_seq!"
