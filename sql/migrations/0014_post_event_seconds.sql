-- Workers write the seconds of an event with it.
DROP FUNCTION upload_pipeline.seconds_since_last_event;
