-- no-transaction
-- In the order of claims of one lane. What an interrupted attempt left goes first.
DROP INDEX CONCURRENTLY IF EXISTS upload_pipeline.upload_jobs_claimable_by_lane;

CREATE INDEX CONCURRENTLY upload_jobs_claimable_by_lane ON upload_pipeline.upload_jobs
    (lane, user_id, priority DESC, queued_at, job_id, (COALESCE(next_retry_at, '-infinity')))
    WHERE state IN ('queued', 'retryable');
