"""Benchmarks: commands that measure ratios against a peer or a limit in one run, never timed tests."""
