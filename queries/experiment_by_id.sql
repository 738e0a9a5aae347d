SELECT id AS "id!", name AS "name!" FROM experiments WHERE id = $1
