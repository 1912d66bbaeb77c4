-- reserve_idempotency_key
-- Reserve a key for this request if it is new. Return the request that the key stands for and its answer so far.
INSERT INTO upload_pipeline.idempotency_keys (user_id, key_sha, request_sha)
VALUES (%(user_id)s, %(key_sha)s, %(request_sha)s)
ON CONFLICT (user_id, key_sha) DO UPDATE SET key_sha = excluded.key_sha
RETURNING request_sha, document_id, job_id, status;

-- record_answer
-- Record the answer unless there is one, and return the one that stays; return no row if the key is forgotten.
UPDATE upload_pipeline.idempotency_keys
SET document_id = coalesce(document_id, %(document_id)s), job_id = coalesce(job_id, %(job_id)s),
    status = coalesce(status, %(status)s)
WHERE user_id = %(user_id)s AND key_sha = %(key_sha)s
RETURNING document_id, job_id, status;

-- forget_idempotency_keys
-- Remove some of the keys that are older than a day.
DELETE FROM upload_pipeline.idempotency_keys
WHERE (user_id, key_sha) IN (
    SELECT user_id, key_sha
    FROM upload_pipeline.idempotency_keys
    WHERE created_at < now() - interval '1 day'
    ORDER BY created_at
    LIMIT 100
    FOR UPDATE SKIP LOCKED
);

-- record_webhook
-- Record a callback and what became of it, unless the same came before. The body of one without a document is not kept.
-- The same is what comes after the provider's job was complete; without a document, what is of one kind within an hour.
INSERT INTO upload_pipeline.webhook_log (service, outcome, document_id, user_id, body)
SELECT
    %(provider)s, %(outcome)s, document.document_id, document.user_id,
    CASE WHEN document.document_id IS NULL THEN '' ELSE %(body)s::bytea END
FROM (SELECT) AS one
LEFT JOIN upload_pipeline.documents AS document ON document.document_id = %(document_id)s
WHERE %(outcome)s = 'completed'
    OR document.document_id IS NOT NULL AND NOT EXISTS (
        SELECT
        FROM upload_pipeline.webhook_log AS before
        WHERE before.document_id = %(document_id)s AND before.service = %(provider)s AND before.received_at >= (
            SELECT coalesce(max(completed_at), '-infinity')
            FROM upload_pipeline.parse_jobs
            WHERE document_id = %(document_id)s AND parser_name = %(provider)s
        )
    )
    OR document.document_id IS NULL AND NOT EXISTS (
        SELECT
        FROM upload_pipeline.webhook_log AS before
        WHERE before.document_id IS NULL AND before.service = %(provider)s AND before.outcome = %(outcome)s
            AND before.received_at > now() - interval '1 hour'
    );

-- empty_old_webhooks
-- Empty some of the bodies that are older than a week. The rows stay.
UPDATE upload_pipeline.webhook_log
SET body = ''
WHERE webhook_id IN (
    SELECT webhook_id
    FROM upload_pipeline.webhook_log
    WHERE received_at < now() - interval '7 days' AND body <> ''
    ORDER BY received_at
    LIMIT 100
    FOR UPDATE SKIP LOCKED
);

-- forget_webhooks_of_nobody
-- Remove some of the callbacks that are older than a week and belong to no document.
DELETE FROM upload_pipeline.webhook_log
WHERE webhook_id IN (
    SELECT webhook_id
    FROM upload_pipeline.webhook_log
    WHERE document_id IS NULL AND received_at < now() - interval '7 days'
    LIMIT 1000
    FOR UPDATE SKIP LOCKED
);
