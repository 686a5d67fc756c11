"""From a delivered file to a coded scan: the whole story is told in `ingest.pipeline.slide`, on one screen."""
