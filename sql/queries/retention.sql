-- count_listed
-- How many finished documents are partitions in Dagster, and how many deleted ones may be.
SELECT count(*) AS finished, (
        SELECT count(*) FROM upload_pipeline.deleted_documents WHERE unlisted_at IS NULL
    ) AS deleted
FROM upload_pipeline.upload_jobs
WHERE state = 'done' AND reported_at IS NOT NULL AND (pruned_at IS NULL OR pruned_at < reported_at);

-- oldest_listed
-- Those that finished first among the finished documents that are partitions in Dagster, locked.
SELECT document_id
FROM upload_pipeline.upload_jobs
WHERE state = 'done' AND reported_at IS NOT NULL AND (pruned_at IS NULL OR pruned_at < reported_at)
ORDER BY finished_at
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- mark_pruned
-- Dagster has forgotten these partitions.
UPDATE upload_pipeline.upload_jobs SET pruned_at = clock_timestamp() WHERE document_id = ANY(%(document_ids)s);

-- deleted_documents
-- Documents that are gone while Dagster may still list their partitions, locked.
SELECT document_id
FROM upload_pipeline.deleted_documents
WHERE unlisted_at IS NULL
ORDER BY document_id
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- mark_unlisted
-- Nothing of these documents is listed any more.
UPDATE upload_pipeline.deleted_documents SET unlisted_at = clock_timestamp() WHERE document_id = ANY(%(document_ids)s);
