"""The pipeline's ports, one file per client; the conformance suites say how adapters must behave."""
