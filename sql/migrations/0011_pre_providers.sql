-- A provider that nobody has called yet gets its row from the first worker that calls it.
ALTER TABLE upload_pipeline.paid_services
    ADD CONSTRAINT provider_has_a_short_name CHECK (service ~ '^[a-z][a-z0-9_-]{0,39}$');
