"""The command line: it parses what people type, calls the pipeline, and tells them what happened."""
