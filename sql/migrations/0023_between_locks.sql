-- What one session at a time may do is locked by rows here, which a reader can neither lock nor see; anybody may take an
-- advisory lock. A migration must not alter this table: the session that migrates waits for the one that holds its lock.
CREATE TABLE upload_pipeline.locks (
    name text PRIMARY KEY
);
ALTER TABLE upload_pipeline.locks OWNER TO ingest_owner;
GRANT SELECT, INSERT, UPDATE ON upload_pipeline.locks TO ingest_worker;
