"""Laboratories write lists with whatever is at hand: any country's spreadsheet, or their own system's export.

So the encoding (UTF-8 with or without its mark, UTF-16 with it, Windows-1252) and the separator (comma, semicolon, tab)
are found out. Lines before the header that begin with ``#`` are notes.
"""

import codecs
import csv
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ingest.delivery.faults import Fault, refuse

LARGEST_BYTES = 64 * 2**20
"""A million rows with room to spare; what is larger is no list."""

_SEPARATORS = ",;\t"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_WORKBOOK = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Line:
    """One row: the line of the file that it begins on, counted from 1, and its cells, trimmed."""

    number: int
    cells: tuple[str, ...] = field(repr=False)


def read_lines(path: Path, known: Callable[[str], bool]) -> tuple[Line, ...]:
    """Read a list's lines; the first is the header.

    Parameters
    ----------
    path
        The list.
    known
        Tells whether a header's cell names a column that is wanted; the separator that yields most of them is right.

    Raises
    ------
    DeliveryListInvalid
        If the file cannot be read as a table.
    """
    text = _decoded(_bytes(path))

    def columns(separator: str) -> int:
        header, _ = _lines(text, separator, most=1)
        return sum(map(known, header[0].cells)) if header else -1

    lines, fault = _lines(text, max(_SEPARATORS, key=columns))
    if fault:
        refuse([fault])
    if not lines:
        refuse([Fault(0, "", "no line", "a header and a row for each file")])
    return lines


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError:
        refuse([Fault(0, "", "no file that can be read", "a list (CSV); check its path")])
    if len(data) > LARGEST_BYTES:
        refuse([Fault(0, "", "a file that is too large", f"a CSV of at most {LARGEST_BYTES // 2**20} MB")])
    if data.startswith(_WORKBOOK):
        refuse([Fault(0, "", "a workbook", "a CSV; choose 'CSV UTF-8' in the spreadsheet's 'Save as'")])
    return data


def _decoded(data: bytes) -> str:
    encodings = [name for mark, name in _MARKS if data.startswith(mark)] or ["utf-8", "cp1252"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    refuse([Fault(0, "", "bytes that are no text", "a CSV in UTF-8 or Windows-1252")])


def _lines(text: str, separator: str, most: int = sys.maxsize) -> tuple[tuple[Line, ...], Fault | None]:
    # With a wrong separator quotation marks may seem out of place, so a fault counts only if this separator is chosen.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    lines: list[Line] = []
    before = 0
    try:
        for cells in reader:
            line = Line(before + 1, tuple(cell.strip() for cell in cells))
            before = reader.line_num
            if any(line.cells) and (lines or not _is_note(line)):
                lines.append(line)
            if len(lines) == most:
                break
    except csv.Error:
        return tuple(lines), Fault(
            before + 1, "", "a quotation mark out of place, or a cell without end", "plain cells"
        )
    return tuple(lines), None


def _is_note(line: Line) -> bool:
    return line.cells[0].startswith("#") or line.cells[0].lower().startswith("sep=")
