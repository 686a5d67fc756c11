"""What a laboratory says about the files it delivers: whose slide each is, and what is known of tissue and consent."""

from ingest.delivery.faults import Fault
from ingest.delivery.feed import Feed, default_of, feeds_of
from ingest.delivery.mapping import ColumnMapping
from ingest.delivery.matching import Matching, match
from ingest.delivery.reading import read_delivery
from ingest.delivery.rows import Row
from ingest.delivery.writing import template

__all__ = [
    "ColumnMapping",
    "Fault",
    "Feed",
    "Matching",
    "Row",
    "default_of",
    "feeds_of",
    "match",
    "read_delivery",
    "template",
]
