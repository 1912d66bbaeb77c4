-- note_deletion
-- The last line of a document's history, with how many jobs a parsing service may not have forgotten yet, and a note by
-- which its deletion is found again until nothing is left of it.
WITH noted AS (
    INSERT INTO upload_pipeline.events (
        document_id, job_id, user_id, version, stage, state, actor, correlation_id, code, payload)
    SELECT document_id, job_id, user_id, version, stage, state, %(actor)s, %(correlation_id)s, 'deleted',
        jsonb_build_object('service_jobs', (
            SELECT count(*) FROM upload_pipeline.parse_jobs
            WHERE document_id = %(document_id)s AND remote_id IS NOT NULL
        ))
    FROM upload_pipeline.upload_jobs
    WHERE document_id = %(document_id)s
    RETURNING document_id, user_id
)
INSERT INTO upload_pipeline.deleted_documents (document_id, user_id)
SELECT document_id, user_id FROM noted
ON CONFLICT DO NOTHING;

-- delete_document
-- Removes a document with everything that refers to it.
DELETE FROM upload_pipeline.documents WHERE document_id = %(document_id)s;

-- forget_service_ids
-- The ledger keeps what calls for a document cost, not by which name the service knows them.
UPDATE upload_pipeline.paid_calls
SET request_id = NULL
WHERE document_id = %(document_id)s AND request_id IS NOT NULL;

-- owner_of_document
-- Whose a document is, or was before it was deleted.
SELECT user_id FROM upload_pipeline.documents WHERE document_id = %(document_id)s
UNION ALL
SELECT user_id FROM upload_pipeline.deleted_documents WHERE document_id = %(document_id)s
LIMIT 1;

-- traces_of_document
-- Which tables still hold something of a deleted document, and how many rows each.
SELECT relation, traces FROM upload_pipeline.traces_of(%(document_id)s);

-- confirm_deletion
-- A scan has found nothing of the document.
UPDATE upload_pipeline.deleted_documents SET erased_at = clock_timestamp() WHERE document_id = %(document_id)s;

-- deletions_to_finish
-- Deleted documents of which something may be left, the first deleted first: no scan has ended well, or none since a day
-- has passed in which those who did not know yet could still write.
SELECT document_id
FROM upload_pipeline.deleted_documents
WHERE (erased_at IS NULL OR erased_at - deleted_at < interval '24 hours')
    AND (erased_at IS NULL OR deleted_at < now() - interval '24 hours')
ORDER BY deleted_at
LIMIT %(limit)s;
