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
    -- What the newest parse could not read, in counts by kind.
    warnings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(warnings) = 'object'),
    -- What is known about the document besides its text: texts by key.
    metadata jsonb NOT NULL DEFAULT '{}'
        CONSTRAINT metadata_is_small CHECK (jsonb_typeof(metadata) = 'object' AND octet_length(metadata::text) <= 65536),
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
    -- The document that the source was taken out of, and how far it is below a submitted one.
    parent_id uuid REFERENCES upload_pipeline.documents ON DELETE CASCADE,
    depth smallint NOT NULL DEFAULT 0 CHECK (depth >= 0),
    PRIMARY KEY (user_id, source),
    CHECK (num_nulls(
        file_size, file_modified_ns, file_changed_ns, file_inode, file_device, file_seen_ns, file_sha) IN (0, 7)),
    CHECK ((parent_id IS NULL) = (depth = 0))
);
CREATE INDEX document_sources_by_document ON upload_pipeline.document_sources (document_id);
CREATE INDEX document_sources_by_parent ON upload_pipeline.document_sources (parent_id) WHERE parent_id IS NOT NULL;

-- Attachments that did not become documents, and why.
CREATE TABLE upload_pipeline.skipped_attachments (
    document_id uuid NOT NULL REFERENCES upload_pipeline.documents ON DELETE CASCADE,
    user_id uuid NOT NULL,
    path text NOT NULL,
    code text NOT NULL,
    PRIMARY KEY (user_id, document_id, path)
);
CREATE INDEX skipped_attachments_by_document ON upload_pipeline.skipped_attachments (document_id);

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
    -- The Dagster that lists the document: the last one that worked on it or was told of it.
    listed_by text,
    -- How many attempts ended with each error code, including those that do not count: {"timeout": 1}.
    attempts_by_code jsonb NOT NULL DEFAULT '{}',
    -- How often the job was claimed: whoever writes for an earlier claim has no say.
    fence bigint NOT NULL DEFAULT 0,
    -- Until then, somebody is telling Dagster the outcome; a process that was killed blocks nobody for longer.
    telling_until timestamptz,
    -- The kind of work that the document waits for, as `lane_of` says.
    lane text NOT NULL DEFAULT 'parse',
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
-- The same for one lane.
CREATE INDEX upload_jobs_claimable_by_lane ON upload_pipeline.upload_jobs
    (lane, user_id, priority DESC, queued_at, job_id, (COALESCE(next_retry_at, '-infinity')))
    WHERE state IN ('queued', 'retryable');
CREATE INDEX upload_jobs_working ON upload_pipeline.upload_jobs (user_id) WHERE state = 'working';
-- Failures are few among many; listing, retrying and replaying them must not read the others.
CREATE INDEX upload_jobs_failed ON upload_pipeline.upload_jobs (queued_at, job_id)
    WHERE state IN ('retryable', 'deadletter');
CREATE INDEX upload_jobs_unreported ON upload_pipeline.upload_jobs (state, job_id)
    WHERE state IN ('done', 'deadletter') AND reported_at IS NULL;
CREATE INDEX upload_jobs_listed ON upload_pipeline.upload_jobs (finished_at)
    WHERE state = 'done' AND reported_at IS NOT NULL AND (unlisted_at IS NULL OR unlisted_at < reported_at);

