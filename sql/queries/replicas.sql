-- written_position
-- Return how far the database's log is written, and which database this is: a replica has its number.
SELECT pg_current_wal_lsn()::text AS position, (SELECT system_identifier::text FROM pg_control_system()) AS database;

-- replayed_position
-- Return the same of a replica: whether it is one, which database it follows, how many bytes of the log it lacks up to a
-- position, and how old the last transaction is that it has replayed.
SELECT pg_is_in_recovery() AS is_replica, (SELECT system_identifier::text FROM pg_control_system()) AS database,
    greatest(coalesce(pg_wal_lsn_diff(%(position)s::pg_lsn, pg_last_wal_replay_lsn()), 0), 0)::bigint AS behind,
    now() - pg_last_xact_replay_timestamp() AS since_last;
