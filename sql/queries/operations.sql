-- replay_jobs
-- Requeue the dead letters and waiting retries among these documents, at their stage.
WITH replayed AS (
    UPDATE upload_pipeline.upload_jobs
    SET state = 'queued', attempts = 0, attempts_by_code = '{}', crashes = 0, next_retry_at = NULL,
        error_code = NULL, error_message = NULL, error_hint = NULL, reported_at = NULL, queued_at = now()
    WHERE state IN ('deadletter', 'retryable') AND document_id = ANY(%(document_ids)s)
    RETURNING *
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id)
SELECT document_id, job_id, user_id, version, stage, state, %(actor)s, %(correlation_id)s FROM replayed
RETURNING document_id;

-- cancel_jobs
-- Make dead letters of the unfinished ones among these documents. Whoever works on one loses its claim.
WITH unfinished AS (
    SELECT job_id
    FROM upload_pipeline.upload_jobs
    WHERE document_id = ANY(%(document_ids)s) AND state IN ('queued', 'retryable', 'working')
    ORDER BY job_id
    FOR UPDATE
), cancelled AS (
    UPDATE upload_pipeline.upload_jobs
    SET state = 'deadletter', claimed_by = NULL, lease_expires_at = NULL, next_retry_at = NULL, fence = fence + 1,
        error_code = %(code)s, error_message = %(message)s, error_hint = %(hint)s, reported_at = NULL
    WHERE job_id = ANY(ARRAY(SELECT job_id FROM unfinished))
    RETURNING *
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id, code)
SELECT document_id, job_id, user_id, version, stage, state, %(actor)s, %(correlation_id)s, error_code FROM cancelled
RETURNING document_id;

-- refresh_jobs
-- Requeue those of these documents that are finished, without the failures of the attempts that finished them.
WITH finished AS (
    SELECT job_id
    FROM upload_pipeline.upload_jobs
    WHERE document_id = ANY(%(document_ids)s) AND state = 'done'
    FOR UPDATE SKIP LOCKED
), refreshed AS (
    UPDATE upload_pipeline.upload_jobs AS job
    SET stage = 'queued', state = 'queued', attempts = 0, attempts_by_code = '{}', crashes = 0, queued_at = now(),
        finished_at = NULL, reported_at = NULL
    FROM finished
    WHERE job.job_id = finished.job_id
    RETURNING job.*
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id)
SELECT document_id, job_id, user_id, version, stage, state, %(actor)s, %(correlation_id)s FROM refreshed
RETURNING document_id;

-- outdated_documents
-- Return finished documents whose parse, chunks or vectors were made by other tools than these, with what an estimate
-- of doing them again needs.
SELECT document.document_id, document.media_type, document.byte_size, nullif(cardinality(document.page_starts), 0) AS pages,
    made.characters, CASE WHEN parse.outdated THEN 'parse' WHEN made.chunks_outdated THEN 'chunk' ELSE 'embed' END AS first_step
FROM upload_pipeline.upload_jobs AS job
JOIN upload_pipeline.documents AS document USING (document_id)
JOIN unnest(%(media_types)s::text[], %(parser_names)s::text[], %(parser_versions)s::text[])
    AS present (media_type, parser_name, parser_version) USING (media_type)
CROSS JOIN LATERAL (
    SELECT (document.parser_name, document.parser_version)
        IS DISTINCT FROM (present.parser_name, present.parser_version) AS outdated
) AS parse
CROSS JOIN LATERAL (
    SELECT max(end_offset) AS characters,
        bool_or((chunker_name, chunker_version) IS DISTINCT FROM (%(chunker_name)s, %(chunker_version)s)) AS chunks_outdated,
        bool_or((embed_model, embed_version) IS DISTINCT FROM (%(embed_model)s, %(embed_version)s)) AS vectors_outdated
    FROM upload_pipeline.document_chunks
    WHERE document_id = document.document_id
) AS made
WHERE job.state = 'done' AND (parse.outdated OR made.chunks_outdated OR made.vectors_outdated)
ORDER BY document.created_at, document.document_id;
