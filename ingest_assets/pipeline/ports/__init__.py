"""What the pipeline needs of the world, one file a client; the conformance suites say how adapters must behave."""
