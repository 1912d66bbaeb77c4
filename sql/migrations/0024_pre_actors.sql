-- Names in the history are those that the pipeline gives. Rows from before may hold others, and stay as they are.
ALTER TABLE upload_pipeline.events
    ADD CONSTRAINT actor_is_a_plain_name CHECK (actor ~ '^[A-Za-z0-9 ._:-]{1,100}$') NOT VALID,
    ADD CONSTRAINT occasion_is_a_plain_name CHECK (correlation_id ~ '^[A-Za-z0-9 ._:-]{1,100}$') NOT VALID;
