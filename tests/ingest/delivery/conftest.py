"""Lists are written as laboratories write them: as text, in a file."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from archive.consent.terms import Jurisdiction, TissueSource
from ingest.delivery import ColumnMapping, Fault, Feed, Row, read_delivery
from ingest.errors import DeliveryListInvalid

HEADER = "file,patient,case,block,stain"
ROW = "a.svs,H0012345,S26-0001,A1,HE"


class Lists:
    """Writes lists and mappings into a folder and reads them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, content: str | bytes, name: str = "list.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def mapping(self, text: str) -> ColumnMapping:
        return ColumnMapping.read(self.write(text, "mapping.toml"))

    def read(
        self, content: str | bytes, mapping: ColumnMapping | None = None, feed: Feed | None = None
    ) -> tuple[Row, ...]:
        return read_delivery(self.write(content), mapping, feed)

    def faults(
        self, content: str | bytes, mapping: ColumnMapping | None = None, feed: Feed | None = None
    ) -> tuple[Fault, ...]:
        with pytest.raises(DeliveryListInvalid) as refusal:
            self.read(content, mapping, feed)
        return told(refusal.value)


def told(refusal: DeliveryListInvalid) -> tuple[Fault, ...]:
    """Return the faults of a refusal, having seen that its message has a line for each."""
    assert str(refusal).splitlines()[1:] == [str(fault) for fault in refusal.faults]
    return tuple(fault for fault in refusal.faults if isinstance(fault, Fault))


@pytest.fixture
def lists(tmp_path: Path) -> Lists:
    return Lists(tmp_path)


@pytest.fixture
def one(lists: Lists) -> Callable[..., Row]:
    """Read a list of one row, with more columns as named."""

    def read(*, feed: Feed | None = None, **more: str) -> Row:
        (row,) = lists.read(table(**more), feed=feed)
        return row

    return read


def table(**more: str) -> str:
    """Write a list of one row, with more columns or other cells as named."""
    cells = dict(zip(HEADER.split(","), ROW.split(","), strict=True)) | more
    quoted = ['"{}"'.format(cell.replace('"', '""')) for cell in cells.values()]
    return f"{','.join(cells)}\n{','.join(quoted)}\n"


SURGICAL = Feed(
    name="Surgical",
    source=TissueSource.LIVING,
    jurisdiction=Jurisdiction.ENGLAND,
    attested_by="Dr A. Curator",
    review_date=date(2027, 1, 1),
    post_mortem_patterns=("PM*", "A##-*"),
)
