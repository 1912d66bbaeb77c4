-- Dagster's partitions are unlisted; only `ingest submit --prune` prunes.
ALTER TABLE upload_pipeline.upload_jobs RENAME COLUMN pruned_at TO unlisted_at;
