"""The vault's trail speaks of internal keys; people read it by codes, and patients are told who looked at their slides.

The trail's reasons are opened for this, so whoever reads them is written down first.
"""

from collections.abc import Iterable, Iterator

from archive.auditchain.acts import Concerns, concern_of
from archive.auditchain.told import Question, Told
from archive.codes import Kind
from archive.holdings import Archive
from archive.holdings.auditing import codes_in_laboratory, names_of, projects_given
from archive.holdings.books import Books
from ingest.keyvault import KeyVault

VAULT = "vault"


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
    """Give every entry of all trails that tells what a person did with a patient's slides, or asked about them.

    Who looked, to whom they were shown or given, what was recorded, decided and put right, and who asked whose they
    are. A query of a project that was ever given one of the slides is told as well, because the trail does not say
    which slides each query gave.

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
    vault.directory.find_patient(number, who=who, purpose=reason)
    patient = vault.directory.patient_of(number)
    if patient is None:
        return None
    asked = Question(names_of(holdings, Kind.PATIENT, patient))
    projects, own = projects_given(holdings, patient), vault.entries_about(patient)

    def is_theirs(one: Told) -> bool:
        match concern_of(one.act):
            case Concerns.PATIENT:
                return one.number in own if one.trail == VAULT else asked.fits(one)
            case Concerns.PROJECT:
                return one.details.get("project") in projects
            case _:
                return False

    return sorted(filter(is_theirs, told), key=lambda one: (one.at, one.trail, one.number))
