-- A chunk with an endless row of digits in threes could not be stored: it made a key that no index holds. Rows that are stored
-- already keep what the index has of them.
-- Returns the amounts of a text as 1250.00, whichever marks stand between their digits; years alone are none,
-- nor is what is longer than any amount: an index holds no key of 2,700 bytes.
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
        WHERE length(whole) <= 40
            AND (cents ~ '[1-9]' OR length(whole) >= 3 AND NOT (cents IS NULL AND whole ~ '^(19|20)[0-9]{2}$'))
    );
END $$;
