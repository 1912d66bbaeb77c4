-- take_lock
-- Lock what a name stands for until the transaction ends, as soon as nobody else has it.
INSERT INTO upload_pipeline.locks AS held (name)
VALUES (%(lock)s)
ON CONFLICT (name) DO UPDATE SET name = excluded.name WHERE false;

-- lock_exists
-- Return whether there are locks in the schema yet.
SELECT to_regclass('upload_pipeline.locks') IS NOT NULL AS found;

-- make_lock
-- Make a lock, if there is none of this name.
INSERT INTO upload_pipeline.locks (name) VALUES (%(lock)s) ON CONFLICT (name) DO NOTHING;

-- try_lock
-- Lock what a name stands for until the transaction ends, or return nothing if somebody else has it.
SELECT name FROM upload_pipeline.locks WHERE name = %(lock)s FOR UPDATE SKIP LOCKED;

-- hold_for_good
-- Let the transaction keep its locks however long another session of this process takes.
SELECT set_config('idle_in_transaction_session_timeout', '0', true), set_config('lock_timeout', '0', true);

-- writers
-- Return the transactions that may yet show a row of these tables from before now: whoever writes one takes this lock
-- first, and keeps it until others see what was written.
SELECT virtualtransaction AS writer
FROM pg_locks
WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND relation = ANY(%(written_tables)s::text[]::regclass[])
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
