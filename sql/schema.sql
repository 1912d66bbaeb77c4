-- The whole schema as all migrations leave it. It is for reading; a test compares it with them.

CREATE EXTENSION IF NOT EXISTS vector;

CREATE SCHEMA upload_pipeline;

CREATE TABLE upload_pipeline.migrations (
    name text PRIMARY KEY,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE upload_pipeline.documents (
    document_id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    -- The version that searches find; null before the first commit.
    live_version integer CHECK (live_version <= version),
    filename text NOT NULL CHECK (filename <> '' AND octet_length(filename) <= 200),
    media_type text NOT NULL,
    byte_size bigint NOT NULL CHECK (byte_size > 0),
    content_sha text NOT NULL CHECK (content_sha ~ '^[0-9a-f]{64}$'),
    -- The stored parse: its content, its hash, its parser, and the offsets of its pages.
    parsed_content_sha text CHECK (parsed_content_sha ~ '^[0-9a-f]{64}$'),
    parsed_sha text CHECK (parsed_sha ~ '^[0-9a-f]{64}$'),
    parser_name text,
    parser_version text,
    page_starts integer[],
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nulls(parsed_content_sha, parsed_sha, parser_name, parser_version, page_starts) IN (0, 5))
);
CREATE INDEX documents_by_content ON upload_pipeline.documents (user_id, content_sha);

-- The sources of users' documents. Copies of one content share a document.
CREATE TABLE upload_pipeline.document_sources (
    user_id uuid NOT NULL,
    source text NOT NULL,
    document_id uuid NOT NULL REFERENCES upload_pipeline.documents ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The state of the source's file when it was read; a file in the same state is not read again.
    file_size bigint,
    file_modified_ns bigint,
    file_changed_ns bigint,
    file_inode numeric(20),
    file_device numeric(20),
    file_seen_ns bigint,
    file_sha text CHECK (file_sha ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (user_id, source),
    CHECK (num_nulls(
        file_size, file_modified_ns, file_changed_ns, file_inode, file_device, file_seen_ns, file_sha) IN (0, 7))
);
CREATE INDEX document_sources_by_document ON upload_pipeline.document_sources (document_id);

-- The queue: one row per document, at its newest version.
CREATE TABLE upload_pipeline.upload_jobs (
    job_id uuid PRIMARY KEY,
    document_id uuid NOT NULL UNIQUE REFERENCES upload_pipeline.documents ON DELETE CASCADE,
    user_id uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    stage text NOT NULL DEFAULT 'queued' CHECK (stage IN (
        'queued', 'job_validated', 'parsing', 'parsed', 'parse_validated',
        'chunking', 'chunks_buffered', 'embedding', 'embedded')),
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'working', 'retryable', 'done', 'deadletter')),
    -- Attempts that the document itself made fail, and workers that crashed while they worked on it.
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    crashes integer NOT NULL DEFAULT 0 CHECK (crashes >= 0),
    claimed_by text,
    lease_expires_at timestamptz,
    -- Whether the worker has begun: its crash counts only against documents that it was working on.
    begun boolean NOT NULL DEFAULT false,
    next_retry_at timestamptz,
    -- The priority among the user's own jobs; higher ones are claimed first.
    priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -100 AND 100),
    error_code text,
    error_message text,
    error_hint text,
    queued_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    -- When the present outcome was reported to Dagster; null until then.
    reported_at timestamptz,
    -- When Dagster unlisted the document; a later reported_at lists it again.
    unlisted_at timestamptz,
    CONSTRAINT legal_stage_and_state CHECK ((stage = 'embedded') = (state = 'done')),
    CONSTRAINT done_is_finished CHECK ((state = 'done') = (finished_at IS NOT NULL)),
    CONSTRAINT working_is_claimed CHECK (
        (state = 'working') = (claimed_by IS NOT NULL) AND (state = 'working') = (lease_expires_at IS NOT NULL)),
    CONSTRAINT retryable_has_its_time CHECK ((state = 'retryable') = (next_retry_at IS NOT NULL)),
    CONSTRAINT failure_has_its_code CHECK (state NOT IN ('retryable', 'deadletter') OR error_code IS NOT NULL)
) WITH (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 200,
    autovacuum_vacuum_cost_delay = 0
);
-- In the order of claims; the last column lets the index pass over retries that are not due.
CREATE INDEX upload_jobs_claimable ON upload_pipeline.upload_jobs
    (user_id, priority DESC, queued_at, job_id, (COALESCE(next_retry_at, '-infinity')))
    WHERE state IN ('queued', 'retryable');
