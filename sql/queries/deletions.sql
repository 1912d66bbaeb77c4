-- orphans_of_documents
-- Return the documents that would have no source left without these documents, which they were taken out of.
SELECT source.document_id
FROM upload_pipeline.document_sources AS source
WHERE source.parent_id = ANY(%(document_ids)s) AND NOT source.document_id = ANY(%(document_ids)s)
GROUP BY source.document_id
HAVING NOT EXISTS (
    SELECT FROM upload_pipeline.document_sources AS other
    WHERE other.document_id = source.document_id
        AND (other.parent_id IS NULL OR NOT other.parent_id = ANY(%(document_ids)s))
);

-- note_deletion
-- Write the last line of documents' histories, with the number of remote jobs that a provider may still remember, and notes
-- that bring the deletions back until nothing is left of the documents.
WITH noted AS (
    INSERT INTO upload_pipeline.events (
        document_id, job_id, user_id, version, stage, state, actor, correlation_id, code, payload)
    SELECT document_id, job_id, user_id, version, stage, state, %(actor)s, %(correlation_id)s, 'deleted',
        jsonb_build_object('service_jobs', (
            SELECT count(*) FROM upload_pipeline.parse_jobs
            WHERE document_id = job.document_id AND remote_id IS NOT NULL
        ))
    FROM upload_pipeline.upload_jobs AS job
    WHERE document_id = ANY(%(document_ids)s)
    RETURNING document_id, user_id
)
INSERT INTO upload_pipeline.deleted_documents (document_id, user_id)
SELECT document_id, user_id FROM noted
ON CONFLICT DO NOTHING;

-- delete_documents
-- Remove documents with everything that refers to them.
DELETE FROM upload_pipeline.documents WHERE document_id = ANY(%(document_ids)s);

-- forget_provider_ids
-- Remove the ids by which providers know the calls for documents; the ledger keeps what the calls cost.
UPDATE upload_pipeline.paid_calls
SET request_id = NULL
WHERE document_id = ANY(%(document_ids)s) AND request_id IS NOT NULL;

-- owner_of_document
-- Return the owner of a document, even if it was deleted.
SELECT user_id FROM upload_pipeline.documents WHERE document_id = %(document_id)s
UNION ALL
SELECT user_id FROM upload_pipeline.deleted_documents WHERE document_id = %(document_id)s
LIMIT 1;

-- traces_of_document
-- Return the tables that still hold something of a deleted document, and how many rows each.
SELECT relation, traces FROM upload_pipeline.traces_of(%(document_id)s);

-- confirm_deletion
-- Record that a scan has found nothing of the document.
UPDATE upload_pipeline.deleted_documents SET erased_at = clock_timestamp() WHERE document_id = %(document_id)s;

-- deletions_to_finish
-- Return deleted documents that need another scan, first deleted first. Either no scan has ended well, or none since a
-- day has passed; within that day, workers that did not know of the deletion could still write.
SELECT document_id
FROM upload_pipeline.deleted_documents
WHERE (erased_at IS NULL OR erased_at - deleted_at < interval '24 hours')
    AND (erased_at IS NULL OR deleted_at < now() - interval '24 hours')
ORDER BY deleted_at
LIMIT %(limit)s;
