"""Somebody asks whose codes are: what the codes stand for is found first, and a code that there is not is an event."""

from collections.abc import Sequence

from archive.codes import Code, InternalKey
from archive.errors import InvalidValue, UnknownCode
from archive.holdings import Archive
from ingest.keyvault import KeyVault, Request


def ask(
    holdings: Archive,
    vault: KeyVault,
    codes: Sequence[str],
    *,
    project: str,
    who: str,
    reason: str,
    bulk: bool = False,
) -> Request:
    """Ask to be told whose codes are; the same question, asked again, is the same request.

    Parameters
    ----------
    holdings, vault
        The laboratory's.
    codes, project
        Codes as they were typed, and the project whose they are.
    who, reason
        The account that asks, and why.
    bulk
        Whether it is a list, which a second person always approves.

    Raises
    ------
    InvalidValue, UnknownCode
        If a code is none, or stands for nothing; that somebody asked is written down.
    FreeTextRefused
        If the reason looks as if it held an identifier.
    LookUpRefused
        If this account has asked for too many one by one.
    """
    return vault.approvals.ask(_keys(holdings, vault, codes, project, who, reason), who, reason, bulk=bulk)


def _keys(
    holdings: Archive, vault: KeyVault, codes: Sequence[str], project: str, who: str, reason: str
) -> list[InternalKey]:
    try:
        parsed = [Code.parse(code) for code in codes]
        return [holdings.key_of(code, code.kind, project) for code in parsed]
    except (InvalidValue, UnknownCode):
        vault.approvals.missed(who, reason)
        raise