CREATE INDEX upload_jobs_working ON upload_pipeline.upload_jobs (user_id) WHERE state = 'working';
-- Failures are few among many; listing, retrying and replaying them must not read the others.
CREATE INDEX upload_jobs_failed ON upload_pipeline.upload_jobs (queued_at, job_id)
    WHERE state IN ('retryable', 'deadletter');
CREATE INDEX upload_jobs_unreported ON upload_pipeline.upload_jobs (state, job_id)
    WHERE state IN ('done', 'deadletter') AND reported_at IS NULL;
CREATE INDEX upload_jobs_listed ON upload_pipeline.upload_jobs (finished_at)
    WHERE state = 'done' AND reported_at IS NOT NULL AND (unlisted_at IS NULL OR unlisted_at < reported_at);

-- Deleted documents: their owners, and what is still to be done about them. Only ids and times, kept forever.
CREATE TABLE upload_pipeline.deleted_documents (
    document_id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    deleted_at timestamptz NOT NULL DEFAULT now(),
    -- When a scan last found nothing of the document.
    erased_at timestamptz,
    -- When Dagster unlisted the document.
    unlisted_at timestamptz
);
CREATE INDEX deleted_documents_listed ON upload_pipeline.deleted_documents (document_id) WHERE unlisted_at IS NULL;
CREATE INDEX deleted_documents_to_scan ON upload_pipeline.deleted_documents (deleted_at)
    WHERE erased_at IS NULL OR erased_at - deleted_at < interval '24 hours';

-- Returns the users whose turn it is: those with claimable jobs, in the order of their ids, starting after `after` and
-- going round, each with a share of the next `most` claims. It returns twice as many users as needed, in case other
-- workers hold their jobs.
CREATE FUNCTION upload_pipeline.turns(after uuid, most integer, retries_only boolean, per_user integer)
RETURNS TABLE (user_id uuid, place integer, share integer)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH RECURSIVE claimable AS NOT MATERIALIZED (
        SELECT job.user_id
        FROM upload_pipeline.upload_jobs AS job
        WHERE job.state IN ('queued', 'retryable') AND COALESCE(job.next_retry_at, '-infinity')
            BETWEEN CASE WHEN retries_only THEN timestamptz 'epoch' ELSE '-infinity' END AND now()
    ), visits (user_id, last_user, place, room) AS (
        SELECT after, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid, 0, 0
        UNION ALL
        -- This goes from user to user by the index, never from job to job. OFFSET 0 has each subquery evaluated once.
        SELECT next.user_id, CASE WHEN next.user_id > after THEN visits.last_user ELSE after END,
            visits.place + (own.room > 0)::integer, own.room
        FROM visits
        CROSS JOIN LATERAL (
            SELECT COALESCE(
                (SELECT job.user_id FROM claimable AS job
                 WHERE job.user_id > visits.user_id AND job.user_id <= visits.last_user ORDER BY 1 LIMIT 1),
                (SELECT job.user_id FROM claimable AS job
                 WHERE job.user_id <= after AND visits.last_user > after ORDER BY 1 LIMIT 1)
            ) AS user_id
            OFFSET 0
        ) AS next
        CROSS JOIN LATERAL (
            SELECT CASE WHEN per_user IS NULL THEN most ELSE per_user - (
                SELECT count(*)
                FROM upload_pipeline.upload_jobs AS job
                WHERE job.state = 'working' AND job.user_id = next.user_id
            )::integer END AS room
            OFFSET 0
        ) AS own
        WHERE visits.place < 2 * most AND next.user_id IS NOT NULL
    ), waiting AS (
        -- One row per job, but no more than can be shared, since each of the others takes at least one.
        SELECT visits.user_id, visits.place, turn
        FROM visits
        CROSS JOIN LATERAL generate_series(1, (
            SELECT count(*)
            FROM (
                SELECT
                FROM claimable AS job
                WHERE job.user_id = visits.user_id
                LIMIT LEAST(visits.room, GREATEST(1, most + 1 - (SELECT max(place) FROM visits)))
            ) AS job
        )) AS turn
        WHERE visits.room > 0
    )
    SELECT ranked.user_id, ranked.place, GREATEST(1, count(*) FILTER (WHERE ranked.rank <= most))::integer
    FROM (SELECT waiting.*, row_number() OVER (ORDER BY turn, waiting.place) AS rank FROM waiting) AS ranked
    GROUP BY ranked.user_id, ranked.place
    ORDER BY ranked.place;
