"""A list of patients who opted out: one column with the patient's number, and what else the register tells.

``patient`` is needed; ``purposes`` names what was refused, and empty means every secondary purpose; ``on`` is the day.
Anything else on the list is a fault, because it might be an exception that nobody would read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from archive.consent import Purpose
from archive.errors import InvalidValue
from ingest.delivery.cells import choices, day, folded, text
from ingest.delivery.columns import ALSO_CALLED
from ingest.delivery.faults import Fault, described, fault_of_header, refuse
from ingest.delivery.table import Line, read_lines
from ingest.delivery.vocabulary import PURPOSES, aliases_of
from ingest.errors import DeliveryListInvalid

_WHAT = "opt-out list"

_COLUMNS: Mapping[str, Callable[[str], object]] = {
    "patient": text(),
    "purposes": choices(PURPOSES, aliases_of(PURPOSES)),
    "on": day,
}
_CALLED = {folded(name): name for name in _COLUMNS} | {folded(name): "patient" for name in ALSO_CALLED["patient"]}


@dataclass(frozen=True, slots=True)
class OptOut:
    """One line: the patient's number, what was refused (empty for everything) and on which day."""

    number: int
    patient: str = field(repr=False)
    purposes: frozenset[Purpose] = frozenset()
    on: date | None = field(default=None, repr=False)


def read_opt_outs(path: Path) -> tuple[OptOut, ...]:
    """Read an opt-out list.

    Parameters
    ----------
    path
        A CSV: UTF-8, UTF-16 or Windows-1252; comma, semicolon or tab.

    Raises
    ------
    DeliveryListInvalid
        With every fault: row, column, what was found (described, not repeated) and what was expected.
    """
    try:
        header, *lines = read_lines(path, lambda cell: folded(cell) in _CALLED)
    except DeliveryListInvalid as error:
        refuse((fault for fault in error.faults if isinstance(fault, Fault)), _WHAT)
    columns = [_CALLED.get(folded(cell), "") for cell in header.cells]
    faults = [
        fault_of_header(place, described(header.cells[place], tuple(_COLUMNS)), f"one of {', '.join(_COLUMNS)}, once")
        for place, name in enumerate(columns)
        if not name or name in columns[:place]
    ]
    if "patient" not in columns:
        faults.append(Fault(0, "patient", "no such column", "a column with the patients' numbers"))
    found = [_opt_out(line, columns, faults) for line in lines] if not faults else []
    if faults:
        refuse(faults, _WHAT)
    return tuple(one for one in found if one is not None)


def _opt_out(line: Line, columns: list[str], faults: list[Fault]) -> OptOut | None:
    if len(line.cells) != len(columns):
        faults.append(Fault(line.number, "", f"{len(line.cells)} cells", f"{len(columns)}, as in the header"))
        return None
    values: dict[str, object] = {}
    for name, cell in zip(columns, line.cells, strict=True):
        try:
            if cell or name == "patient":
                values[name] = _COLUMNS[name](cell)
        except InvalidValue as error:
            words = tuple(PURPOSES) if name == "purposes" else ()
            faults.append(Fault(line.number, name, described(cell, words), str(error)))
    return OptOut(line.number, **values) if "patient" in values else None  # type: ignore[arg-type] # read by column
