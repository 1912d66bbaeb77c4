-- Tells deployments of the same name apart, and when one last reserved drain runs.
ALTER TABLE upload_pipeline.instances
    ADD COLUMN boot text,
    ADD COLUMN boot_before text,
    ADD COLUMN contested_at timestamptz,
    ADD COLUMN reserved_at timestamptz;
