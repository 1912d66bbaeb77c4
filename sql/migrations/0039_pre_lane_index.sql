-- no-transaction
-- What waits gets its lane, and then an index in the order of claims of one lane. What is locked is being claimed or
-- changed, and gets its lane by that; to wait for it could last as long as a document takes. What an interrupted attempt left
-- goes first.
UPDATE upload_pipeline.upload_jobs
SET lane = upload_pipeline.lane_of(stage, attempts_by_code)
WHERE job_id = ANY(ARRAY(
    SELECT job_id
    FROM upload_pipeline.upload_jobs
    WHERE state IN ('queued', 'retryable') AND lane <> upload_pipeline.lane_of(stage, attempts_by_code)
    FOR UPDATE SKIP LOCKED
));

DROP INDEX CONCURRENTLY IF EXISTS upload_pipeline.upload_jobs_claimable_by_lane;

CREATE INDEX CONCURRENTLY upload_jobs_claimable_by_lane ON upload_pipeline.upload_jobs
    (lane, user_id, priority DESC, queued_at, job_id, (COALESCE(next_retry_at, '-infinity')))
    WHERE state IN ('queued', 'retryable');

ALTER INDEX upload_pipeline.upload_jobs_claimable_by_lane ALTER COLUMN 6 SET STATISTICS 0;
