-- Jobs that a parsing service works on for us, so that another worker can fetch what one has paid for.
CREATE TABLE upload_pipeline.parse_jobs (
    document_id uuid NOT NULL REFERENCES upload_pipeline.documents ON DELETE CASCADE,
    content_sha text NOT NULL CHECK (content_sha ~ '^[0-9a-f]{64}$'),
    parser_name text NOT NULL,
    parser_version text NOT NULL,
    user_id uuid NOT NULL,
    -- In the address that the service calls back; it exists before the service has given the job an id.
    callback_secret text NOT NULL UNIQUE,
    -- The service's id; null until it has accepted the upload.
    remote_id text UNIQUE,
    -- Whether the ledger holds what it costs.
    booked boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- When the service called back.
    completed_at timestamptz,
    PRIMARY KEY (document_id, content_sha, parser_name, parser_version)
);
