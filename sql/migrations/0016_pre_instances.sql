-- Deployments that work on this database, each under a lease.
CREATE TABLE upload_pipeline.instances (
    name text PRIMARY KEY,
    -- Dagster's own id of its storage; deployments that share Dagster's database share it.
    dagster_id text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    lease_expires_at timestamptz NOT NULL,
    -- How many drain runs the deployment has started or is about to start.
    drain_runs integer NOT NULL DEFAULT 0 CHECK (drain_runs >= 0)
);

-- The Dagster that lists a document: the last one that worked on it or was told of it.
ALTER TABLE upload_pipeline.upload_jobs ADD COLUMN listed_by text;

-- Documents that another Dagster lists by now, so that this one is to unlist them.
CREATE TABLE upload_pipeline.moved_listings (
    dagster_id text,
    document_id uuid REFERENCES upload_pipeline.documents ON DELETE CASCADE,
    PRIMARY KEY (dagster_id, document_id)
);
CREATE INDEX moved_listings_document ON upload_pipeline.moved_listings (document_id);

DO $$
DECLARE
    item text;
BEGIN
    FOREACH item IN ARRAY ARRAY['instances', 'moved_listings'] LOOP
        EXECUTE format('ALTER TABLE upload_pipeline.%I OWNER TO ingest_owner', item);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.%I TO ingest_worker', item);
    END LOOP;
    ALTER TABLE upload_pipeline.moved_listings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE POLICY pipeline ON upload_pipeline.moved_listings TO ingest_owner, ingest_worker
        USING (true) WITH CHECK (true);
END $$;
