"""A list is read whole, and all its faults are told at once, so that it is corrected once."""

from dataclasses import replace
from pathlib import Path

from archive.errors import InvalidValue
from ingest.delivery.cells import folded
from ingest.delivery.checks import against_feed, between, within
from ingest.delivery.columns import BY_NAME, REQUIRED
from ingest.delivery.composing import composed
from ingest.delivery.faults import Fault, described, refuse
from ingest.delivery.feed import Feed
from ingest.delivery.mapping import ColumnMapping, places
from ingest.delivery.rows import Row, row_of
from ingest.delivery.table import Line, read_lines


def read_delivery(path: Path, mapping: ColumnMapping | None = None, feed: Feed | None = None) -> tuple[Row, ...]:
    """Read a delivery list.

    Parameters
    ----------
    path
        A CSV: UTF-8, UTF-16 or Windows-1252; comma, semicolon or tab.
    mapping
        What the laboratory's own export calls its columns and words.
    feed
        The feed that the list is of. The rows are held against it; ``Row.facts`` puts its defaults in.

    Raises
    ------
    DeliveryListInvalid
        With every fault: row, column, what was found (described, not repeated) and what was expected.
    """
    words = mapping or ColumnMapping()
    known = words.headers()
    header, *lines = read_lines(path, lambda cell: folded(cell) in known)
    composition = words.barcode or (feed.barcode if feed else "")
    columns = places(header.cells, mapping, composed=bool(composition))
    faults: list[Fault] = [] if lines else [Fault(0, "", "a header and no row", "a row for each file")]
    rows = []
    for line in lines:
        cells = _cells(line, len(header.cells), columns, words, faults)
        row = _row(line.number, cells, composition, faults) if cells else None
        if row:
            rows.append(replace(row, barcode_required=feed is not None and feed.barcode_required))
            faults += against_feed(row, feed)
    faults += between(rows, feed)
    if faults:
        refuse(faults)
    return tuple(rows)


def _cells(
    line: Line, width: int, columns: dict[str, int], words: ColumnMapping, faults: list[Fault]
) -> dict[str, str]:
    """Return the cells of a line that are not empty, by our columns and in our words; none if the line does not fit."""
    if len(line.cells) != width:
        faults.append(Fault(line.number, "", f"{len(line.cells)} cells", f"{width}, as in the header"))
        return {}
    cells = dict(words.constants)
    cells |= {name: cell for name, place in columns.items() if (cell := words.cell(name, line.cells[place]))}
    return cells


def _row(line: int, cells: dict[str, str], composition: str, faults: list[Fault]) -> Row | None:
    found = [Fault(line, name, "nothing", "a value") for name in REQUIRED if name != "file" and name not in cells]
    if "file" not in cells and "barcode" not in cells and not composition:
        found.append(Fault(line, "file", "nothing", "a value, or the barcode on the label"))
    values: dict[str, object] = {}
    for name, cell in cells.items():
        column = BY_NAME[name]
        try:
            values[name] = column.read(cell)
        except InvalidValue as error:
            found.append(Fault(line, name, described(cell, column.vocabulary), str(error)))
    found += within(line, values)
    faults += found
    return None if found else _with_barcode(row_of(line, values), composition)


def _with_barcode(row: Row, composition: str) -> Row:
    """Compose the barcode of a row that does not give it."""
    if row.barcode or not composition:
        return row
    cells = {"patient": row.patient, "case": row.case, "block": row.block, "stain": str(row.stain)}
    return replace(row, barcode=composed(composition, cells | {"slide": row.slide_number}))
