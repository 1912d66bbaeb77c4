-- The end of a period that is written without spaces, 01.01.2024-31.12.2024, had no term. Rows that are stored already get it
-- with their next version, or by REINDEX INDEX CONCURRENTLY.
-- Returns the days of a text as 2024-07-03, with month names in English or German; 03/07/2024 may be two days.
-- 01.01.2024-31.12.2024 is two as well, as with spaces around its dash.
CREATE OR REPLACE FUNCTION upload_pipeline.date_terms(written text) RETURNS text[]
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