END;

-- The audit trail: append-only, and without foreign keys, so that it outlives the documents.
CREATE TABLE upload_pipeline.events (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    document_id uuid NOT NULL,
    job_id uuid NOT NULL,
    user_id uuid NOT NULL,
    version integer NOT NULL,
    stage text NOT NULL,
    state text NOT NULL,
    actor text NOT NULL,
    code text,
    payload jsonb NOT NULL DEFAULT '{}',
    -- The id that the events of one command, request or run share; null in events from before it was kept.
    correlation_id text CHECK (correlation_id <> '')
);
CREATE INDEX events_by_document ON upload_pipeline.events (document_id, event_id);

-- Protects from mistakes and from a stolen role that may write: a history that can be rewritten proves nothing.
CREATE FUNCTION upload_pipeline.refuse_rewriting() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'upload_pipeline.% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Add an event that corrects what is wrong.';
END;
$$;
CREATE TRIGGER events_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON upload_pipeline.events
    FOR EACH STATEMENT EXECUTE FUNCTION upload_pipeline.refuse_rewriting();
ALTER TABLE upload_pipeline.events ENABLE ALWAYS TRIGGER events_are_append_only;

-- Buffers are logged tables: crash recovery empties unlogged ones, and these rows are paid for.
CREATE TABLE upload_pipeline.document_chunk_buffer (
    document_id uuid NOT NULL REFERENCES upload_pipeline.documents ON DELETE CASCADE,
    chunk_ord integer NOT NULL CHECK (chunk_ord >= 0),
    chunk_id uuid NOT NULL,
    user_id uuid NOT NULL,
    chunker_name text NOT NULL,
    chunker_version text NOT NULL,
    title text NOT NULL,
    heading_path text[] NOT NULL,
    page integer CHECK (page > 0),
    start_offset integer NOT NULL,
    end_offset integer NOT NULL,
    text text NOT NULL CHECK (text <> ''),
    chunk_sha text NOT NULL CHECK (chunk_sha ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (document_id, chunk_ord),
    CHECK (start_offset < end_offset)
);

CREATE TABLE upload_pipeline.document_vector_buffer (
    document_id uuid NOT NULL REFERENCES upload_pipeline.documents ON DELETE CASCADE,
    chunk_sha text NOT NULL CHECK (chunk_sha ~ '^[0-9a-f]{64}$'),
    embed_model text NOT NULL,
    embed_version text NOT NULL,
    user_id uuid NOT NULL,
    vector_dim integer NOT NULL CHECK (vector_dim = 1536),
    embedding vector(1536) NOT NULL,
    PRIMARY KEY (document_id, chunk_sha, embed_model, embed_version)
);
ALTER TABLE upload_pipeline.document_vector_buffer ALTER COLUMN embedding SET STORAGE EXTERNAL;

-- Returns each coordinate of a unit vector as one of four levels, in three bits. The level is the number of bits set,
-- so the Hamming distance adds up how far apart the levels are. A quarter of the coordinates is above 0.0172, and a
-- quarter is below -0.0172.
CREATE FUNCTION upload_pipeline.vector_bits(embedding vector) RETURNS bit
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    binary_quantize(embedding)
    || binary_quantize(embedding + array_fill(0.0172::real, ARRAY[1536])::vector)
    || binary_quantize(embedding - array_fill(0.0172::real, ARRAY[1536])::vector)
)::bit(4608);

