"""What may travel on is written anew from a short list; nothing is copied and cleaned afterwards."""

from ingest.deidentify.colour import NOT_UNDERSTOOD, rebuild_icc
from ingest.deidentify.metadata import CleanMetadata, Kept, deidentify

__all__ = ["NOT_UNDERSTOOD", "CleanMetadata", "Kept", "deidentify", "rebuild_icc"]
