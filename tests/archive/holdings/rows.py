"""Every row of an archive's catalogue, to be compared with what was had back."""

from typing import Any

from sqlalchemy import select

from archive.catalogue import journal_rows
from archive.catalogue.schema import metadata
from archive.holdings import Archive

Rows = dict[str, list[dict[str, Any]]]


def rows_of(archive: Archive) -> Rows:
    """Give every row of every table that is not made from the others, in the order of the keys."""
    with archive.catalogue.reading() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]
            for table in metadata.sorted_tables
            if table.name == "archive" or journal_rows.is_told(table)
        }
