"""A delivery list says what is to come: each of its rows is remembered until its file is there."""

from collections.abc import Collection, Iterable
from pathlib import Path

from ingest.delivery import Row
from ingest.keyvault import Expected, KeyVault


def expect_rows(
    vault: KeyVault, rows: Iterable[Row], arrived: Collection[int], delivery: Path, feed: str | None
) -> None:
    """Remember the rows of a delivery list, and which of their files are there. To say it again changes nothing.

    Parameters
    ----------
    vault : KeyVault
        Where it is remembered, as look-ups that cannot be read back.
    rows : iterable of Row
        The list.
    arrived : collection of int
        The numbers of the rows whose files are there.
    delivery : Path
        The list's file; only its name is remembered, sealed.
    feed : str, optional
        The name of the list's feed.
    """
    expected = (Expected(row.number, words_of(row), row.number in arrived) for row in rows)
    vault.register.expect(expected, list_name=delivery.name, feed=feed)


def words_of(row: Row) -> tuple[str, ...]:
    """Give what tells a row from every other, in whatever list and on whatever line it stands."""
    return str(row.file or ""), row.barcode or "", row.patient, row.case, row.block, row.slide
