"""The queue: jobs, stages, changes, and what becomes of failures."""
