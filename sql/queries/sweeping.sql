-- next_owner
-- Return the first user after this one who has documents.
SELECT user_id FROM upload_pipeline.documents WHERE user_id > %(after)s ORDER BY user_id LIMIT 1;

-- recorded_after
-- Return what the rows of a user's next documents say of their objects, in the order of documents.
SELECT user_id, document_id, version, live_version, content_sha, parsed_content_sha, parsed_sha, updated_at
FROM upload_pipeline.documents
WHERE user_id = %(user_id)s AND document_id > %(after)s
ORDER BY document_id
LIMIT %(limit)s;

-- recorded_of
-- Return what the rows of these documents say of their objects.
SELECT user_id, document_id, version, live_version, content_sha, parsed_content_sha, parsed_sha, updated_at
FROM upload_pipeline.documents
WHERE document_id = ANY(%(document_ids)s);

-- store_id
-- Return the id of the object store that the rows are about.
SELECT store_id FROM upload_pipeline.object_store;

-- still_there
-- Do nothing, but fail if the session and its locks are gone.
SELECT;

-- hold_idle
-- Return those of these documents that nobody works on, and keep workers from them until the transaction ends.
SELECT document_id
FROM upload_pipeline.upload_jobs
WHERE document_id = ANY(%(document_ids)s) AND state <> 'working'
ORDER BY job_id
FOR UPDATE SKIP LOCKED;
