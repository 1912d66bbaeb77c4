-- What a source's file was like when it was read: while it is the same, its content is too, and it is not read again.
ALTER TABLE upload_pipeline.document_sources
    ADD COLUMN file_size bigint,
    ADD COLUMN file_modified_ns bigint,
    ADD COLUMN file_changed_ns bigint,
    ADD COLUMN file_inode numeric(20),
    ADD COLUMN file_device numeric(20),
    ADD COLUMN file_seen_ns bigint,
    ADD COLUMN file_sha text CHECK (file_sha ~ '^[0-9a-f]{64}$'),
    ADD CHECK (num_nulls(
        file_size, file_modified_ns, file_changed_ns, file_inode, file_device, file_seen_ns, file_sha) IN (0, 7));
