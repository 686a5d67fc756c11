"""A second person's word is that person's own: where there are accounts, nobody tells it for somebody else."""

from collections.abc import Iterable
from pathlib import Path

from archive.accounts import AccountStore
from archive.errors import InvalidValue

SECOND_WORD = "assessed_also_by"
"""The column of a delivery list that names a second person who looked."""


def require_own_word(archive: Path, told: Iterable[str]) -> None:
    """Refuse to have a second person's word from anybody but that person, where there are accounts.

    Parameters
    ----------
    archive
        The archive's folder.
    told
        The columns of a delivery list that are told.

    Raises
    ------
    InvalidValue
        If one of them says that a second person looked as well.
    """
    if SECOND_WORD in told and AccountStore.exists(archive):
        raise InvalidValue(
            f"{SECOND_WORD}: where there are accounts, a second person says so under an account of their own: "
            "coverslip consent record --set might_identify=no, or on the desk's page of consent"
        )
