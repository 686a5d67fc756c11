"""Coded slides, kept and shown.

This package knows no scanner and no person: whatever could name somebody stays in ``ingest``, which imports this
package and is never imported by it.
"""
