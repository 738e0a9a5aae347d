-- Everything that can change of a run, in one round trip. A patch of a JSON column is a mode (0: leave, 1: set,
-- 2: remove and add), an object and keys to remove; NULL stays NULL when there is nothing to add.
WITH changed AS (
    UPDATE runs SET
        status = COALESCE($2::TEXT, status),
        comment = CASE WHEN $3::BOOLEAN THEN $4::TEXT ELSE comment END,
        time_created = CASE WHEN $5::BOOLEAN THEN COALESCE($6::TIMESTAMPTZ, clock_timestamp()) ELSE time_created END,
        time_started = CASE WHEN $7::BOOLEAN THEN COALESCE($8::TIMESTAMPTZ, clock_timestamp()) ELSE time_started END,
        time_updated = CASE WHEN $9::BOOLEAN THEN COALESCE($10::TIMESTAMPTZ, clock_timestamp()) ELSE time_updated END,
        tags = CASE $11::SMALLINT
            WHEN 0 THEN tags
            WHEN 1 THEN $12::JSONB
            ELSE NULLIF(
                (COALESCE(tags, '{}') - $13::TEXT[]) || $12::JSONB,
                CASE WHEN tags IS NULL THEN '{}'::JSONB END
            )
        END,
        args = CASE $14::SMALLINT
            WHEN 0 THEN args
            WHEN 1 THEN $15::JSONB
            ELSE NULLIF(
                (COALESCE(args, '{}') - $16::TEXT[]) || $15::JSONB,
                CASE WHEN args IS NULL THEN '{}'::JSONB END
            )
        END,
        env = CASE $17::SMALLINT
            WHEN 0 THEN env
            WHEN 1 THEN $18::JSONB
            ELSE NULLIF(
                (COALESCE(env, '{}') - $19::TEXT[]) || $18::JSONB,
                CASE WHEN env IS NULL THEN '{}'::JSONB END
            )
        END,
        extras = CASE $20::SMALLINT
            WHEN 0 THEN extras
            WHEN 1 THEN $21::JSONB
            ELSE NULLIF(
                (COALESCE(extras, '{}') - $22::TEXT[]) || $21::JSONB,
                CASE WHEN extras IS NULL THEN '{}'::JSONB END
            )
        END
    WHERE id = $1
    RETURNING id
),
links AS (
    SELECT * FROM unnest($23::TEXT[], $24::BIGINT[], $25::BOOLEAN[]) AS l (kind, to_id, is_added)
),
removed AS (
    DELETE FROM run_links AS old USING links
    WHERE NOT is_added AND old.from_id = $1 AND old.kind = links.kind AND old.to_id = links.to_id
),
added AS (
    INSERT INTO run_links (from_id, kind, to_id)
    SELECT changed.id, kind, to_id FROM changed, links WHERE is_added
    ON CONFLICT DO NOTHING
)
SELECT count(*) AS "count!" FROM changed
