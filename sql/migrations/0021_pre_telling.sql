-- Dagster is told of outcomes under a reservation, so that no transaction waits for it.
ALTER TABLE upload_pipeline.upload_jobs ADD COLUMN telling_until timestamptz;
