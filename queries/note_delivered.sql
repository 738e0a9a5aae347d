INSERT INTO writers (id, last_seq) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET last_seq = excluded.last_seq, time_updated = excluded.time_updated
WHERE writers.last_seq < excluded.last_seq
