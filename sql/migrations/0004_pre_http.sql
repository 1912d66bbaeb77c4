-- What the HTTP service remembers of requests, so that repeating one does no harm. Keys and contents as hashes only.
CREATE TABLE upload_pipeline.idempotency_keys (
    user_id uuid NOT NULL,
    key_sha text NOT NULL CHECK (key_sha ~ '^[0-9a-f]{64}$'),
    -- Of key and content together: by itself it does not tell what the content was.
    request_sha text NOT NULL CHECK (request_sha ~ '^[0-9a-f]{64}$'),
    -- The answer; null until there is one.
    document_id uuid,
    job_id uuid,
    status text CHECK (status IN ('queued', 'unchanged', 'new_version')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key_sha),
    CHECK (num_nulls(document_id, job_id, status) IN (0, 3))
);
CREATE INDEX idempotency_keys_by_age ON upload_pipeline.idempotency_keys (created_at);

-- A callback may hold a document's text: it goes with the document.
ALTER TABLE upload_pipeline.webhook_log
    ADD FOREIGN KEY (document_id) REFERENCES upload_pipeline.documents ON DELETE CASCADE;
CREATE INDEX webhook_log_by_document ON upload_pipeline.webhook_log (document_id);
CREATE INDEX webhook_log_with_body ON upload_pipeline.webhook_log (received_at) WHERE body <> '';