-- Returns words as an index keeps them: each behind its owner's id, so that a search for a word meets only its user's.
CREATE FUNCTION upload_pipeline.word_keys(owner uuid, words text[]) RETURNS bytea[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (SELECT array_agg(uuid_send(owner) || convert_to(word, 'UTF8')) FROM unnest(words) AS word);

-- The committed chunks, which searches read.
CREATE TABLE upload_pipeline.document_chunks (
    chunk_id uuid PRIMARY KEY,
    document_id uuid NOT NULL REFERENCES upload_pipeline.documents ON DELETE CASCADE,
    user_id uuid NOT NULL,
    chunker_name text NOT NULL,
    chunker_version text NOT NULL,
    chunk_ord integer NOT NULL CHECK (chunk_ord >= 0),
    title text NOT NULL,
    heading_path text[] NOT NULL,
    page integer CHECK (page > 0),
    start_offset integer NOT NULL,
    end_offset integer NOT NULL,
    text text NOT NULL CHECK (text <> ''),
    chunk_sha text NOT NULL CHECK (chunk_sha ~ '^[0-9a-f]{64}$'),
    embed_model text NOT NULL,
    embed_version text NOT NULL,
    vector_dim integer NOT NULL CHECK (vector_dim = 1536),
    embedding vector(1536) NOT NULL,
    full_text tsvector NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    bits bit(4608) NOT NULL GENERATED ALWAYS AS (upload_pipeline.vector_bits(embedding)) STORED,
    CHECK (start_offset < end_offset),
    CHECK (vector_dims(embedding) = vector_dim)
) WITH (
    fillfactor = 90,
    -- Index-only scans depend on vacuum, so it runs soon after a load, not after a fifth more rows.
    autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.05,
    -- Ranking reads the words of a thousand chunks. They stay in the row, where reading them takes a quarter of the
    -- time, and three rows fit a page.
    toast_tuple_target = 2432
);
ALTER TABLE upload_pipeline.document_chunks ALTER COLUMN embedding SET STORAGE EXTERNAL;
ALTER TABLE upload_pipeline.document_chunks ALTER COLUMN full_text SET STORAGE MAIN;
CREATE UNIQUE INDEX document_chunks_by_document ON upload_pipeline.document_chunks (document_id, chunk_ord);
CREATE INDEX document_chunks_by_content ON upload_pipeline.document_chunks (user_id, chunk_sha);
CREATE INDEX document_chunks_by_word ON upload_pipeline.document_chunks
    USING gin (upload_pipeline.word_keys(user_id, tsvector_to_array(full_text)));
-- Statistics would copy users' words, and no plan depends on them.
ALTER INDEX upload_pipeline.document_chunks_by_word ALTER COLUMN 1 SET STATISTICS 0;
-- Finds a user's nearest vectors by their bits, without reading the table. For users with very many vectors there are
-- HNSW indexes, one per model, that come and go (docs/decisions/0007).
CREATE INDEX document_chunks_by_bits ON upload_pipeline.document_chunks (embed_model, embed_version, user_id)
    INCLUDE (chunk_id, bits);

-- Callbacks of providers, stored as they came before anything else happens.
CREATE TABLE upload_pipeline.webhook_log (
    webhook_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now(),
    service text NOT NULL,
    -- A callback may hold a document's text, so it is deleted with the document.
    document_id uuid REFERENCES upload_pipeline.documents ON DELETE CASCADE,
    user_id uuid,
    body bytea NOT NULL,
    outcome text
);
CREATE INDEX webhook_log_by_document ON upload_pipeline.webhook_log (document_id);
CREATE INDEX webhook_log_with_body ON upload_pipeline.webhook_log (received_at) WHERE body <> '';

-- What the HTTP service remembers of requests, so that repeating one does no harm; keys and contents only as hashes.
CREATE TABLE upload_pipeline.idempotency_keys (
    user_id uuid NOT NULL,
    key_sha text NOT NULL CHECK (key_sha ~ '^[0-9a-f]{64}$'),
    -- The hash of key and content together, which by itself does not reveal the content.
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

-- What all workers share before they call a provider: one row per provider, inserted by its first call.
CREATE TABLE upload_pipeline.paid_services (
    service text PRIMARY KEY CONSTRAINT provider_has_a_short_name CHECK (service ~ '^[a-z][a-z0-9_-]{0,39}$'),
    -- Token buckets: each is booked until this time, and lacks whatever flows in before it.
    requests_booked_until timestamptz NOT NULL DEFAULT 'epoch',
    tokens_booked_until timestamptz NOT NULL DEFAULT 'epoch',
    -- The circuit breaker: null if it is closed. After this time one call may probe, moving the time ahead.
    open_until timestamptz,
    -- Failures before it last closed do not count.
    closed_at timestamptz NOT NULL DEFAULT 'epoch'
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_cost_delay = 0);
INSERT INTO upload_pipeline.paid_services (service) VALUES ('llamaparse'), ('openai');

-- The ledger: one row per paid call, without foreign keys to documents, so that it outlives them.
CREATE TABLE upload_pipeline.paid_calls (
    call_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service text NOT NULL REFERENCES upload_pipeline.paid_services,
    user_id uuid NOT NULL,
    document_id uuid,
    outcome text NOT NULL DEFAULT 'under_way'
        CHECK (outcome IN ('under_way', 'succeeded', 'failed', 'inconclusive', 'abandoned')),
    -- What the call reserves of the budgets while it is in progress.
    estimated_micro_usd bigint NOT NULL CHECK (estimated_micro_usd >= 0),
    -- What the call used.
    tokens bigint NOT NULL DEFAULT 0 CHECK (tokens >= 0),
    pages bigint NOT NULL DEFAULT 0 CHECK (pages >= 0),
    credits bigint NOT NULL DEFAULT 0 CHECK (credits >= 0),
    micro_usd bigint NOT NULL DEFAULT 0 CHECK (micro_usd >= 0),
    request_id text,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When the reservation lapses, if the worker never comes back.
    expires_at timestamptz NOT NULL,
    settled_at timestamptz,
    CONSTRAINT settled_has_its_time CHECK ((outcome = 'under_way') = (settled_at IS NULL))
);
CREATE INDEX paid_calls_settled ON upload_pipeline.paid_calls (service, settled_at);
-- Finds the calls of a document that the provider can still identify, with what was sent.
CREATE INDEX paid_calls_by_document ON upload_pipeline.paid_calls (document_id) WHERE request_id IS NOT NULL;
CREATE INDEX paid_calls_under_way ON upload_pipeline.paid_calls (expires_at) WHERE outcome = 'under_way';

-- What is spent or reserved of each budget: per day, per user and day, and per document.
CREATE TABLE upload_pipeline.spending (
    budget text NOT NULL CHECK (budget IN ('day', 'document', 'user')),
    subject uuid NOT NULL,
    day date NOT NULL,
    micro_usd bigint NOT NULL,
    PRIMARY KEY (budget, subject, day)
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_cost_delay = 0);

-- Returns the budgets that a call counts against. Transactions that write to several lock them in this order.
CREATE FUNCTION upload_pipeline.budgets_of(caller uuid, document uuid, started_at timestamptz)
RETURNS TABLE (budget text, subject uuid, day date)
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT budget, subject, day
    FROM (VALUES
        ('day', '00000000-0000-0000-0000-000000000000'::uuid, (started_at AT TIME ZONE 'UTC')::date),
        ('document', document, 'epoch'::date),
        ('user', caller, (started_at AT TIME ZONE 'UTC')::date)
    ) AS kind (budget, subject, day)
    WHERE subject IS NOT NULL
    ORDER BY budget;
END;

-- Remote jobs of parsing providers, so that any worker can fetch what one has paid for.
CREATE TABLE upload_pipeline.parse_jobs (
    document_id uuid NOT NULL REFERENCES upload_pipeline.documents ON DELETE CASCADE,
    content_sha text NOT NULL CHECK (content_sha ~ '^[0-9a-f]{64}$'),
    parser_name text NOT NULL,
    parser_version text NOT NULL,
    user_id uuid NOT NULL,
    -- Part of the address that the provider calls back; it exists before the provider gives the job an id.
    callback_secret text NOT NULL UNIQUE,
    -- The provider's id; null until it has accepted the upload.
    remote_id text UNIQUE,
    -- Whether the ledger holds the cost of the job.
    booked boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- When the provider called back.
    completed_at timestamptz,
    PRIMARY KEY (document_id, content_sha, parser_name, parser_version)
);

-- Returns how many rows of each table still hold something of a deleted document. It looks into every table that names
-- documents, including future ones, except those that keep nothing but ids.
CREATE FUNCTION upload_pipeline.traces_of(document uuid) RETURNS TABLE (relation text, traces bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    FOR relation IN
        SELECT class.relname
        FROM pg_class AS class
        JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
        WHERE class.relnamespace = 'upload_pipeline'::regnamespace AND class.relkind IN ('r', 'p')
            AND attribute.attname = 'document_id' AND NOT attribute.attisdropped
            AND class.relname NOT IN ('events', 'deleted_documents', 'idempotency_keys')
        ORDER BY class.relname
    LOOP
        EXECUTE format(
            'SELECT count(*) FROM upload_pipeline.%I WHERE document_id = $1%s', relation,
            CASE relation WHEN 'paid_calls' THEN ' AND request_id IS NOT NULL' ELSE '' END
        ) INTO traces USING document;
        IF traces > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END;
$$;

-- Returns the user whose rows an application sees: the transaction's app.user_id or, on servers with auth.uid(), the
-- user who is signed in.
DO $$
BEGIN
    IF to_regprocedure('auth.uid()') IS NULL THEN
        CREATE FUNCTION upload_pipeline.current_user_id() RETURNS uuid LANGUAGE sql STABLE
        RETURN nullif(current_setting('app.user_id', true), '')::uuid;
    ELSE
        CREATE FUNCTION upload_pipeline.current_user_id() RETURNS uuid LANGUAGE sql STABLE
        RETURN coalesce(auth.uid(), nullif(current_setting('app.user_id', true), '')::uuid);
        GRANT USAGE ON SCHEMA auth TO ingest_reader;
    END IF;
END $$;

-- The current user's chunks that have any of the rare words or all of the frequent ones, up to `most` of them, those
-- first that have most of the ranked words. The function runs as its owner, because under row-level security Postgres
-- does not let words use an index; without sequential scans, the index of words is the only way to the rows, whatever
-- the statistics say.
CREATE FUNCTION upload_pipeline.matching_chunks(
    rare text[], frequent text[], ranked tsquery, most integer, depth integer)
RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = on
AS $$
DECLARE
    reader CONSTANT uuid := upload_pipeline.current_user_id();
    any_of CONSTANT bytea[] := upload_pipeline.word_keys(reader, rare);
    all_of CONSTANT bytea[] := upload_pipeline.word_keys(reader, frequent);
BEGIN
    RETURN QUERY
        SELECT chunk_id
        FROM (
            SELECT chunk_id, title, chunk_ord, ts_rank(full_text, ranked) AS rank
            FROM upload_pipeline.document_chunks
            WHERE upload_pipeline.word_keys(user_id, tsvector_to_array(full_text)) && any_of
                OR upload_pipeline.word_keys(user_id, tsvector_to_array(full_text)) @> all_of
            LIMIT most
        ) AS candidates
        ORDER BY rank DESC, title, chunk_ord
        LIMIT depth;
END $$;

DO $$
DECLARE
    item text;
BEGIN
    FOREACH item IN ARRAY ARRAY[
        'documents', 'document_sources', 'upload_jobs', 'events', 'document_chunk_buffer', 'document_vector_buffer',
        'document_chunks', 'webhook_log', 'idempotency_keys', 'paid_calls', 'spending', 'parse_jobs', 'deleted_documents'
    ] LOOP
        EXECUTE format('ALTER TABLE upload_pipeline.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', item);
        EXECUTE format('CREATE POLICY pipeline ON upload_pipeline.%I TO ingest_owner, ingest_worker
            USING (true) WITH CHECK (true)', item);
        IF item NOT IN ('spending', 'deleted_documents') THEN
            EXECUTE format('CREATE POLICY own_rows ON upload_pipeline.%I FOR SELECT TO ingest_reader
                USING (user_id = upload_pipeline.current_user_id())', item);
        END IF;
    END LOOP;

    FOR item IN SELECT oid::regclass FROM pg_class
        WHERE relnamespace = 'upload_pipeline'::regnamespace AND relkind = 'r'
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO ingest_owner', item);
    END LOOP;
    FOR item IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'upload_pipeline'::regnamespace LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', item);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ingest_worker', item);
        EXECUTE format('ALTER FUNCTION %s OWNER TO ingest_owner', item);
    END LOOP;
    EXECUTE format('GRANT CREATE ON DATABASE %I TO ingest_owner', current_database());
    ALTER SCHEMA upload_pipeline OWNER TO ingest_owner;
    EXECUTE format('REVOKE CREATE ON DATABASE %I FROM ingest_owner', current_database());
END $$;

GRANT USAGE ON SCHEMA upload_pipeline TO ingest_worker, ingest_reader;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    upload_pipeline.documents, upload_pipeline.document_sources, upload_pipeline.upload_jobs,
    upload_pipeline.document_chunk_buffer, upload_pipeline.document_vector_buffer, upload_pipeline.document_chunks,
    upload_pipeline.webhook_log, upload_pipeline.idempotency_keys, upload_pipeline.spending, upload_pipeline.parse_jobs,
    upload_pipeline.deleted_documents TO ingest_worker;
GRANT SELECT, INSERT, UPDATE ON upload_pipeline.paid_calls, upload_pipeline.paid_services TO ingest_worker;
GRANT SELECT, INSERT ON upload_pipeline.events TO ingest_worker;
GRANT SELECT ON upload_pipeline.migrations TO ingest_worker;

-- Applications may not read the callbacks' secrets, nor tables that only serve this system.
GRANT SELECT ON
    upload_pipeline.documents, upload_pipeline.document_sources, upload_pipeline.upload_jobs, upload_pipeline.events,
    upload_pipeline.document_chunk_buffer, upload_pipeline.document_vector_buffer, upload_pipeline.document_chunks,
    upload_pipeline.webhook_log, upload_pipeline.paid_calls TO ingest_reader;
GRANT EXECUTE ON FUNCTION upload_pipeline.current_user_id, upload_pipeline.vector_bits, upload_pipeline.matching_chunks
    TO ingest_reader;
