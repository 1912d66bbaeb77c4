-- count_listed
-- Count the finished documents that Dagster lists, and the deleted ones that it may still list.
SELECT count(*) AS finished, (
        SELECT count(*) FROM upload_pipeline.deleted_documents WHERE unlisted_at IS NULL
    ) AS deleted
FROM upload_pipeline.upload_jobs
WHERE state = 'done' AND reported_at IS NOT NULL AND (unlisted_at IS NULL OR unlisted_at < reported_at);

-- oldest_listed
-- Return and lock the listed documents that finished first.
SELECT document_id
FROM upload_pipeline.upload_jobs
WHERE state = 'done' AND reported_at IS NOT NULL AND (unlisted_at IS NULL OR unlisted_at < reported_at)
ORDER BY finished_at
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- mark_unlisted
-- Note that Dagster no longer lists these documents.
UPDATE upload_pipeline.upload_jobs SET unlisted_at = clock_timestamp() WHERE document_id = ANY(%(document_ids)s);

-- deleted_documents
-- Return and lock deleted documents that Dagster may still list.
SELECT document_id
FROM upload_pipeline.deleted_documents
WHERE unlisted_at IS NULL
ORDER BY document_id
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- mark_deleted_unlisted
-- Note that Dagster no longer lists these deleted documents.
UPDATE upload_pipeline.deleted_documents SET unlisted_at = clock_timestamp() WHERE document_id = ANY(%(document_ids)s);
