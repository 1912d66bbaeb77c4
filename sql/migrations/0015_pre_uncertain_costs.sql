-- What a call was expected to use bounds what it may have cost if its answer never arrived.
ALTER TABLE upload_pipeline.paid_calls
    ADD COLUMN estimated_tokens bigint NOT NULL DEFAULT 0 CHECK (estimated_tokens >= 0),
    ADD COLUMN estimated_pages bigint NOT NULL DEFAULT 0 CHECK (estimated_pages >= 0),
    ADD COLUMN estimated_credits bigint NOT NULL DEFAULT 0 CHECK (estimated_credits >= 0),
    ADD COLUMN doubtful boolean NOT NULL DEFAULT false;

-- A later worker settles the call that paid for a remote job.
ALTER TABLE upload_pipeline.parse_jobs ADD COLUMN call_id bigint;

-- Reservations of workers that never came back are kept from now on, as if none had been released.
INSERT INTO upload_pipeline.spending AS taken (budget, subject, day, micro_usd)
SELECT budget, subject, day, sum(estimated_micro_usd)
FROM upload_pipeline.paid_calls, upload_pipeline.budgets_of(user_id, document_id, started_at)
WHERE outcome = 'abandoned' AND estimated_micro_usd > 0
GROUP BY budget, subject, day
ORDER BY budget, subject, day
ON CONFLICT (budget, subject, day) DO UPDATE SET micro_usd = taken.micro_usd + excluded.micro_usd;

DROP INDEX upload_pipeline.paid_calls_under_way;
