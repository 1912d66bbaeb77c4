-- A provider that keeps jobs until they are removed, bills them late, and can be asked for a job whose creation it never
-- answered.
ALTER TABLE upload_pipeline.parse_jobs
    -- The id that the provider was told when it was asked for the job, if it is told one; by it, the job is found again.
    ADD COLUMN request_id uuid UNIQUE,
    -- Whether the provider certainly has no job of that request.
    ADD COLUMN withdrawn boolean NOT NULL DEFAULT false,
    -- When the provider is next asked what the job costs; null if that is known, or will never be.
    ADD COLUMN bill_due_at timestamptz;
CREATE INDEX parse_jobs_with_bill_due ON upload_pipeline.parse_jobs (bill_due_at) WHERE bill_due_at IS NOT NULL;

-- Jobs that nobody needs here any more and that their providers may still keep, until they are removed there. No user's data:
-- it outlives their documents.
CREATE TABLE upload_pipeline.remote_leftovers (
    request_id uuid PRIMARY KEY,
    provider text NOT NULL,
    -- Null if the answer to the request was lost.
    remote_id text,
    call_id bigint,
    asked_at timestamptz NOT NULL,
    left_at timestamptz NOT NULL DEFAULT now(),
    -- When the provider is next asked to remove it.
    due_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX remote_leftovers_due ON upload_pipeline.remote_leftovers (due_at);
ALTER TABLE upload_pipeline.remote_leftovers OWNER TO ingest_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.remote_leftovers TO ingest_worker;

-- Leaves a job to be removed at its provider, whatever removes or replaces its row here.
CREATE FUNCTION upload_pipeline.leave_remote_job() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO upload_pipeline.remote_leftovers (request_id, provider, remote_id, call_id, asked_at)
    VALUES (OLD.request_id, OLD.parser_name, OLD.remote_id, OLD.call_id, OLD.created_at)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION upload_pipeline.leave_remote_job FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.leave_remote_job TO ingest_worker;
ALTER FUNCTION upload_pipeline.leave_remote_job OWNER TO ingest_owner;
CREATE TRIGGER remote_jobs_are_left_over AFTER DELETE OR UPDATE OF request_id ON upload_pipeline.parse_jobs
    FOR EACH ROW WHEN (OLD.request_id IS NOT NULL AND NOT OLD.withdrawn)
    EXECUTE FUNCTION upload_pipeline.leave_remote_job();
