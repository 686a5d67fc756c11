"""The slide label: left behind by structure, and asked by its barcode whose slide it is.

The barcode is read in the jail only, so nothing here imports its reader.
"""

from ingest.label.leaving import Associated, LeftBehind, Picture, Question, leave_behind

__all__ = ["Associated", "LeftBehind", "Picture", "Question", "leave_behind"]
