DELETE FROM writers WHERE id = $1
