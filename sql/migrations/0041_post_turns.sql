-- Workers of this release ask for the turns of a lane, or of all of them.
DROP FUNCTION upload_pipeline.turns(uuid, integer, boolean, integer);
