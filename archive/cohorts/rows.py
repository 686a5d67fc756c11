"""A cohort as a table: one row a scan, in codes of the project, closed vocabularies and numbers; no date and no key."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from archive.errors import ArchiveError


@dataclass(frozen=True, slots=True)
class CohortRow:
    """One scan as a project sees it, under the project's codes.

    ``organ`` and ``diagnosis`` say list and code, such as ``ICD-O-3 C18.2``; sizes are those of level 0.
    """

    patient: str
    case: str
    slide: str
    scan: str
    stain: str | None
    organ: str | None
    diagnosis: str | None
    width_px: int
    height_px: int
    mpp_um: float | None
    objective_power: float | None
    scanner: str | None
    fidelity: str


NAMES = tuple(one.name for one in fields(CohortRow))
"""The columns, in their order."""


def write_csv(rows: Sequence[CohortRow], path: Path) -> None:
    """Write rows as CSV with a header; a file of that name is replaced once the new one is complete."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(NAMES)
        writer.writerows([getattr(row, name) for name in NAMES] for row in rows)
    partial.replace(path)


def write_parquet(rows: Sequence[CohortRow], path: Path) -> None:
    """Write rows as Parquet; a file of that name is replaced once the new one is complete.

    Raises
    ------
    ArchiveError
        If pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise ArchiveError("Parquet needs pyarrow; run: pip install 'coverslip[parquet]'") from None
    kinds = {"width_px": pa.int32(), "height_px": pa.int32(), "mpp_um": pa.float64(), "objective_power": pa.float64()}
    columns = {name: pa.array([getattr(row, name) for row in rows], kinds.get(name, pa.string())) for name in NAMES}
    partial = path.with_name(path.name + ".partial")
    parquet.write_table(pa.table(columns), partial)
    partial.replace(path)
