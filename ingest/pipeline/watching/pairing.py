"""Which row of which list a slide in the folder belongs to; where lists contradict each other, to none."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.delivery import Names, Row, pair, row_for
from ingest.pipeline.watching.lists import WatchedList

Found = tuple[WatchedList, Row]
Labels = Callable[[Path], Sequence[str]]
"""Reads the barcodes on a slide's label."""

Stale = Callable[[WatchedList, Row, Path], bool]
"""Tells whether a row spoke of another file than this, which it had."""


@dataclass(frozen=True)
class Paired:
    """The row of each slide, rows without a file, and what is wrong with rows.

    Rows contend for the ``contested`` slides; the ``stale`` ones only have rows that spoke of another file.
    """

    rows: dict[Path, Found] = field(default_factory=dict, repr=False)
    contested: frozenset[Path] = field(default=frozenset(), repr=False)
    stale: frozenset[Path] = field(default=frozenset(), repr=False)
    awaited: tuple[Found, ...] = field(default=(), repr=False)
    faults: tuple[tuple[WatchedList, str], ...] = ()


def pair_lists(lists: Iterable[WatchedList], slides: Sequence[Path], labels: Labels, is_stale: Stale) -> Paired:
    """Find the row of each slide.

    Two lists may say the same of one slide; the later one then counts. If they say different things, the slide waits.

    Parameters
    ----------
    lists
        The lists.
    slides
        The files that slides are called by.
    labels
        Asked for slides that no row names, if there are rows that name no file.
    is_stale
        Asked for each row that fits a slide.
    """
    claims: dict[Path, list[Found]] = defaultdict(list)
    awaited: list[Found] = []
    by_label: list[Found] = []
    faults: list[tuple[WatchedList, str]] = []
    files = Names(slides)
    for one in lists:
        matching = pair(one.rows, files, one.path.parent)
        for row, path in matching.pairs:
            claims[path].append((one, row))
        awaited += ((one, row) for row in matching.rows_without_file)
        by_label += ((one, row) for row in matching.rows_by_barcode)
        faults += ((one, str(fault)) for fault in matching.faults)
    if by_label:
        _claim_by_label(by_label, [path for path in slides if path not in claims], labels, claims, awaited)
    rows, contested, stale = {}, set(), set()
    for path, all_found in claims.items():
        found = [claim for claim in all_found if not is_stale(*claim, path)]
        if not found:
            stale.add(path)
            continue
        latest = max(found, key=lambda claim: claim[0].moment[1])
        if all(_says(row) == _says(latest[1]) for _, row in found):
            rows[path] = latest
        else:
            contested.add(path)
            faults += ((one, f"row {row.number}: another list says otherwise of its file") for one, row in found)
    return Paired(rows, frozenset(contested), frozenset(stale), tuple(awaited), tuple(faults))


def _claim_by_label(
    by_label: Sequence[Found],
    slides: Iterable[Path],
    labels: Labels,
    claims: dict[Path, list[Found]],
    awaited: list[Found],
) -> None:
    """Find rows by what is on the labels of slides that no row names."""
    claimed: set[int] = set()
    for path in slides:
        barcodes = labels(path)
        for one in dict.fromkeys(one for one, _ in by_label):
            row = row_for(barcodes, [row for of, row in by_label if of is one])
            if row is not None:
                claims[path].append((one, row))
                claimed.add(id(row))
    awaited += (found for found in by_label if id(found[1]) not in claimed)


def _says(row: Row) -> tuple[object, ...]:
    """Give everything that a row says but where it stands and how it names its file."""
    return (
        *(row.patient, row.case, row.block, row.slide, row.patient_name, row.birth_date, row.organ, row.diagnosis),
        *(row.stated, row.names_post_mortem, row.evidence),
    )
