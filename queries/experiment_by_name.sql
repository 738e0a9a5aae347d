SELECT id AS "id!", name AS "name!" FROM experiments WHERE name = $1