-- Returns the lane of a job: what its document needs next. A host need not have what the other lanes need.
CREATE FUNCTION upload_pipeline.lane_of(stage text, attempts_by_code jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN stage IN ('chunks_buffered', 'embedding', 'embedded') THEN 'embed'
    WHEN jsonb_exists(attempts_by_code, 'recognition_slow') THEN 'ocr'
    ELSE 'parse'
END;

-- Moves a job to its lane, whatever moved it on. What was being worked on when lanes came moves when that ends.
CREATE FUNCTION upload_pipeline.change_lane() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.lane := upload_pipeline.lane_of(NEW.stage, NEW.attempts_by_code);
    RETURN NEW;
END;
$$;
CREATE TRIGGER jobs_change_lane BEFORE UPDATE OF stage, state, attempts_by_code ON upload_pipeline.upload_jobs
    FOR EACH ROW WHEN (NEW.lane <> upload_pipeline.lane_of(NEW.stage, NEW.attempts_by_code))
    EXECUTE FUNCTION upload_pipeline.change_lane();

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

-- When an alert of each condition was last sent, so that all workers together send one per hour. `code` is the name of
-- the condition, with its subject.
CREATE TABLE upload_pipeline.alerts (
    code text PRIMARY KEY,
    last_sent_at timestamptz,
    -- Until then, somebody is sending it; a sender that was killed blocks nobody for longer.
    claimed_until timestamptz,
    -- Null while the condition does not hold.
    holds_since timestamptz,
    -- Whether people were told that it holds, and not yet that it has ended.
    is_told boolean NOT NULL DEFAULT false
);

-- What the metrics said, a minute apart and later ten: what is usual is compared with what is now. Sums over everybody,
-- with no ids.
CREATE TABLE upload_pipeline.readings (
    taken_at timestamptz PRIMARY KEY,
    metrics jsonb NOT NULL
);

-- What people have paused: one user's documents, the calls to one provider or, if both are null, everything.
CREATE TABLE upload_pipeline.pauses (
    user_id uuid,
    provider text CHECK (provider <> ''),
    began_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (user_id, provider),
    CHECK (num_nonnulls(user_id, provider) < 2)
);

-- Returns the users whose turn it is: those with claimable jobs, in the order of their ids, starting after `after` and
-- going round, each with a share of the next `most` claims. It returns twice as many users as needed, in case other
-- workers hold their jobs. Only jobs of the lane `wanted` count, unless it is null.
-- Each call is planned for its lane: whether it names one decides which index serves.
CREATE FUNCTION upload_pipeline.turns(
    after uuid, most integer, retries_only boolean, per_user integer, wanted text)
RETURNS TABLE (user_id uuid, place integer, share integer)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY WITH RECURSIVE claimable AS NOT MATERIALIZED (
        SELECT job.user_id
        FROM upload_pipeline.upload_jobs AS job
        WHERE (wanted IS NULL OR job.lane = wanted) AND job.state IN ('queued', 'retryable')
            AND COALESCE(job.next_retry_at, '-infinity')
            BETWEEN CASE WHEN retries_only THEN timestamptz 'epoch' ELSE '-infinity' END AND now()
    ), visits (user_id, last_user, place, room) AS (
        SELECT after, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid, 0, 0
        WHERE NOT EXISTS (SELECT FROM upload_pipeline.pauses WHERE num_nonnulls(pauses.user_id, provider) = 0)
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
            SELECT CASE
                WHEN EXISTS (SELECT FROM upload_pipeline.pauses WHERE pauses.user_id = next.user_id) THEN 0
                WHEN per_user IS NULL THEN most
                ELSE per_user - (
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
$$;

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
-- Names in the history are those that the pipeline gives. Rows from before may hold others, and stay as they are.
ALTER TABLE upload_pipeline.events
    ADD CONSTRAINT actor_is_a_plain_name CHECK (actor ~ '^[A-Za-z0-9 ._:-]{1,100}$') NOT VALID,
    ADD CONSTRAINT occasion_is_a_plain_name CHECK (correlation_id ~ '^[A-Za-z0-9 ._:-]{1,100}$') NOT VALID;

-- The data key of each user whose stored objects are encrypted, wrapped by the master key, which is not in the database.
CREATE TABLE upload_pipeline.user_keys (
    user_id uuid PRIMARY KEY,
    key_id uuid NOT NULL UNIQUE,
    wrapped_key bytea NOT NULL,
    -- When something was last stored with it, give or take an hour: its row may not be written yet.
    used_at timestamptz NOT NULL DEFAULT now()
);

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

-- Returns the groups of letters and digits of one number, alone and joined: POL-2024-004471 gives pol2024004471, 2024004471,
-- 004471 and pol2024. A word that only a space joins to digits counts with five digits or more: not "in 2024".
CREATE FUNCTION upload_pipeline.joined_groups(number text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    groups text[];
    joints text[];
    joined text;
    digits integer;
    needed integer;
    found text[] := '{}';
BEGIN
    SELECT array_agg(part[2]), array_agg(part[1])
    INTO groups, joints
    FROM regexp_matches(number, '([^a-z0-9]*)([a-z]+|[0-9]+)', 'g') AS part;
    FOR begin_at IN 1 .. cardinality(groups) LOOP
        CONTINUE WHEN groups[begin_at] ~ '[a-z]' AND begin_at > 1 AND joints[begin_at] = '';
        joined := '';
        digits := 0;
        needed := 3;
        FOR end_at IN begin_at .. least(begin_at + 7, cardinality(groups)) LOOP
            joined := joined || groups[end_at];
            IF end_at > begin_at AND joints[end_at] ~ '\s' AND groups[end_at - 1] || groups[end_at] ~ '[a-z]' THEN
                needed := 5;
            END IF;
            IF groups[end_at] ~ '[0-9]' THEN
                digits := digits + length(groups[end_at]);
            ELSE
                CONTINUE WHEN joints[end_at] ~ '\s';
            END IF;
            IF digits >= needed AND length(joined) <= 40 AND joined !~ '^(19|20)[0-9]{2}$' THEN
                found := found || joined;
            END IF;
        END LOOP;
    END LOOP;
    RETURN found;
END $$;

-- Returns the numbers of a text that may name something, as `number_terms` wants them.
CREATE FUNCTION upload_pipeline.identifier_terms(written text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    joint CONSTANT text := '(?:[-/_\\:#][ \n]?|\.|[ \n](?:[-/] )?)';
    with_digit CONSTANT text := '[a-z]*[0-9][a-z0-9]*';
BEGIN
    RETURN ARRAY(
        SELECT unnest(upload_pipeline.joined_groups(number[1]))
        FROM regexp_matches(written, '\m((?:[a-z]{1,8}[-/_.:#])*(?:[a-z]{1,4}' || joint || ')?' || with_digit
            || '(?:' || joint || '(?:[a-z]{1,4}' || joint || ')?' || with_digit || ')*(?:[-/.][a-z]{1,3}\M)?)', 'g') AS number
    );
END $$;

-- Returns the amounts of a text as 1250.00, whichever marks stand between their digits; years alone are none,
-- nor is what is longer than any amount: an index holds no key of 2,700 bytes.
CREATE FUNCTION upload_pipeline.amount_terms(written text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    alone CONSTANT text := '(?:^|[^-a-z0-9/.,:''_#])[-/.,:''_#]*';
    ended CONSTANT text := '(?![a-z0-9]|[-/.,:''_][a-z0-9])';
    short CONSTANT text := '[1-9][0-9]{0,11}|0';
BEGIN
    RETURN ARRAY(
        SELECT translate(whole, '.,'' ', '') || '.' || rpad(coalesce(cents, ''), 2, '0')
        FROM regexp_matches(
                regexp_replace(written, '\m(eur|usd|gbp|chf)(?=[0-9])|(?<=[0-9])(eur|usd|gbp|chf)\M', ' \1\2 ', 'g'),
                alone || '([1-9][0-9]{0,2}(?:[.'' ][0-9]{3})+|' || short || ')(?:,([0-9]{1,2}))?' || ended || '|'
                || alone || '([1-9][0-9]{0,2}(?:[,'' ][0-9]{3})+|' || short || ')(?:\.([0-9]{1,2}))?' || ended, 'g') AS amount,
            LATERAL (SELECT coalesce(amount[1], amount[3]), coalesce(amount[2], amount[4])) AS parts (whole, cents)
        WHERE length(whole) <= 40
            AND (cents ~ '[1-9]' OR length(whole) >= 3 AND NOT (cents IS NULL AND whole ~ '^(19|20)[0-9]{2}$'))
    );
END $$;

-- Returns the number of a month by its first letters in English or German.
CREATE FUNCTION upload_pipeline.month_number(month text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (strpos('janfebmaraprmayjunjulaugsepoctnovdec', translate(
    CASE month WHEN 'mai' THEN 'may' WHEN 'okt' THEN 'oct' WHEN 'dez' THEN 'dec' ELSE month END, 'ä', 'a')) / 3 + 1)::text;

-- Returns the days of a text as 2024-07-03, with month names in English or German; 03/07/2024 may be two days.
-- 01.01.2024-31.12.2024 is two as well, as with spaces around its dash.
CREATE FUNCTION upload_pipeline.date_terms(written text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    alone CONSTANT text := '(?:^|[^-a-z0-9/.,:''_#])[-/.,:''_#]*';
    year CONSTANT text := '((?:19|20)[0-9]{2})(?![0-9])';
    day_itself CONSTANT text := '(?:[0-9]{1,2}[./][0-9]{1,2}[./]|[a-zä.]\s)(?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}[-./][0-9]{1,2}[-./][0-9]{1,2}';
    month CONSTANT text := '(jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-zä]*\.?';
    apart CONSTANT text := regexp_replace(written, '(' || day_itself || ')[-/](?=[0-9]{1,4}[-./ ])', '\1 - ', 'g');
BEGIN
    RETURN ARRAY(
        SELECT format('%s-%s-%s', right('20' || day[3], 4), lpad(day[2], 2, '0'), lpad(day[1], 2, '0'))
        FROM (
            SELECT regexp_matches(apart, alone || '([0-9]{1,2})[-./] ?([0-9]{1,2})[-./] ?((?:19|20)?[0-9]{2})(?![0-9])', 'g')
            UNION ALL
            SELECT ARRAY[part[2], part[1], part[3]]
            FROM regexp_matches(apart, alone || '([0-9]{1,2})/([0-9]{1,2})/((?:19|20)?[0-9]{2})(?![0-9])', 'g') AS part
            UNION ALL
            SELECT ARRAY[part[3], part[2], part[1]]
            FROM regexp_matches(apart, alone || year || '[-./]([0-9]{1,2})[-./]([0-9]{1,2})(?![0-9])', 'g') AS part
            UNION ALL
            SELECT ARRAY[part[1], upload_pipeline.month_number(part[2]), part[3]]
            FROM regexp_matches(apart, alone || '([0-9]{1,2})(?:\.|st|nd|rd|th)?\s(?:of\s)?' || month || ',?\s' || year, 'g') AS part
            UNION ALL
            SELECT ARRAY[part[2], upload_pipeline.month_number(part[1]), part[3]]
            FROM regexp_matches(apart, '\m' || month || '\s([0-9]{1,2})(?:\.|st|nd|rd|th)?,?\s' || year, 'g') AS part
        ) AS days (day)
        WHERE day[1]::integer BETWEEN 1 AND 31 AND day[2]::integer BETWEEN 1 AND 12
    );
END $$;

-- Returns what the numbers of a text have in common with their other spellings.
CREATE FUNCTION upload_pipeline.number_terms(body text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    written CONSTANT text := translate(lower(body COLLATE "C"),
        U&'\2010\2011\2012\2013\2014\2212\00a0\2007\2009\202f\2019\00b4`', '------    ''''''');
BEGIN
    IF written !~ '[0-9]' THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(SELECT DISTINCT unnest(upload_pipeline.identifier_terms(written) || upload_pipeline.amount_terms(written)
        || upload_pipeline.date_terms(written)));
END $$;

-- Returns the numbers of a chunk as the index keeps them, each behind its owner's id.
CREATE FUNCTION upload_pipeline.number_keys(owner uuid, title text, heading_path text[], body text) RETURNS bytea[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN upload_pipeline.word_keys(
    owner, upload_pipeline.number_terms(concat_ws(E'\n\n', title, array_to_string(heading_path, E'\n\n'), body)));

-- The committed chunks, which searches read.
CREATE TABLE upload_pipeline.document_chunks (
    chunk_id uuid NOT NULL,
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
    -- A chunk's id is made of its document's id and its text, so an index that begins with it would tell a reader who
    -- knows the first whether it has guessed the second.
    PRIMARY KEY (user_id, chunk_id),
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
-- Numbers are found however they are written.
CREATE INDEX document_chunks_by_number ON upload_pipeline.document_chunks
    USING gin (upload_pipeline.number_keys(user_id, title, heading_path, text));
-- Finds a user's nearest vectors by their bits, without reading the table. For users with very many vectors there are
-- HNSW indexes, one per model, that come and go (docs/decisions/0007).
CREATE INDEX document_chunks_by_bits ON upload_pipeline.document_chunks (embed_model, embed_version, user_id)
    INCLUDE (chunk_id, document_id, bits);

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
    -- What the call is expected to use. It reserves this of the budgets until it is known what the call used.
    estimated_tokens bigint NOT NULL DEFAULT 0 CHECK (estimated_tokens >= 0),
    estimated_pages bigint NOT NULL DEFAULT 0 CHECK (estimated_pages >= 0),
    estimated_credits bigint NOT NULL DEFAULT 0 CHECK (estimated_credits >= 0),
    estimated_micro_usd bigint NOT NULL CHECK (estimated_micro_usd >= 0),
    -- Whether the call failed without an answer that says that it costs nothing.
    doubtful boolean NOT NULL DEFAULT false,
    -- What the call used.
    tokens bigint NOT NULL DEFAULT 0 CHECK (tokens >= 0),
    pages bigint NOT NULL DEFAULT 0 CHECK (pages >= 0),
    credits bigint NOT NULL DEFAULT 0 CHECK (credits >= 0),
    micro_usd bigint NOT NULL DEFAULT 0 CHECK (micro_usd >= 0),
    request_id text,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When the worker has surely ended, if the call is not settled.
    expires_at timestamptz NOT NULL,
    settled_at timestamptz,
    CONSTRAINT settled_has_its_time CHECK ((outcome = 'under_way') = (settled_at IS NULL))
);
CREATE INDEX paid_calls_settled ON upload_pipeline.paid_calls (service, settled_at);
-- Finds the calls of a document that the provider can still identify, with what was sent.
CREATE INDEX paid_calls_by_document ON upload_pipeline.paid_calls (document_id) WHERE request_id IS NOT NULL;

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

-- Returns whether nobody knows what a call has cost: it is not settled, or it failed without an answer that says so.
CREATE FUNCTION upload_pipeline.is_uncertain(call upload_pipeline.paid_calls) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN (call).outcome IN ('under_way', 'abandoned') OR (call).doubtful;

-- Returns what a call takes of its budgets: what it cost or, as long as nobody knows that, what it was expected to cost.
CREATE FUNCTION upload_pipeline.taken_by(call upload_pipeline.paid_calls) RETURNS bigint
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN upload_pipeline.is_uncertain(call) THEN (call).estimated_micro_usd ELSE (call).micro_usd END;

-- Returns what is taken of each budget by the calls in the ledger.
CREATE FUNCTION upload_pipeline.taken_by_ledger()
RETURNS TABLE (budget text, subject uuid, day date, micro_usd bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT counted.budget, counted.subject, counted.day, sum(upload_pipeline.taken_by(call))::bigint
    FROM upload_pipeline.paid_calls AS call
    CROSS JOIN LATERAL upload_pipeline.budgets_of(call.user_id, call.document_id, call.started_at) AS counted
    GROUP BY counted.budget, counted.subject, counted.day;
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
    -- The call in the ledger that pays for the job; null in jobs from before it was kept.
    call_id bigint,
    -- Whether the ledger holds the cost of the job.
    booked boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- When the provider called back.
    completed_at timestamptz,
    -- The id that the provider was told when it was asked for the job, if it is told one; by it, the job is found again.
    request_id uuid UNIQUE,
    -- Whether the provider certainly has no job of that request.
    withdrawn boolean NOT NULL DEFAULT false,
    -- When the provider is next asked what the job costs; null if that is known, or will never be.
    bill_due_at timestamptz,
    PRIMARY KEY (document_id, content_sha, parser_name, parser_version)
);
CREATE INDEX parse_jobs_with_bill_due ON upload_pipeline.parse_jobs (bill_due_at) WHERE bill_due_at IS NOT NULL;

-- Jobs that nobody needs here any more and that their providers may still keep, until they are removed there. No user's data:
-- it outlives their documents.
CREATE TABLE upload_pipeline.remote_leftovers (
    request_id uuid PRIMARY KEY,
    provider text NOT NULL,
    -- Null if the answer to the request was lost.
    remote_id text,
    call_id bigint,
    asked_at timestamptz NOT NULL,
    left_at timestamptz NOT NULL DEFAULT now(),
    -- When the provider is next asked to remove it.
    due_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX remote_leftovers_due ON upload_pipeline.remote_leftovers (due_at);

-- Leaves a job to be removed at its provider, whatever removes or replaces its row here.
CREATE FUNCTION upload_pipeline.leave_remote_job() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO upload_pipeline.remote_leftovers (request_id, provider, remote_id, call_id, asked_at)
    VALUES (OLD.request_id, OLD.parser_name, OLD.remote_id, OLD.call_id, OLD.created_at)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END;
$$;
CREATE TRIGGER remote_jobs_are_left_over AFTER DELETE OR UPDATE OF request_id ON upload_pipeline.parse_jobs
    FOR EACH ROW WHEN (OLD.request_id IS NOT NULL AND NOT OLD.withdrawn)
    EXECUTE FUNCTION upload_pipeline.leave_remote_job();

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

-- Deployments that work on this database, each under a lease.
CREATE TABLE upload_pipeline.instances (
    name text PRIMARY KEY,
    -- Dagster's own id of its storage; deployments that share Dagster's database share it.
    dagster_id text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    lease_expires_at timestamptz NOT NULL,
    -- How many drain runs the deployment has started or is about to start.
    drain_runs integer NOT NULL DEFAULT 0 CHECK (drain_runs >= 0),
    -- A random word of the start that renewed the lease last, and of the one before it.
    boot text,
    boot_before text,
    -- When the one before came back: two deployments have the same name.
    contested_at timestamptz,
    -- When the deployment last reserved drain runs.
    reserved_at timestamptz,
    -- When its sensor last looked at the queue.
    looked_at timestamptz
);

-- Documents that another Dagster lists by now, so that this one is to unlist them.
CREATE TABLE upload_pipeline.moved_listings (
    dagster_id text,
    document_id uuid REFERENCES upload_pipeline.documents ON DELETE CASCADE,
    PRIMARY KEY (dagster_id, document_id)
);
CREATE INDEX moved_listings_document ON upload_pipeline.moved_listings (document_id);

-- Counters that only rise, for scrapes: each carries forward what the history and the ledger hold since the last one, so
-- that none reads them from the beginning. Sums over everybody, with no ids.
CREATE TABLE upload_pipeline.totals (
    metric text NOT NULL,
    -- The values of the metric's labels; of a histogram also the bucket's upper bound, or `sum`.
    labels text[] NOT NULL,
    value double precision NOT NULL,
    PRIMARY KEY (metric, labels)
) WITH (fillfactor = 50);
-- How far each source is counted: the last event's id, or the microseconds at which a provider's last call was settled.
CREATE TABLE upload_pipeline.totals_until (
    source text PRIMARY KEY,
    position bigint NOT NULL
) WITH (fillfactor = 50);
INSERT INTO upload_pipeline.totals_until (source, position)
SELECT 'events', 0
UNION ALL
SELECT service, extract(epoch FROM clock_timestamp()) * 1000000 FROM upload_pipeline.paid_services;

-- The recall of each model's index when it was last measured.
CREATE TABLE upload_pipeline.recalls (
    embed_model text NOT NULL,
    embed_version text NOT NULL,
    recall double precision NOT NULL CHECK (recall BETWEEN 0 AND 1),
    measured_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (embed_model, embed_version)
);

-- Ties the object store to this database: the store bears the same id. Whoever meets another id has the wrong one.
CREATE TABLE upload_pipeline.object_store (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    store_id uuid NOT NULL
);
INSERT INTO upload_pipeline.object_store (store_id) VALUES (gen_random_uuid());

-- What one session at a time may do is locked by rows here, which a reader can neither lock nor see; anybody may take an
-- advisory lock. A migration must not alter this table: the session that migrates waits for the one that holds its lock.
CREATE TABLE upload_pipeline.locks (
    name text PRIMARY KEY
);

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
-- first that have most of the ranked words; if there are `wanted` documents, only their chunks. The function runs as its owner, because under row-level security Postgres
-- does not let words use an index; without sequential scans, the index of words is the only way to the rows, whatever
-- the statistics say.
CREATE FUNCTION upload_pipeline.matching_chunks(
    rare text[], frequent text[], ranked tsquery, most integer, depth integer, wanted uuid[] DEFAULT NULL)
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
            WHERE (upload_pipeline.word_keys(user_id, tsvector_to_array(full_text)) && any_of
                    OR upload_pipeline.word_keys(user_id, tsvector_to_array(full_text)) @> all_of)
                AND (wanted IS NULL OR document_id = ANY(wanted))
            LIMIT most
        ) AS candidates
        ORDER BY rank DESC, title, chunk_ord
        LIMIT depth;
END $$;

-- The current user's chunks with the most of a question's numbers that few of the chunks have, and the length of the
-- longest one. It runs as its owner, as `matching_chunks` does. A short number is told of up to `few` chunks, a longer one
-- of up to `most`. If there are `wanted` documents, only their chunks count.
CREATE FUNCTION upload_pipeline.numbered_chunks(
    question text, ranked tsquery, few integer, most integer, depth integer, wanted uuid[])
RETURNS TABLE (chunk_id uuid, shared integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = on
AS $$
#variable_conflict use_column
DECLARE
    reader CONSTANT uuid := upload_pipeline.current_user_id();
BEGIN
    RETURN QUERY
        WITH term AS (
            SELECT term
            FROM unnest(upload_pipeline.number_terms(question)) AS term
            ORDER BY length(term) DESC, term
            LIMIT 64
        ), found AS (
            SELECT chunk.chunk_id, length(term) AS shared,
                count(*) OVER (PARTITION BY term) <= CASE WHEN length(split_part(term, '.', 1)) < 6 THEN few ELSE most END AS telling
            FROM term
            CROSS JOIN LATERAL (
                SELECT chunk_id
                FROM upload_pipeline.document_chunks
                WHERE upload_pipeline.number_keys(user_id, title, heading_path, text)
                    @> upload_pipeline.word_keys(reader, ARRAY[term])
                    AND (wanted IS NULL OR document_id = ANY(wanted))
                LIMIT most + 1
            ) AS chunk
        ), best AS (
            SELECT chunk_id, max(shared) AS shared
            FROM found
            WHERE telling
            GROUP BY chunk_id
            ORDER BY shared DESC
            LIMIT most
        )
        SELECT chunk_id, shared
        FROM best
        JOIN upload_pipeline.document_chunks AS chunk USING (chunk_id)
        WHERE user_id = reader
        ORDER BY shared DESC, ts_rank(full_text, ranked) DESC, title, chunk_ord
        LIMIT depth;
END $$;

DO $$
DECLARE
    item text;
BEGIN
    FOREACH item IN ARRAY ARRAY[
        'documents', 'document_sources', 'upload_jobs', 'events', 'document_chunk_buffer', 'document_vector_buffer',
        'document_chunks', 'webhook_log', 'idempotency_keys', 'paid_calls', 'spending', 'parse_jobs', 'deleted_documents',
        'moved_listings', 'user_keys', 'skipped_attachments', 'pauses'
    ] LOOP
        EXECUTE format('ALTER TABLE upload_pipeline.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', item);
        EXECUTE format('CREATE POLICY pipeline ON upload_pipeline.%I TO ingest_owner, ingest_worker
            USING (true) WITH CHECK (true)', item);
        IF item NOT IN (
            'spending', 'deleted_documents', 'moved_listings', 'document_chunk_buffer', 'document_vector_buffer', 'webhook_log',
            'user_keys', 'pauses'
        ) THEN
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
    upload_pipeline.deleted_documents, upload_pipeline.instances, upload_pipeline.moved_listings,
    upload_pipeline.user_keys, upload_pipeline.skipped_attachments, upload_pipeline.pauses TO ingest_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.remote_leftovers TO ingest_worker;
GRANT SELECT, INSERT, UPDATE ON upload_pipeline.paid_calls, upload_pipeline.paid_services, upload_pipeline.alerts,
    upload_pipeline.locks, upload_pipeline.totals, upload_pipeline.totals_until, upload_pipeline.recalls TO ingest_worker;
GRANT SELECT, INSERT, DELETE ON upload_pipeline.readings TO ingest_worker;
GRANT SELECT, INSERT ON upload_pipeline.events TO ingest_worker;
GRANT SELECT ON upload_pipeline.migrations, upload_pipeline.object_store TO ingest_worker;

-- Applications may not read the callbacks' secrets, nor tables that only serve this system.
GRANT SELECT ON
    upload_pipeline.documents, upload_pipeline.document_sources, upload_pipeline.upload_jobs, upload_pipeline.events,
    upload_pipeline.document_chunks, upload_pipeline.paid_calls, upload_pipeline.skipped_attachments TO ingest_reader;
GRANT EXECUTE ON FUNCTION upload_pipeline.current_user_id, upload_pipeline.vector_bits, upload_pipeline.matching_chunks,
    upload_pipeline.numbered_chunks TO ingest_reader;

-- The planner's estimates tell everybody what statistics know of all users' rows. What readers may ask for keeps none, and
-- no plan of the pipeline depends on any.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT class.relname, class.relkind, attribute.attname, attribute.attnum
        FROM pg_class AS class
        JOIN pg_attribute AS attribute ON attrelid = class.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_index ON indexrelid = class.oid
        WHERE relnamespace = 'upload_pipeline'::regnamespace
            AND has_table_privilege('ingest_reader', coalesce(indrelid, class.oid), 'SELECT')
            AND (relkind = 'r' OR relkind = 'i' AND indkey[attnum - 1] = 0)
    LOOP
        EXECUTE CASE item.relkind
            WHEN 'r' THEN
                format('ALTER TABLE upload_pipeline.%I ALTER COLUMN %I SET STATISTICS 0', item.relname, item.attname)
            ELSE format('ALTER INDEX upload_pipeline.%I ALTER COLUMN %s SET STATISTICS 0', item.relname, item.attnum)
        END;
    END LOOP;
END $$;
