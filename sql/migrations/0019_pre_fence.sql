-- Tells one claim of a job from the next, even of the same worker: whoever writes for an earlier claim has no say.
ALTER TABLE upload_pipeline.upload_jobs ADD COLUMN fence bigint NOT NULL DEFAULT 0;
