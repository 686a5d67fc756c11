"""What a laboratory says about the files it delivers: whose slide each is, and what is known of tissue and consent."""

from ingest.delivery.barcodes import contradicts, objection, row_for
from ingest.delivery.faults import Fault
from ingest.delivery.feed import Feed, default_of, feeds_of
from ingest.delivery.mapping import ColumnMapping
from ingest.delivery.matching import Matching, Names, match, pair
from ingest.delivery.reading import read_delivery
from ingest.delivery.rows import Row
from ingest.delivery.writing import template

__all__ = [
    "ColumnMapping",
    "Fault",
    "Feed",
    "Matching",
    "Names",
    "Row",
    "contradicts",
    "default_of",
    "feeds_of",
    "match",
    "objection",
    "pair",
    "read_delivery",
    "row_for",
    "template",
]
