-- renew_instance
-- Renew a deployment's lease if it is time, or begin one; an expired one begins anew. If a start comes back after another
-- one has taken its place, both are at work under the same name.
INSERT INTO upload_pipeline.instances AS known (name, dagster_id, lease_expires_at, boot)
VALUES (%(name)s, %(dagster_id)s, now() + %(lease)s, %(boot)s)
ON CONFLICT (name) DO UPDATE
SET dagster_id = excluded.dagster_id, lease_expires_at = excluded.lease_expires_at,
    began_at = CASE WHEN known.lease_expires_at < now() THEN now() ELSE known.began_at END,
    boot = excluded.boot,
    boot_before = CASE WHEN known.boot = excluded.boot THEN known.boot_before ELSE known.boot END,
    contested_at = CASE
        WHEN known.boot <> excluded.boot AND known.boot_before = excluded.boot AND known.lease_expires_at > now()
        THEN now() ELSE known.contested_at END
WHERE known.lease_expires_at < now() + %(lease)s * 2 / 3 OR known.dagster_id <> excluded.dagster_id
    OR known.boot IS DISTINCT FROM excluded.boot
RETURNING began_at = now() AS begins;

-- forget_instances
-- Delete deployments that ended long ago.
DELETE FROM upload_pipeline.instances WHERE lease_expires_at < now() - %(age)s::interval;

-- instance_is_contested
-- Return whether another deployment has lately used this name.
SELECT EXISTS (
    SELECT FROM upload_pipeline.instances WHERE name = %(name)s AND contested_at > now() - %(lease)s::interval
) AS contested;

-- note_look
-- Note that this deployment's sensor looks at the queue, not more often than people need to know.
UPDATE upload_pipeline.instances
SET looked_at = now()
WHERE name = %(name)s AND COALESCE(looked_at, '-infinity') < now() - %(grain)s::interval;

-- end_instance
-- End a deployment's lease, unless another start has taken its place.
UPDATE upload_pipeline.instances
SET lease_expires_at = now(), drain_runs = 0
WHERE name = %(name)s AND COALESCE(boot, %(boot)s) = %(boot)s;

-- other_instances
-- Return the other deployments whose leases stand, and whether each shares this one's Dagster.
SELECT other.name, other.began_at, other.dagster_id IS NOT DISTINCT FROM own.dagster_id AS shares_dagster
FROM upload_pipeline.instances AS other
LEFT JOIN upload_pipeline.instances AS own ON own.name = %(name)s
WHERE other.name <> %(name)s AND other.lease_expires_at > now()
ORDER BY other.began_at, other.name;

-- drain_runs
-- Return how many drain runs this deployment has noted, and how many the other ones.
SELECT COALESCE(sum(drain_runs) FILTER (WHERE name = %(name)s), 0) AS own,
    COALESCE(sum(drain_runs) FILTER (WHERE name <> %(name)s AND lease_expires_at > now()), 0) AS elsewhere
FROM upload_pipeline.instances;

-- note_drain_runs
-- Note how many drain runs this deployment has. For a while after a reservation, there are no fewer: Dagster may have yet
-- to store those that were reserved.
UPDATE upload_pipeline.instances
SET drain_runs = CASE
        WHEN reserved_at > now() - %(grace)s::interval THEN GREATEST(drain_runs, %(drain_runs)s) ELSE %(drain_runs)s END,
    reserved_at = CASE WHEN %(reserves)s THEN now() ELSE reserved_at END
WHERE name = %(name)s AND (drain_runs <> %(drain_runs)s OR %(reserves)s);
