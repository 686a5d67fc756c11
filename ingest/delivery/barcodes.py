"""The label on the glass says whose slide it is; a list that says otherwise may have named the wrong patient.

Barcodes are compared as the key vault compares numbers: without letter case, width and white space. Where a list does
not say what the barcode is, it is held against what the list says of *other* glass: their numbers of patient and case,
alone and with block and slide. What marks stand between is not known then, so letters and digits alone are compared.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from ingest.delivery.cells import folded, same
from ingest.delivery.rows import Row
from ingest.errors import Reason


def row_for(barcodes: Sequence[str], rows: Iterable[Row]) -> Row | None:
    """Find the row that a label names.

    Parameters
    ----------
    barcodes
        What was read from the label.
    rows
        Rows whose barcode is known.

    Returns
    -------
    Row or None
        None if no row has one of the barcodes, or several rows have.
    """
    read = set(map(same, barcodes))
    found = [row for row in rows if row.barcode and same(row.barcode) in read]
    return found[0] if len(found) == 1 else None


def contradicts(barcodes: Sequence[str], row: Row, rows: Iterable[Row]) -> bool:
    """Tell whether a label says that its slide is another than a row says.

    Parameters
    ----------
    barcodes
        What was read from the label; where nothing was, nothing contradicts.
    row
        The row that the slide was found to belong to by its file.
    rows
        All rows of the delivery.
    """
    if not barcodes:
        return False
    if row.barcode:
        return same(row.barcode) not in set(map(same, barcodes))
    foreign = set(map(folded, barcodes)) - _names(row)
    return any(foreign & _names(other) for other in rows)


def objection(barcodes: Sequence[str], row: Row, rows: Iterable[Row]) -> Reason | None:
    """Tell why a slide is not taken, if what its label says or does not say is a reason."""
    if not barcodes and row.barcode_required:
        return Reason.NO_BARCODE
    return Reason.WRONG_BARCODE if contradicts(barcodes, row, rows) else None


def _names(row: Row) -> frozenset[str]:
    """Give what a label with this row's glass under it may say, as letters and digits."""
    block = row.case + row.block
    return _folded((row.barcode or row.case, row.patient, row.case, block, block + row.slide_number))


@lru_cache(1 << 14)
def _folded(texts: tuple[str, ...]) -> frozenset[str]:
    """Fold texts; every slide of a delivery is held against every row."""
    return frozenset(map(folded, texts))
