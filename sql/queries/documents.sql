-- hold_for_longer
-- Let the transaction keep its locks although it does nothing for some time.
SELECT set_config('idle_in_transaction_session_timeout', %(longest_hold)s, true);

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
    SET version = document.version, stage = 'queued', state = 'queued', attempts = 0, attempts_by_code = '{}',
        crashes = 0, claimed_by = NULL, lease_expires_at = NULL, begun = false, next_retry_at = NULL,
        error_code = NULL, error_message = NULL, error_hint = NULL, priority = new.priority,
        queued_at = clock_timestamp(), finished_at = NULL, reported_at = NULL
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
INSERT INTO upload_pipeline.document_sources AS known (user_id, source, document_id, parent_id, depth)
SELECT %(user_id)s, source, document_id, parent_id, depth
FROM unnest(
    %(sources)s::text[], %(source_document_ids)s::uuid[], %(parent_ids)s::uuid[], %(depths)s::smallint[]
) AS given (source, document_id, parent_id, depth)
ON CONFLICT (user_id, source) DO UPDATE SET document_id = excluded.document_id
WHERE known.document_id <> excluded.document_id;

-- hold_parent
-- Keep the document that attachments are taken out of, and its claim, until the transaction ends; return nothing if the
-- claim is lost.
SELECT
FROM upload_pipeline.upload_jobs
WHERE document_id = %(parent_id)s AND fence = %(fence)s AND state = 'working'
FOR SHARE;

-- forget_other_parse
-- Forget the parse of an earlier content of a held job's document, whose attachments are about to be replaced: if that content
-- comes back, it is parsed anew, and has its attachments again.
WITH held AS MATERIALIZED (
    SELECT
    FROM upload_pipeline.upload_jobs
    WHERE document_id = %(document_id)s AND fence = %(fence)s AND state = 'working'
    FOR SHARE
)
UPDATE upload_pipeline.documents
SET parsed_content_sha = NULL, parsed_sha = NULL, parser_name = NULL, parser_version = NULL, page_starts = NULL
WHERE document_id = %(document_id)s AND parsed_content_sha <> content_sha AND EXISTS (SELECT FROM held);

-- depth_of_document
-- Return how far a document is below the nearest submitted one.
SELECT coalesce(min(depth), 0) AS depth FROM upload_pipeline.document_sources WHERE document_id = %(document_id)s;

-- attachments_below
-- Count what was taken out of this document, and what else lies below the submitted one, however deep; with their bytes.
WITH RECURSIVE above AS (
    SELECT %(document_id)s::uuid AS document_id
    UNION -- which ends with the submitted document, or with one that was there already
    SELECT nearest.parent_id
    FROM above
    CROSS JOIN LATERAL (
        SELECT parent_id
        FROM upload_pipeline.document_sources
        WHERE document_id = above.document_id
        ORDER BY depth, created_at, source
        LIMIT 1
    ) AS nearest
    WHERE nearest.parent_id IS NOT NULL
), below AS (
    SELECT document_id FROM above
    UNION
    SELECT source.document_id
    FROM below
    CROSS JOIN LATERAL (
        SELECT document_id FROM upload_pipeline.document_sources WHERE parent_id = below.document_id OFFSET 0
    ) AS source
)
SELECT count(*) FILTER (WHERE below.document_id <> %(document_id)s) AS others,
    count(*) FILTER (WHERE below.document_id = %(document_id)s) AS own,
    coalesce(sum(source.byte_size) FILTER (WHERE below.document_id <> %(document_id)s), 0) AS bytes_of_others,
    coalesce(sum(source.byte_size) FILTER (WHERE below.document_id = %(document_id)s), 0) AS own_bytes
FROM below
CROSS JOIN LATERAL ( -- OFFSET 0 has each looked up by its index
    SELECT document.byte_size
    FROM upload_pipeline.document_sources AS held
    CROSS JOIN LATERAL (
        SELECT byte_size FROM upload_pipeline.documents WHERE document_id = held.document_id OFFSET 0
    ) AS document
    WHERE held.parent_id = below.document_id
    OFFSET 0
) AS source;

