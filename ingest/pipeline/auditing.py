"""The vault's trail speaks of internal keys; people read it by codes, and patients are told who looked at their slides.

The trail's reasons are opened for this, so whoever reads them is written down first.
"""

from collections.abc import Iterable, Iterator

from archive.auditchain.told import Question, Told
from archive.codes import Kind
from archive.holdings import Archive
from archive.holdings.auditing import codes_in_laboratory, names_of
from archive.holdings.books import Books
from ingest.keyvault import KeyVault

VAULT = "vault"

LOOKED = frozenset(
    {
        *("open slide", "opened slide", "found case", "read evidence"),
        *("asked to identify", "approved to identify", "refused to identify", "identified", "not answered"),
    }
)
"""Acts by which a person looked at a slide, or at whose it is."""


def told_by_vault(holdings: Archive, vault: KeyVault) -> Iterator[Told]:
    """Give what the vault's trail says, with the laboratory's codes in the place of internal keys.

    What has no code, such as a block or an erased patient's name, is left out.
    """
    entries = vault.trail()
    codes = codes_in_laboratory(holdings, {entry.subject for entry in entries if entry.subject})
    for entry in entries:
        details = {"subject": codes.get(entry.subject), "reason": entry.reason}
        shown = {name: value for name, value in details.items() if value}
        yield Told(VAULT, entry.number, entry.digest, entry.act, entry.who, entry.at, shown)


def with_vault(books: Books, vault: KeyVault) -> Books:
    """Add the vault's trail to those of its archive."""

    def told() -> Iterator[Told]:
        yield from books.told()
        yield from told_by_vault(books.holdings, vault)

    return Books(books.holdings, (*books.trails, vault.sealed_trail()), told, (*books.must, VAULT))


def subject_report(
    holdings: Archive, vault: KeyVault, told: Iterable[Told], number: str, *, who: str, reason: str
) -> list[Told] | None:
    """Give every entry of all trails by which a person looked at a patient's slides, or at whose they are.

    Parameters
    ----------
    holdings, vault
        The archive and its vault.
    told
        What all trails say.
    number
        The patient's number at the laboratory.
    who, reason
        Who asks for the report and why; written down, also where there is no such patient.

    Returns
    -------
    list or None
        In the order of time; None if nobody has this number.
    """
    cases = vault.directory.find_patient(number, who=who, purpose=reason)
    if not cases:
        return None
    names = names_of(holdings, Kind.PATIENT, cases[0].patient)
    asked = Question(names)
    found = [one for one in told if one.act in LOOKED and asked.fits(one)]
    return sorted(found, key=lambda one: (one.at, one.trail, one.number))
