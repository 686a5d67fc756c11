"""What patients and families said, and what was found out: ``consent record | show | annul | import``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from archive.accounts import Action, Actor
from archive.cli.proving import Who, actor_of, named
from archive.cli.sentences import ArchiveFolder, out, said
from archive.codes import InternalKey
from archive.consent.records import Giver, Said
from archive.errors import InvalidValue
from archive.holdings import Archive
from archive.holdings.consenting import Kept, Subject, annul, of_case, of_patient
from ingest.cli.consent_shown import said_of, table_of, tell_outcome
from ingest.cli.consent_typed import answer_of, day_of, purposes_of, word_of, yes_no
from ingest.cli.correcting import Reason
from ingest.cli.finding import TYPED, typed
from ingest.cli.places import KeyFile, Places, VaultFolder
from ingest.cli.reviewing import review
from ingest.cli.withdrawing import withdraw
from ingest.delivery.mending import read_settings
from ingest.delivery.optouts import read_opt_outs
from ingest.keyvault import Evidence, KeyVault
from ingest.pipeline.consenting import Proof, find_subject, import_opt_outs, record, with_findings
from ingest.pipeline.recovery import recover

consent_app = typer.Typer(
    help="Record what patients and families said, and what was found out about a case.", no_args_is_help=True
)

Number = Annotated[
    str, typer.Argument(metavar="NUMBER", help="The case number; - (as when left out) to type it when asked.")
]
OfPatient = Annotated[
    bool, typer.Option("--patient", help="NUMBER is a patient's: it holds for all their cases, those to come too.")
]
Under = Annotated[
    str | None, typer.Option("--under", help="The patient whose case it is, where several have one of this number.")
]


@consent_app.command("record")
@said
def record_consent(
    reason: Reason,
    number: Number = TYPED,
    of_patient_: OfPatient = False,
    under: Under = None,
    answer: Annotated[
        str | None, typer.Option("--answer", help="given, refused, 'not foreseen', or 'foreseen, not asked'.")
    ] = None,
    by_role: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Who answered: self, 'nominated representative', 'legal authority', 'parental responsibility' or "
            "'qualifying relation'.",
        ),
    ] = None,
    rank: Annotated[int | None, typer.Option("--rank", help="A relation's rank in law; 1 is the highest.")] = None,
    purpose: Annotated[
        list[str] | None, typer.Option("--purpose", help="audit, research, teaching or other secondary; several times.")
    ] = None,
    identifiable: Annotated[
        bool | None, typer.Option("--identifiable/--not-identifiable", help="Whether identifiable use is covered.")
    ] = None,
    publication: Annotated[
        bool | None, typer.Option("--publication/--no-publication", help="Whether publication is covered, or refused.")
    ] = None,
    entitled: Annotated[
        bool | None,
        typer.Option("--entitled/--not-entitled", help="Whether somebody who answers for another may: it is checked."),
    ] = None,
    with_examination: Annotated[
        bool, typer.Option("--with-examination", help="Given with the consent to a post-mortem examination.")
    ] = False,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="COLUMN=VALUE", help="What was found out, in the words of a delivery list."),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Who signed or attests; kept in the vault only.")] = "",
    on: Annotated[str | None, typer.Option("--on", help="On which day; kept in the vault only.")] = None,
    document: Annotated[str, typer.Option("--document", help="Where the form is; kept in the vault only.")] = "",
    why: Annotated[str, typer.Option("--why", help="Why it was not foreseen; kept in the vault only.")] = "",
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
) -> None:
    """Record an answer, or what was found out; nothing recorded before is changed, and the newest counts.

    An example: coverslip consent record --answer given --from self --purpose teaching --reason "form received". A
    refusal without --purpose is of everything, and is lifted only by a consent of somebody whose word stands as high.
    Whoever assesses whether a picture might identify records it under an account of their own: --set might_identify=no.
    A withdrawal is an act of its own. Exit code 3: some scans may not be opened now.
    """
    actor, settings = actor_of(archive, who, Action.RECORD_CONSENT), read_settings(setting or ())
    acts = named(actor, who)
    told = answer_of(
        acts,
        word_of(Said, "--answer", answer),
        giver=word_of(Giver, "--from", by_role),
        rank=rank,
        purposes=purposes_of(purpose or ()),
        identifiable=yes_no(identifiable),
        publication=yes_no(publication),
        entitled=yes_no(entitled),
        with_examination=with_examination,
    )
    proof = Proof(name, day_of(on), document, why)
    wanted = typed(number, "Patient number" if of_patient_ else "Case number")
    with _opened(archive, vault, vault_key, actor) as (holdings, keyvault):
        subject = find_subject(keyvault, wanted, of_patient=of_patient_, under=under, who=acts, reason=reason)
        if settings or told is None:
            told = with_findings(holdings, keyvault, subject, wanted, told, settings, acts)
        outcome = record(holdings, keyvault, subject, told, proof, reason=reason)
    tell_outcome(outcome, "Recorded")


consent_app.command("withdraw")(withdraw)
consent_app.command("review")(review)


@consent_app.command("show")
@said
def show(
    reason: Reason,
    number: Number = TYPED,
    of_patient_: OfPatient = False,
    under: Under = None,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Show who signed, when and where the form is. It names people.")
    ] = False,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
) -> None:
    """Show what was said and found out of a case, in the order in which it was recorded, and what follows from it.

    Who looked, and what for, is written down.
    """
    actor = actor_of(archive, who, Action.RECORD_CONSENT)
    acts = named(actor, who)
    wanted = typed(number, "Patient number" if of_patient_ else "Case number")
    with _opened(archive, vault, vault_key, actor) as (holdings, keyvault):
        subject = find_subject(keyvault, wanted, of_patient=of_patient_, under=under, who=acts, reason=reason)
        records, facts = _known(holdings, subject)
        proofs = _proofs(holdings, keyvault, subject, acts, reason) if evidence else {}
    if not records:
        out().print("Nothing was recorded since the delivery list.")
    else:
        out().print(table_of(records, proofs, with_proofs=evidence))
    for fact, value in facts.items():
        out().print(f"{fact}: {', '.join(map(str, value)) if isinstance(value, list) else value}", markup=False)


@consent_app.command("annul")
@said
def annul_record(
    record_number: Annotated[int, typer.Argument(metavar="RECORD", help="Its number, as consent show tells it.")],
    reason: Reason,
    number: Number = TYPED,
    of_patient_: OfPatient = False,
    under: Under = None,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
) -> None:
    """Say that a record was a mistake, such as another patient's: it stays to be seen, and counts no more.

    Whoever changed their mind did not make a mistake: record the new answer instead.
    """
    actor = actor_of(archive, who, Action.RECORD_CONSENT)
    acts = named(actor, who)
    wanted = typed(number, "Patient number" if of_patient_ else "Case number")
    with _opened(archive, vault, vault_key, actor) as (holdings, keyvault):
        subject = find_subject(keyvault, wanted, of_patient=of_patient_, under=under, who=acts, reason=reason)
        outcome = annul(holdings, subject, record_number, reason=reason)
    tell_outcome(outcome, "Annulled")


@consent_app.command("import")
@said
def import_list(
    opt_outs: Annotated[Path, typer.Argument(metavar="LIST", help="A CSV with a column `patient`.")],
    reason: Reason,
    document: Annotated[str, typer.Option("--document", help="What the list is; kept in the vault only.")] = "",
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
) -> None:
    """Record the refusals of an opt-out list, matched by patient number.

    Columns: `patient`, and if need be `purposes` (empty: everything) and `on` (the day). Patients of whom there is no
    slide yet are kept too, under the vault's key, so that their slides are refused on the day they come. A list that is
    imported again records what is new.
    """
    found, actor = read_opt_outs(opt_outs), actor_of(archive, who, Action.RECORD_CONSENT)
    with _opened(archive, vault, vault_key, actor) as (holdings, keyvault):
        imported = import_opt_outs(holdings, keyvault, found, who=named(actor, who), reason=reason, document=document)
    out().print(f"{imported.new:,} refusals are new, {imported.known:,} were known.")
    if imported.cases:
        out().print(f"Decided anew from now on: {', '.join(imported.cases)}", soft_wrap=True)


@contextmanager
def _opened(
    archive: Path, vault: Path | None, vault_key: Path | None, actor: Actor | None
) -> Iterator[tuple[Archive, KeyVault]]:
    with Places.of(archive, vault, vault_key).opened(actor) as (holdings, keyvault):
        recover(holdings, keyvault)
        yield holdings, keyvault


def _known(holdings: Archive, subject: Subject) -> tuple[tuple[Kept, ...], dict[str, Any]]:
    """Give the records of a subject, and the facts of its case that are not unknown."""
    if subject.case is None:
        return of_patient(holdings, subject.patient or InternalKey("")), {}
    case = holdings.case(subject.case)
    if case is None:
        raise InvalidValue("nothing of this case was ever taken in; ask for the patient: --patient")
    facts = case.facts.to_json()
    of_copy = ("state", "report_bound")
    told = {name: value for name, value in facts.items() if name not in of_copy and said_of(value) != "not recorded"}
    return of_case(holdings, subject.case)[0], told


def _proofs(
    holdings: Archive, keyvault: KeyVault, subject: Subject, who: str, reason: str
) -> dict[InternalKey, Evidence]:
    case = None if subject.case is None else holdings.case(subject.case)
    keys = [subject.patient] if case is None else [case.key, case.patient]
    found: dict[InternalKey, Evidence] = {}
    for key in keys:
        found |= keyvault.consent.read(key or InternalKey(""), who=who, reason=reason)
    return found
