"""A row belongs to the file of its path, or the only file of its name or its pattern; never to one of two.

A pattern is written as on a shell: ``*`` any characters, ``?`` one. Neither stands for a slash. A file whose very name
has such characters comes before the pattern. What label a file has is not known here: rows that name no file wait for
the one whose barcode is theirs.
"""

import fnmatch
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ingest.delivery.faults import Fault, refuse
from ingest.delivery.rows import Row


@dataclass(frozen=True, slots=True)
class Matching:
    """Which row speaks of which file. ``rows_by_barcode`` name no file and are found by what labels say."""

    pairs: tuple[tuple[Row, Path], ...] = field(repr=False)
    files_without_row: tuple[Path, ...] = field(repr=False)
    rows_without_file: tuple[Row, ...] = field(repr=False)
    rows_by_barcode: tuple[Row, ...] = field(default=(), repr=False)
    faults: tuple[Fault, ...] = ()


def match(rows: Iterable[Row], files: Iterable[Path], folder: Path) -> Matching:
    """Find each row's file among those that were delivered.

    Parameters
    ----------
    rows
        The rows of a delivery list.
    files
        The delivered files. No other file is ever taken, wherever a row points to.
    folder
        The folder that the list lies in, from which its paths are meant.

    Raises
    ------
    DeliveryListInvalid
        If a row fits two files, or two rows fit one.
    """
    matching = pair(rows, Names(files), folder)
    if matching.faults:
        refuse(matching.faults)
    return matching


def pair(rows: Iterable[Row], names: "Names", folder: Path) -> Matching:
    """Find each row's file as ``match`` does, and leave out the rows and files that are at fault."""
    claims: dict[Path, list[Row]] = defaultdict(list)
    missing: list[Row] = []
    labelled: list[Row] = []
    faults: list[Fault] = []
    for row in rows:
        if row.file is None:
            labelled.append(row)
            continue
        found = names.find(row.file, folder)
        if not found:
            missing.append(row)
        elif len(found) > 1:
            what = "pattern" if is_pattern(row.file) else "name"
            faults.append(Fault(row.number, "file", f"{len(found)} delivered files of that {what}", _FITS_ONE[what]))
        else:
            claims[found[0]].append(row)
    for first, *others in claims.values():
        found_in = f"the file of row {first.number}"
        faults += (Fault(row.number, "file", found_in, "one row for each file") for row in others)
    return Matching(
        pairs=tuple((claim[0], file) for file, claim in claims.items() if len(claim) == 1),
        files_without_row=tuple(file for file in names.files if file not in claims),
        rows_without_file=tuple(missing),
        rows_by_barcode=tuple(labelled),
        faults=tuple(faults),
    )


def is_pattern(file: PurePosixPath) -> bool:
    """Tell whether a row's file is told by a pattern."""
    return any(mark in str(file) for mark in "*?")


_FITS_ONE = {"name": "a path that fits one", "pattern": "a pattern that fits one"}


class Names:
    """The delivered files by their names, to be asked for those that rows mean."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._by_path = {_spelt(file): file for file in files}
        self._by_name: dict[str, list[PurePosixPath]] = defaultdict(list)
        for spelt in self._by_path:
            self._by_name[spelt.name].append(spelt)

    @property
    def files(self) -> Iterable[Path]:
        """All of them, each once."""
        return self._by_path.values()

    def find(self, wanted: PurePosixPath, folder: Path) -> list[Path]:
        """Find the files that a row may mean: that of its path, or all of its name, or all that fit its pattern."""
        exact = self._by_path.get(_spelt(folder / wanted))
        if exact:
            return [exact]
        alike = [spelt for spelt in self._by_name.get(wanted.name, ()) if _ends(spelt, wanted) == wanted.parts]
        if not alike and is_pattern(wanted):
            alike = list(self._fitting(wanted))
        return [self._by_path[spelt] for spelt in alike]

    def _fitting(self, pattern: PurePosixPath) -> Iterator[PurePosixPath]:
        parts = [_compiled(part) for part in pattern.parts]
        for name, places in self._by_name.items():
            if parts[-1].match(name):
                for spelt in places:
                    end = _ends(spelt, pattern)
                    if len(end) == len(parts) and all(part.match(own) for part, own in zip(parts, end, strict=True)):
                        yield spelt


def _compiled(part: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(part.replace("[", "[[]")))  # a bracket is a letter like any other


def _ends(spelt: PurePosixPath, wanted: PurePosixPath) -> tuple[str, ...]:
    return spelt.parts[-len(wanted.parts) :]


def _spelt(path: Path) -> PurePosixPath:
    # Some file systems give a letter and its accent apart; lists mostly have them in one.
    return PurePosixPath(unicodedata.normalize("NFC", os.path.abspath(path)))
