-- When an alert of each cause was last sent, so that all workers together send one per hour.
CREATE TABLE upload_pipeline.alerts (
    code text PRIMARY KEY,
    last_sent_at timestamptz,
    -- Until then, somebody is sending it; a sender that was killed blocks nobody for longer.
    claimed_until timestamptz
);
ALTER TABLE upload_pipeline.alerts OWNER TO ingest_owner;
GRANT SELECT, INSERT, UPDATE ON upload_pipeline.alerts TO ingest_worker;
