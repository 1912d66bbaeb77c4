-- backend_pid
-- Return the process of the server that serves this session.
SELECT pg_backend_pid() AS pid;

-- surroundings
-- Return the process of the server that serves this session, and the schema of pgvector, if it is there.
SELECT pg_backend_pid() AS pid, (
    SELECT nspname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'vector'
) AS vectors_in;

-- may_act_as
-- Return whether the login may act as a role.
SELECT pg_has_role(session_user, %(role)s, 'MEMBER') AS may;

-- begin_reading
-- Begin a transaction, in one message with the settings that hold until it ends.
BEGIN READ ONLY;

-- become_reader
-- Show only what this user may see, within a reader's limits, until the transaction ends. Where the server has auth.uid(), it
-- reads the claims, which a login that others use through the same pooler may have left behind.
SELECT set_config('role', 'ingest_reader', true), set_config('app.user_id', %(user_id)s, true),
    set_config('request.jwt.claim.sub', %(user_id)s, true),
    set_config('request.jwt.claims', jsonb_build_object('sub', %(user_id)s::text)::text, true),
    set_config('statement_timeout', '30s', true), set_config('lock_timeout', '5s', true);

-- has_owner
-- Return whether the schema has the owner that sql/roles.sql names.
SELECT EXISTS (
    SELECT FROM pg_namespace WHERE nspname = 'upload_pipeline' AND pg_get_userbyid(nspowner) = 'ingest_owner'
) AS found;

-- missing_roles
-- Count the roles of sql/roles.sql that the server lacks.
SELECT count(*) AS missing
FROM unnest(ARRAY['ingest_owner', 'ingest_worker', 'ingest_reader']) AS wanted
WHERE wanted NOT IN (SELECT rolname FROM pg_roles);

-- login
-- Return who has logged in, and whether row-level security would not hold for that login.
SELECT rolname AS login, rolsuper OR rolbypassrls AS bypasses
FROM pg_roles
WHERE rolname = session_user;

-- unprotected_tables
-- Return the tables with users' data whose rows are not kept apart for this session.
SELECT relname AS name
FROM pg_class
JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'user_id' AND NOT attisdropped
WHERE relnamespace = 'upload_pipeline'::regnamespace AND relkind IN ('r', 'p')
    AND NOT (relrowsecurity AND relforcerowsecurity AND row_security_active(pg_class.oid))
ORDER BY relname;

-- session_encryption
-- Return the protocol that encrypts this session, if one does, as the server sees it.
SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl;
