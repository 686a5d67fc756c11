"""A row belongs to the file of its path, or else to the only file of its name; never to one of two."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ingest.delivery.faults import Fault, refuse
from ingest.delivery.rows import Row


@dataclass(frozen=True, slots=True)
class Matching:
    """Which row speaks of which file."""

    pairs: tuple[tuple[Row, Path], ...] = field(repr=False)
    files_without_row: tuple[Path, ...] = field(repr=False)
    rows_without_file: tuple[Row, ...] = field(repr=False)


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
    delivered = {_spelt(file): file for file in files}
    by_name: dict[str, list[tuple[PurePosixPath, Path]]] = defaultdict(list)
    for spelt, file in delivered.items():
        by_name[spelt.name].append((spelt, file))
    taken: dict[Path, Row] = {}
    missing: list[Row] = []
    faults: list[Fault] = []
    for row in rows:
        exact = delivered.get(_spelt(folder / row.file))
        alike = [
            file for spelt, file in by_name[row.file.name] if spelt.parts[-len(row.file.parts) :] == row.file.parts
        ]
        found = [exact] if exact else alike
        if not found:
            missing.append(row)
        elif len(found) > 1:
            several = f"{len(found)} delivered files of that name"
            faults.append(Fault(row.number, "file", several, "a path that fits one"))
        elif found[0] in taken:
            other = f"the file of row {taken[found[0]].number}"
            faults.append(Fault(row.number, "file", other, "one row for each file"))
        else:
            taken[found[0]] = row
    if faults:
        refuse(faults)
    without_row = tuple(file for file in delivered.values() if file not in taken)
    return Matching(tuple((row, file) for file, row in taken.items()), without_row, tuple(missing))


def _spelt(path: Path) -> PurePosixPath:
    # Some file systems give a letter and its accent apart; lists mostly have them in one.
    return PurePosixPath(unicodedata.normalize("NFC", os.path.abspath(path)))
