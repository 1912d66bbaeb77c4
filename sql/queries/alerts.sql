-- claim_alert
-- Claim the sending of an alert, unless one was sent within `pause`, or somebody else is sending it.
INSERT INTO upload_pipeline.alerts AS alert (code, claimed_until) VALUES (%(code)s, now() + %(hold)s::interval)
ON CONFLICT (code) DO UPDATE SET claimed_until = excluded.claimed_until
WHERE COALESCE(alert.last_sent_at, '-infinity') <= now() - %(pause)s::interval
    AND COALESCE(alert.claimed_until, '-infinity') < now()
RETURNING code;

-- settle_alert
-- Record that a claimed alert was sent, or that it was not.
UPDATE upload_pipeline.alerts
SET claimed_until = NULL, last_sent_at = CASE WHEN %(sent)s THEN now() ELSE last_sent_at END
WHERE code = %(code)s;
