"""A consent is found by the laboratory's own numbers, proven in the key vault, and recorded in the archive by codes.

The vault comes first: evidence without a record says nothing, and whoever is killed in between records it again. A
record of a patient is of all cases that the patient has or will have, so an opt-out list is matched by patient, and
also kept for patients of whom there is no slide yet.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from archive.codes import InternalKey, new_key
from archive.consent import Facts, MightIdentify, Purpose
from archive.consent.records import ESTABLISHED, ConsentRecord, Giver, Said
from archive.errors import InvalidValue, UnknownCode
from archive.holdings import Archive
from archive.holdings.consenting import Outcome, Subject, of_patient
from archive.holdings.consenting import record as record_in_archive
from archive.wordscreen import screen
from ingest.delivery import default_of, feeds_of
from ingest.delivery.mending import Settings
from ingest.delivery.optouts import OptOut
from ingest.delivery.vocabulary import GRADES
from ingest.keyvault import Evidence, KeyVault
from ingest.pipeline.correcting import finish_begun

_OF_PATIENTS = frozenset({"vital"})
"""What can be found out of a patient, rather than of one case."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What proves a record, as somebody tells it; all of it goes to the key vault."""

    name: str = field(default="", repr=False)
    on: date | None = field(default=None, repr=False)
    document: str = field(default="", repr=False)
    why: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an opt-out list: patients whose refusal is new or was known, and the codes of cases that changed."""

    new: int
    known: int
    cases: tuple[str, ...]


def find_subject(
    vault: KeyVault, number: str, *, of_patient: bool, under: str | None, who: str, reason: str
) -> Subject:
    """Find the case of a number, or the patient of one, who is made if there is none.

    Raises
    ------
    UnknownCode
        If there is no such case.
    InvalidValue
        If several patients have a case of this number, and it is not said which is meant.
    """
    screen(reason, "a reason")
    if of_patient:
        return Subject(patient=vault.consent.patient(number, who=who))
    found = vault.directory.find_case(number, who=who, purpose=reason)
    if under is not None:
        owner = vault.directory.patient_of(under)
        found = tuple(case for case in found if case.patient == owner)
    if not found:
        raise UnknownCode("the laboratory has no such case; check the number")
    if len(found) > 1:
        raise InvalidValue("several patients have a case of this number; say whose it is (--under)")
    return Subject(case=found[0].key)


def with_findings(
    archive: Archive,
    vault: KeyVault,
    subject: Subject,
    number: str,
    said: ConsentRecord | None,
    found: Settings,
    by: str,
) -> ConsentRecord:
    """Put what was found out, in the words of a delivery list, into a record.

    Raises
    ------
    InvalidValue
        If it cannot be established so, or contradicts what is known of the case.
    """
    told = {"source" if name == "tissue" else name: value for name, value in found.values.items()}
    emptied = {"source" if name == "tissue" else name for name in found.emptied}
    possible = _OF_PATIENTS if subject.patient else frozenset(ESTABLISHED)
    if not told.keys() | emptied <= possible:
        raise InvalidValue(f"--set: of this can be established: {', '.join(sorted(possible))}; for an answer: --answer")
    case = None if subject.case is None else archive.case(subject.case)
    if case is not None:
        plain = {name: value for name, value in found.values.items() if name != "might_identify"}
        feed = default_of(feeds_of(vault.declared("feed")))
        Settings(plain, found.emptied - {"might_identify"}).mended(case.facts, number, feed)
    if "might_identify" in told:
        told["might_identify"] = MightIdentify(GRADES[told["might_identify"]])
    names = frozenset(told) | emptied
    if said is None:
        return ConsentRecord(by=by, established=Facts(**told), tells=names)
    return replace(said, established=Facts(**told), tells=names)


def record(
    archive: Archive, vault: KeyVault, subject: Subject, said: ConsentRecord, proof: Proof, *, reason: str
) -> Outcome:
    """Keep the proof of a record in the vault, and record it in the archive.

    Raises
    ------
    InvalidValue
        If nobody attests what must be attested by name, or a withdrawal is given, which is an act of its own.
    UnknownCode
        If nothing of the case was ever taken in.
    """
    screen(reason, "a reason")
    finish_begun(archive, vault)
    if said.said is Said.WITHDRAWN:
        raise InvalidValue("a withdrawal ends more than an answer; use: coverslip consent withdraw")
    if said.said is Said.NOT_FORESEEN and not (proof.name and proof.on and proof.why):
        raise InvalidValue("that a purpose was not foreseen is attested: say by whom (name), when (day) and why")
    if subject.case is not None and archive.case(subject.case) is None:
        raise UnknownCode("nothing of this case was ever taken in; record it for the patient, or take a slide in first")
    key = new_key()
    if proof != Proof():
        of_whom = subject.case or subject.patient or InternalKey("")
        evidence = Evidence(key, proof.name, proof.on, proof.document, proof.why)
        vault.consent.keep(of_whom, evidence, who=said.by)
    return record_in_archive(archive, subject, key, said, reason=reason)


def import_opt_outs(
    archive: Archive, vault: KeyVault, opt_outs: Iterable[OptOut], *, who: str, reason: str, document: str = ""
) -> Imported:
    """Record the refusals of an opt-out list, each for its patient; those that are in force already are left.

    Parameters
    ----------
    archive, vault
        The laboratory's.
    opt_outs
        The list.
    who, reason : str
        The account, and why; the reason may hold nothing that could identify a patient.
    document : str
        What the list is and where it is kept, for the key vault.
    """
    screen(reason, "a reason")
    new, known, cases = 0, 0, set[str]()
    for one in opt_outs:
        said = ConsentRecord(by=who, said=Said.REFUSED, giver=Giver.SELF, purposes=one.purposes)
        # Registers are sent whole again and again: what is in force already is left without a word in any trail.
        patient = vault.directory.patient_of(one.patient)
        if patient is not None and said.scope <= _refused(archive, patient):
            known += 1
            continue
        subject = Subject(patient=vault.consent.patient(one.patient, who=who))
        outcome = record(archive, vault, subject, said, Proof(on=one.on, document=document), reason=reason)
        cases |= outcome.changed.keys()
        new += 1
    return Imported(new, known, tuple(sorted(cases)))


def _refused(archive: Archive, patient: InternalKey) -> frozenset[Purpose]:
    """Give the purposes of which the newest that a patient said is a refusal."""
    refused: frozenset[Purpose] = frozenset()
    for one in of_patient(archive, patient):
        if not one.annulled and one.record.said in (Said.REFUSED, Said.WITHDRAWN):
            refused |= one.record.scope
        elif not one.annulled and one.record.said is Said.GIVEN:
            refused -= one.record.scope
    return refused
