-- Failed attempts are counted by their cause, so that one cause does not use up the retries of another.
ALTER TABLE upload_pipeline.upload_jobs ADD COLUMN attempts_by_code jsonb NOT NULL DEFAULT '{}';
