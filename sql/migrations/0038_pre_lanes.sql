-- Lanes: kinds of work that differ in what they need of a host, so that each host can have its own.
ALTER TABLE upload_pipeline.upload_jobs
    -- The kind of work that the document waits for, as `lane_of` says.
    ADD COLUMN lane text NOT NULL DEFAULT 'parse';
-- As of all that readers may ask for, the planner keeps no statistics of it.
ALTER TABLE upload_pipeline.upload_jobs ALTER COLUMN lane SET STATISTICS 0;

-- Returns the lane of a job: what its document needs next. A host need not have what the other lanes need.
CREATE FUNCTION upload_pipeline.lane_of(stage text, attempts_by_code jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN stage IN ('chunks_buffered', 'embedding', 'embedded') THEN 'embed'
    WHEN jsonb_exists(attempts_by_code, 'recognition_slow') THEN 'ocr'
    ELSE 'parse'
END;
REVOKE ALL ON FUNCTION upload_pipeline.lane_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.lane_of TO ingest_worker;
ALTER FUNCTION upload_pipeline.lane_of OWNER TO ingest_owner;

-- Moves a job to its lane, whatever moved it on. What was being worked on when lanes came moves when that ends.
CREATE FUNCTION upload_pipeline.change_lane() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.lane := upload_pipeline.lane_of(NEW.stage, NEW.attempts_by_code);
    RETURN NEW;
END;
$$;
REVOKE ALL ON FUNCTION upload_pipeline.change_lane FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.change_lane TO ingest_worker;
ALTER FUNCTION upload_pipeline.change_lane OWNER TO ingest_owner;
CREATE TRIGGER jobs_change_lane BEFORE UPDATE OF stage, state, attempts_by_code ON upload_pipeline.upload_jobs
    FOR EACH ROW WHEN (NEW.lane <> upload_pipeline.lane_of(NEW.stage, NEW.attempts_by_code))
    EXECUTE FUNCTION upload_pipeline.change_lane();
