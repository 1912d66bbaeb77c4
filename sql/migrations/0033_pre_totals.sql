-- Counters that only rise, for scrapes: each carries forward what the history and the ledger hold since the last one, so
-- that none reads them from the beginning. Sums over everybody, with no ids. Counting begins now.
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
SELECT 'events', coalesce(max(event_id), 0) FROM upload_pipeline.events
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
ALTER TABLE upload_pipeline.totals OWNER TO ingest_owner;
ALTER TABLE upload_pipeline.totals_until OWNER TO ingest_owner;
ALTER TABLE upload_pipeline.recalls OWNER TO ingest_owner;
GRANT SELECT, INSERT, UPDATE ON upload_pipeline.totals, upload_pipeline.totals_until, upload_pipeline.recalls
    TO ingest_worker;
