"""A laboratory's own export keeps its own column names and words; a small TOML file says which of ours they are.

::

    barcode = "{case};{block};{slide}"

    [columns]             # ours = "theirs"
    file = "Image File"
    case = "Accession"

    [values.stain]        # "theirs" = "ours"
    "HE 1" = "H&E"

    [constants]           # for every row
    tissue = "living"

With a mapping, columns that nobody asked for are passed over unread. Without one they are faults, because one of them
might be a misspelt refusal.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from archive.errors import InvalidValue
from ingest.delivery.cells import folded
from ingest.delivery.columns import ALSO_CALLED, BY_NAME, REQUIRED
from ingest.delivery.composing import require_composition
from ingest.delivery.faults import Fault, described, fault_of_header, refuse


class ColumnMapping(BaseModel):
    """What a laboratory's columns and words are called here.

    ``columns`` gives their name of a column of ours, ``values`` our word for a word of theirs, by column of ours, and
    ``constants`` the cell that a column of ours has in every row. ``barcode`` says how the barcode on a label is
    composed of a row's cells, by our names of their columns.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: Mapping[str, str] = {}
    values: Mapping[str, Mapping[str, str]] = {}
    constants: Mapping[str, str] = {}
    barcode: str = ""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a mapping from a TOML file.

        Raises
        ------
        DeliveryListInvalid
            With every fault of the mapping.
        """
        try:
            mapping = cls.model_validate(tomllib.loads(path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            refuse([Fault(0, "mapping", "no file that can be read", "a TOML file in UTF-8")], "mapping")
        except ValidationError as error:
            places = sorted({".".join(map(str, each["loc"][:1])) for each in error.errors()})
            expected = "barcode, [columns], [values.COLUMN] and [constants], each with texts only"
            refuse([Fault(0, f"mapping, {place}", "something else", expected) for place in places], "mapping")
        faults = list(mapping._faults())
        if faults:
            refuse(faults, "mapping")
        return mapping

    def headers(self) -> dict[str, str]:
        """Return our column for each name, folded, that the list may call one by."""
        called = {name: (self.columns.get(name) or name, *ALSO_CALLED.get(name, ())) for name in BY_NAME}
        for name in self.columns:
            called[name] = called[name][:1]
        spelt = {folded(word): name for name in BY_NAME for word in called[name]}
        # What the mapping names goes to the column that it names it for, though another is usually called so.
        return spelt | {folded(theirs): name for name, theirs in self.columns.items()}

    def cell(self, name: str, cell: str) -> str:
        """Return our word for a cell, or the cell where there is none."""
        return self.values.get(name, {}).get(_spelling(cell), cell)

    @field_validator("values")
    @classmethod
    def _compare_without_case(cls, values: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
        return {name: {_spelling(theirs): ours for theirs, ours in words.items()} for name, words in values.items()}

    def _faults(self) -> Iterator[Fault]:
        for part in ("columns", "values", "constants"):
            for name in getattr(self, part):
                if name not in BY_NAME:
                    yield Fault(
                        0, f"mapping, {part}", described(name, tuple(BY_NAME)), "the name of one of our columns"
                    )
        for name in self.columns.keys() & self.constants.keys():
            yield Fault(0, f"mapping, {name}", "a column and a constant", "one of both")
        if len({folded(theirs) for theirs in self.columns.values()}) < len(self.columns):
            yield Fault(0, "mapping, columns", "one column of the list for two of ours", "another for each")
        for name, words in self.values.items():
            if name in BY_NAME and not BY_NAME[name].coded:
                yield Fault(0, f"mapping, values.{name}", "words for a column that may identify", "none")
            yield from (fault for word in words.values() for fault in _unreadable(f"values.{name}", name, word))
        for name, word in self.constants.items():
            yield from _unreadable(f"constants.{name}", name, word)
        if self.barcode:
            yield from _unfit(self.barcode)


def places(header: tuple[str, ...], mapping: ColumnMapping | None, *, composed: bool = False) -> dict[str, int]:
    """Find our columns in a header, counted from 0.

    Parameters
    ----------
    header
        The header's cells.
    mapping
        None where the list has our own column names.
    composed
        Whether the barcode on a label is composed of other cells.

    Raises
    ------
    DeliveryListInvalid
        If a column is missing that is needed or mapped, is there twice, or (without a mapping) is not known.
    """
    wanted = (mapping or ColumnMapping()).headers()
    found: dict[str, int] = {}
    faults = []
    for number, cell in enumerate(header):
        name = wanted.get(folded(cell))
        if name in found:
            faults.append(fault_of_header(number, f"{name} a second time", "each column once"))
        elif name:
            found[name] = number
        elif cell and mapping is None:
            faults.append(
                fault_of_header(number, described(cell, tuple(BY_NAME)), "the name of a column, or a mapping")
            )
    needed = set(REQUIRED) | set(mapping.columns if mapping else ())
    there = found.keys() | set(mapping.constants if mapping else ())
    if composed or "barcode" in there:
        needed -= {"file"} - set(mapping.columns if mapping else ())
    missing = needed - there
    for name in BY_NAME:
        if name in missing:
            called = (
                f" (called '{mapping.columns[name]}' in the mapping)" if mapping and name in mapping.columns else ""
            )
            faults.append(Fault(0, name, "no such column", f"a column of that name{called}"))
    if faults:
        refuse(faults)
    return found


def _unfit(composition: str) -> Iterator[Fault]:
    try:
        require_composition(composition)
    except InvalidValue as error:
        yield Fault(0, "mapping, barcode", described(composition), str(error))


def _unreadable(place: str, name: str, word: str) -> Iterator[Fault]:
    if name in BY_NAME:
        try:
            BY_NAME[name].read(word)
        except InvalidValue as error:
            yield Fault(0, f"mapping, {place}", described(word, BY_NAME[name].vocabulary), str(error))


def _spelling(text: str) -> str:
    return " ".join(text.casefold().split())