-- settle_attachments
-- Forget the attachments that a document no longer has, and keep which ones were skipped. Return the documents that came from
-- nowhere else.
WITH held AS MATERIALIZED (
    SELECT
    FROM upload_pipeline.upload_jobs
    WHERE document_id = %(document_id)s AND fence = %(fence)s AND state = 'working'
    FOR SHARE
), gone AS (
    DELETE FROM upload_pipeline.document_sources
    WHERE parent_id = %(document_id)s AND NOT source = ANY(%(sources)s) AND EXISTS (SELECT FROM held)
    RETURNING document_id, source
), no_longer_skipped AS (
    DELETE FROM upload_pipeline.skipped_attachments
    WHERE document_id = %(document_id)s AND NOT path = ANY(%(paths)s) AND EXISTS (SELECT FROM held)
), skipped AS (
    INSERT INTO upload_pipeline.skipped_attachments (document_id, user_id, path, code)
    SELECT %(document_id)s, %(user_id)s, path, code
    FROM unnest(%(paths)s::text[], %(codes)s::text[]) AS given (path, code)
    WHERE EXISTS (SELECT FROM held)
    ON CONFLICT (user_id, document_id, path) DO UPDATE SET code = excluded.code
)
SELECT DISTINCT gone.document_id
FROM gone
WHERE NOT EXISTS (
    SELECT FROM upload_pipeline.document_sources AS other
    WHERE other.document_id = gone.document_id AND other.source NOT IN (SELECT source FROM gone)
);

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

-- describe_documents
-- Change the metadata of documents of a user; a key with null is removed, and what is the same already is not written.
UPDATE upload_pipeline.documents AS document
SET metadata = jsonb_strip_nulls(document.metadata || change.changes), updated_at = clock_timestamp()
FROM jsonb_each(%(changes)s) AS change (document_id, changes)
WHERE document.document_id = change.document_id::uuid AND document.user_id = %(user_id)s
    AND document.metadata <> jsonb_strip_nulls(document.metadata || change.changes);

-- taken_out
-- Return what was taken out of these documents.
SELECT parent_id, document_id FROM upload_pipeline.document_sources WHERE parent_id = ANY(%(document_ids)s);

-- describe_attachments
-- Change the metadata of what was taken out of a document of a user as its own is about to change; what an attachment has
-- differently, or would have too much of, stays. Run this before `describe_documents`.
WITH passed_on AS (
    SELECT child.document_id, (
        SELECT jsonb_object_agg(change.key, change.value)
        FROM jsonb_each(%(changes)s) AS change
        WHERE root.metadata -> change.key IS DISTINCT FROM nullif(change.value, 'null')
            AND coalesce(child.metadata -> change.key = root.metadata -> change.key, NOT child.metadata ? change.key)
    ) AS changes
    FROM upload_pipeline.documents AS root
    JOIN upload_pipeline.documents AS child ON child.document_id = ANY(%(document_ids)s)
    WHERE root.document_id = %(parent_id)s AND root.user_id = %(user_id)s
)
UPDATE upload_pipeline.documents AS child
SET metadata = jsonb_strip_nulls(child.metadata || passed_on.changes), updated_at = clock_timestamp()
FROM passed_on
WHERE child.document_id = passed_on.document_id AND passed_on.changes IS NOT NULL
    AND octet_length(jsonb_strip_nulls(child.metadata || passed_on.changes)::text) <= 65536;

-- inherit_metadata
-- Give documents the metadata of what they were taken out of; what they have themselves stays, and so does all of it if it
-- would be too much.
UPDATE upload_pipeline.documents AS child
SET metadata = parent.metadata || child.metadata, updated_at = clock_timestamp()
FROM upload_pipeline.documents AS parent
WHERE child.document_id = ANY(%(document_ids)s) AND parent.document_id = %(parent_id)s
    AND child.user_id = parent.user_id AND child.metadata <> parent.metadata || child.metadata
    AND octet_length((parent.metadata || child.metadata)::text) <= 65536;
