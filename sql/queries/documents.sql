-- lock_user
-- Let one intake run at a time per user, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('intake ' || %(user_id)s::text, 0));

-- documents_of_arrivals
-- Return the user's documents with these contents or from these sources, oldest first, with how many sources each has
-- and which of these.
SELECT document.document_id, job.job_id, document.content_sha, job.state, job.error_code, source.sources, source.arriving
FROM upload_pipeline.documents AS document
JOIN upload_pipeline.upload_jobs AS job USING (document_id)
CROSS JOIN LATERAL (
    SELECT count(*) AS sources,
        coalesce(array_agg(source) FILTER (WHERE source = ANY(%(sources)s)), '{}') AS arriving
    FROM upload_pipeline.document_sources
    WHERE document_id = document.document_id
) AS source
WHERE document.document_id IN (
    SELECT document_id
    FROM upload_pipeline.documents
    WHERE user_id = %(user_id)s AND content_sha = ANY(%(content_shas)s)
    UNION
    SELECT document_id
    FROM upload_pipeline.document_sources
    WHERE user_id = %(user_id)s AND source = ANY(%(sources)s)
)
ORDER BY document.created_at, document.document_id;

-- lock_jobs
-- Lock these documents' jobs until the transaction ends. Jobs are always locked before documents, as workers do.
SELECT FROM upload_pipeline.upload_jobs WHERE document_id = ANY(%(document_ids)s) ORDER BY job_id FOR UPDATE;

-- replace_contents
-- Give documents their next versions; searches still find the live ones.
UPDATE upload_pipeline.documents AS document
SET version = document.version + 1, filename = new.filename, media_type = new.media_type, byte_size = new.byte_size,
    content_sha = new.content_sha, updated_at = now()
FROM unnest(
    %(document_ids)s::uuid[], %(filenames)s::text[], %(media_types)s::text[], %(byte_sizes)s::bigint[],
    %(content_shas)s::text[]
) AS new (document_id, filename, media_type, byte_size, content_sha)
WHERE document.document_id = new.document_id;

-- requeue_versions
-- Queue jobs for the next versions from the start; workers of earlier versions lose their claims.
WITH requeued AS (
    UPDATE upload_pipeline.upload_jobs AS job
    SET version = document.version, stage = 'queued', state = 'queued', attempts = 0, crashes = 0, claimed_by = NULL,
        lease_expires_at = NULL, begun = false, next_retry_at = NULL, error_code = NULL, error_message = NULL,
        error_hint = NULL, priority = new.priority, queued_at = clock_timestamp(), finished_at = NULL,
        reported_at = NULL
    FROM upload_pipeline.documents AS document
    JOIN unnest(%(document_ids)s::uuid[], %(priorities)s::smallint[]) AS new (document_id, priority)
        USING (document_id)
    WHERE job.document_id = document.document_id
    RETURNING job.*
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id)
SELECT document_id, job_id, user_id, version, stage, state, %(actor)s, %(correlation_id)s FROM requeued;

-- take_in
-- Create new documents with their first versions, jobs queued in this order, and first events. From now on, the sources
-- belong to their documents, new and old.
WITH new AS (
    SELECT *
    FROM unnest(
        %(document_ids)s::uuid[], %(job_ids)s::uuid[], %(filenames)s::text[], %(media_types)s::text[],
        %(byte_sizes)s::bigint[], %(content_shas)s::text[], %(priorities)s::smallint[]
    ) AS new (document_id, job_id, filename, media_type, byte_size, content_sha, priority)
), made AS (
    INSERT INTO upload_pipeline.documents (document_id, user_id, filename, media_type, byte_size, content_sha)
    SELECT document_id, %(user_id)s, filename, media_type, byte_size, content_sha FROM new
), queued AS (
    INSERT INTO upload_pipeline.upload_jobs (job_id, document_id, user_id, version, priority, queued_at)
    SELECT job_id, document_id, %(user_id)s, 1, priority, clock_timestamp() FROM new
    RETURNING *
), noted AS (
    INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id)
    SELECT document_id, job_id, user_id, version, stage, state, %(actor)s, %(correlation_id)s FROM queued
)
INSERT INTO upload_pipeline.document_sources AS known (user_id, source, document_id)
SELECT %(user_id)s, source, document_id
FROM unnest(%(sources)s::text[], %(source_document_ids)s::uuid[]) AS given (source, document_id)
ON CONFLICT (user_id, source) DO UPDATE SET document_id = excluded.document_id
WHERE known.document_id <> excluded.document_id;

-- known_files
-- Return which documents these sources of a user belong to, and the states of their files when they were last read.
SELECT source.source, source.document_id, job.job_id, document.content_sha, job.state, job.error_code, source.file_size,
    source.file_modified_ns, source.file_changed_ns, source.file_inode, source.file_device, source.file_seen_ns,
    source.file_sha
FROM upload_pipeline.document_sources AS source
JOIN upload_pipeline.documents AS document USING (document_id)
JOIN upload_pipeline.upload_jobs AS job USING (document_id)
WHERE source.user_id = %(user_id)s AND source.source = ANY(%(sources)s);

-- remember_files
-- Record the states that the files of these sources had when they were read.
UPDATE upload_pipeline.document_sources AS known
SET file_size = new.file_size, file_modified_ns = new.file_modified_ns, file_changed_ns = new.file_changed_ns,
    file_inode = new.file_inode, file_device = new.file_device, file_seen_ns = new.file_seen_ns,
    file_sha = new.file_sha
FROM unnest(
    %(sources)s::text[], %(file_sizes)s::bigint[], %(file_modified_ns)s::bigint[], %(file_changed_ns)s::bigint[],
    %(file_inodes)s::numeric[], %(file_devices)s::numeric[], %(file_seen_ns)s::bigint[], %(file_shas)s::text[]
) AS new (source, file_size, file_modified_ns, file_changed_ns, file_inode, file_device, file_seen_ns, file_sha)
WHERE known.user_id = %(user_id)s AND known.source = new.source;

-- sources_below
-- Return the sources of the user's documents that are files below a folder, and the file systems that held them.
SELECT source, file_device
FROM upload_pipeline.document_sources
WHERE user_id = %(user_id)s AND starts_with(source, %(folder)s) AND file_sha IS NOT NULL
ORDER BY source;

-- remove_source
-- Remove a source from a document that has others too.
DELETE FROM upload_pipeline.document_sources WHERE user_id = %(user_id)s AND source = %(source)s;
