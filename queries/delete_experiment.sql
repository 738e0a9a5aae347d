DELETE FROM experiments WHERE id = $1
