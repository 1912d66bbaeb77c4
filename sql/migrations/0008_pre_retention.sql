-- When Dagster was told to forget the document's partition; it knows it again where reported_at is later.
ALTER TABLE upload_pipeline.upload_jobs ADD COLUMN pruned_at timestamptz;
CREATE INDEX upload_jobs_listed ON upload_pipeline.upload_jobs (finished_at)
    WHERE state = 'done' AND reported_at IS NOT NULL AND (pruned_at IS NULL OR pruned_at < reported_at);

-- Documents that are gone while Dagster may still list their partitions.
CREATE TABLE upload_pipeline.deleted_documents (document_id uuid PRIMARY KEY);

-- Failures are few among many: what lists, retries or replays them must not read the others.
CREATE INDEX upload_jobs_failed ON upload_pipeline.upload_jobs (queued_at, job_id)
    WHERE state IN ('retryable', 'deadletter');

-- Dead letters are reported a few a minute: they must not lie in the way of what has succeeded.
DROP INDEX upload_pipeline.upload_jobs_unreported;
CREATE INDEX upload_jobs_unreported ON upload_pipeline.upload_jobs (state, job_id)
    WHERE state IN ('done', 'deadletter') AND reported_at IS NULL;
