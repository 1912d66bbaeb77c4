-- no-transaction
-- Numbers of policies, contracts, claims and vehicles, amounts and dates are found however they are written. The index is
-- built from the stored texts while others read and write, and no row is written anew. What an interrupted attempt left
-- goes first.
DROP INDEX CONCURRENTLY IF EXISTS upload_pipeline.document_chunks_by_number;

-- Returns the groups of letters and digits of one number, alone and joined: POL-2024-004471 gives pol2024004471, 2024004471,
-- 004471 and pol2024. A word that only a space joins to digits counts with five digits or more: not "in 2024".
CREATE OR REPLACE FUNCTION upload_pipeline.joined_groups(number text) RETURNS text[]
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
CREATE OR REPLACE FUNCTION upload_pipeline.identifier_terms(written text) RETURNS text[]
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

-- Returns the amounts of a text as 1250.00, whichever marks stand between their digits; years alone are none.
CREATE OR REPLACE FUNCTION upload_pipeline.amount_terms(written text) RETURNS text[]
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
        WHERE cents ~ '[1-9]' OR length(whole) >= 3 AND NOT (cents IS NULL AND whole ~ '^(19|20)[0-9]{2}$')
    );
END $$;

-- Returns the number of a month by its first letters in English or German.
CREATE OR REPLACE FUNCTION upload_pipeline.month_number(month text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (strpos('janfebmaraprmayjunjulaugsepoctnovdec', translate(
    CASE month WHEN 'mai' THEN 'may' WHEN 'okt' THEN 'oct' WHEN 'dez' THEN 'dec' ELSE month END, 'ä', 'a')) / 3 + 1)::text;

-- Returns the days of a text as 2024-07-03, with month names in English or German; 03/07/2024 may be two days.
CREATE OR REPLACE FUNCTION upload_pipeline.date_terms(written text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    alone CONSTANT text := '(?:^|[^-a-z0-9/.,:''_#])[-/.,:''_#]*';
    year CONSTANT text := '((?:19|20)[0-9]{2})(?![0-9])';
    month CONSTANT text := '(jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-zä]*\.?';
BEGIN
    RETURN ARRAY(
        SELECT format('%s-%s-%s', right('20' || day[3], 4), lpad(day[2], 2, '0'), lpad(day[1], 2, '0'))
        FROM (
            SELECT regexp_matches(written, alone || '([0-9]{1,2})[-./] ?([0-9]{1,2})[-./] ?((?:19|20)?[0-9]{2})(?![0-9])', 'g')
            UNION ALL
            SELECT ARRAY[part[2], part[1], part[3]]
            FROM regexp_matches(written, alone || '([0-9]{1,2})/([0-9]{1,2})/((?:19|20)?[0-9]{2})(?![0-9])', 'g') AS part
            UNION ALL
            SELECT ARRAY[part[3], part[2], part[1]]
            FROM regexp_matches(written, alone || year || '[-./]([0-9]{1,2})[-./]([0-9]{1,2})(?![0-9])', 'g') AS part
            UNION ALL
            SELECT ARRAY[part[1], upload_pipeline.month_number(part[2]), part[3]]
            FROM regexp_matches(written, alone || '([0-9]{1,2})(?:\.|st|nd|rd|th)?\s(?:of\s)?' || month || ',?\s' || year, 'g') AS part
            UNION ALL
            SELECT ARRAY[part[2], upload_pipeline.month_number(part[1]), part[3]]
            FROM regexp_matches(written, '\m' || month || '\s([0-9]{1,2})(?:\.|st|nd|rd|th)?,?\s' || year, 'g') AS part
        ) AS days (day)
        WHERE day[1]::integer BETWEEN 1 AND 31 AND day[2]::integer BETWEEN 1 AND 12
    );
END $$;

-- Returns what the numbers of a text have in common with their other spellings.
CREATE OR REPLACE FUNCTION upload_pipeline.number_terms(body text) RETURNS text[]
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
CREATE OR REPLACE FUNCTION upload_pipeline.number_keys(owner uuid, title text, heading_path text[], body text) RETURNS bytea[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN upload_pipeline.word_keys(
    owner, upload_pipeline.number_terms(concat_ws(E'\n\n', title, array_to_string(heading_path, E'\n\n'), body)));

CREATE INDEX CONCURRENTLY document_chunks_by_number ON upload_pipeline.document_chunks
    USING gin (upload_pipeline.number_keys(user_id, title, heading_path, text));

ALTER INDEX upload_pipeline.document_chunks_by_number ALTER COLUMN 1 SET STATISTICS 0;

-- The current user's chunks with the most of a question's numbers that few of the chunks have, and the length of the
-- longest one. It runs as its owner, as `matching_chunks` does. A short number is told of up to `few` chunks, a longer one
-- of up to `most`. If there are `wanted` documents, only their chunks count.
CREATE OR REPLACE FUNCTION upload_pipeline.numbered_chunks(
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
    item regprocedure;
BEGIN
    FOR item IN SELECT oid FROM pg_proc WHERE pronamespace = 'upload_pipeline'::regnamespace AND proname IN (
        'joined_groups', 'identifier_terms', 'amount_terms', 'date_terms', 'month_number', 'number_terms', 'number_keys',
        'numbered_chunks')
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', item);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ingest_worker', item);
    END LOOP;
    GRANT EXECUTE ON FUNCTION upload_pipeline.numbered_chunks TO ingest_reader;
END $$;
