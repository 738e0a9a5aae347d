-- Everything that can change of an experiment, in one round trip; patches as for runs.
WITH changed AS (
    UPDATE experiments SET
        name = COALESCE($2::TEXT, name),
        comment = CASE WHEN $3::BOOLEAN THEN $4::TEXT ELSE comment END,
        tags = CASE $5::SMALLINT
            WHEN 0 THEN tags
            WHEN 1 THEN $6::JSONB
            ELSE NULLIF(
                (COALESCE(tags, '{}') - $7::TEXT[]) || $6::JSONB,
                CASE WHEN tags IS NULL THEN '{}'::JSONB END
            )
        END,
        extras = CASE $8::SMALLINT
            WHEN 0 THEN extras
            WHEN 1 THEN $9::JSONB
            ELSE NULLIF(
                (COALESCE(extras, '{}') - $10::TEXT[]) || $9::JSONB,
                CASE WHEN extras IS NULL THEN '{}'::JSONB END
            )
        END
    WHERE id = $1
    RETURNING id
),
links AS (
    SELECT * FROM unnest($11::TEXT[], $12::BIGINT[], $13::BOOLEAN[]) AS l (kind, to_id, is_added)
),
removed AS (
    DELETE FROM experiment_links AS old USING links
    WHERE NOT is_added AND old.from_id = $1 AND old.kind = links.kind AND old.to_id = links.to_id
),
added AS (
    INSERT INTO experiment_links (from_id, kind, to_id)
    SELECT changed.id, kind, to_id FROM changed, links WHERE is_added
    ON CONFLICT DO NOTHING
)
SELECT count(*) AS "count!" FROM changed
