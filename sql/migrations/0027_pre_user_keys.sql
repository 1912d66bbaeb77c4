-- The data key of each user whose stored objects are encrypted, wrapped by the master key, which is not in the database.
-- Without its row, what was encrypted with it is gone, also from copies of the store.
CREATE TABLE upload_pipeline.user_keys (
    user_id uuid PRIMARY KEY,
    key_id uuid NOT NULL UNIQUE,
    wrapped_key bytea NOT NULL,
    -- When something was last stored with it, give or take an hour: its row may not be written yet.
    used_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE upload_pipeline.user_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY pipeline ON upload_pipeline.user_keys TO ingest_owner, ingest_worker USING (true) WITH CHECK (true);
ALTER TABLE upload_pipeline.user_keys OWNER TO ingest_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.user_keys TO ingest_worker;
