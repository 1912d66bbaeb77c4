-- Alerts are about conditions, which must hold for a while, and whose end is told as well. `code` is the name of a
-- condition, with its subject.
ALTER TABLE upload_pipeline.alerts
    -- Null while the condition does not hold.
    ADD COLUMN holds_since timestamptz,
    -- Whether people were told that it holds, and not yet that it has ended.
    ADD COLUMN is_told boolean NOT NULL DEFAULT false;

-- What the metrics said, a minute apart and later ten: what is usual is compared with what is now. Sums over everybody,
-- with no ids.
CREATE TABLE upload_pipeline.readings (
    taken_at timestamptz PRIMARY KEY,
    metrics jsonb NOT NULL
);
ALTER TABLE upload_pipeline.readings OWNER TO ingest_owner;
GRANT SELECT, INSERT, DELETE ON upload_pipeline.readings TO ingest_worker;
