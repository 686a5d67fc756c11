"""A patient is erased: names, numbers and every key to them go for good, and nothing brings them back: ``erase``."""

from pathlib import Path
from typing import Annotated

import typer

from archive.accounts import AccountStore, Action
from archive.amounts import counted
from archive.cli.passwords import typed as typed_password
from archive.cli.proving import Who, proven
from archive.cli.sentences import ArchiveFolder, out, said
from archive.errors import InvalidValue
from archive.wordscreen import screen
from ingest.cli.finding import TYPED, typed
from ingest.cli.places import KeyFile, Places, VaultFolder
from ingest.pipeline.erasing import Erasure, plan

NOT_REACHED = (
    "Not reached: the archive's pictures and codes, which lead to nobody any more; what was given or shown to others; "
    "the entries of the audit trails, which name nobody; and copies of the key vault together with a copy of the old "
    "key file. What the patient refused is forgotten with them: slides that come later are a stranger's."
)

AFTERWARDS = (
    "Now copy the key vault and its key file anew (coverslip backup DIR --vault-to DIR2 --key-to DIR3), and destroy "
    "every older copy of the two: only then is the patient erased everywhere."
)


@said
def erase(
    reason: Annotated[
        str, typer.Option("--reason", help="Such as the decision's number. It outlives the patient: no names.")
    ],
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="The patient's number; - (as when left out) to type it when asked.")
    ] = TYPED,
    second: Annotated[
        str | None,
        typer.Option("--second", metavar="NAME", help="The second person's account, whose password is asked as well."),
    ] = None,
    uses_go_on: Annotated[
        bool,
        typer.Option("--uses-go-on", help="The slides may be used on, though nobody can withdraw them any more."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be erased, and erase nothing.")] = False,
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
) -> None:
    """Destroy everything that tells who a patient is: their numbers, names, dates, papers, and the key to all of it.

    The pictures stay, under codes that lead to nobody. A medical record is seldom erased: ask who decides that first.
    To end the use of slides is another act (coverslip consent withdraw), which is not possible after this one.

    Two custodians do it together, as for identify; see coverslip approve --no-second-person.
    """
    why = screen(reason, "a reason")
    account = proven(archive, who, Action.ERASE)
    with Places.of(archive, vault, vault_key).opened() as (holdings, keyvault):
        planned = plan(holdings, keyvault, typed(number, "Patient number"), who=account, reason=why)
        _tell(planned)
        if dry_run:
            out().print("Nothing was erased.")
            return
        planned.require_use_has_ended(uses_go_on=uses_go_on)
        second_person = _second(archive, account, second) if keyvault.approvals.second_person else None
        planned.carry_out(keyvault, who=account, second=second_person)
    out().print("[red]Erased.[/red] " + AFTERWARDS, soft_wrap=True)


def _second(archive: Path, first: str, second: str | None) -> str:
    """Have a second person prove that they erase too."""
    if not AccountStore.exists(archive):
        raise InvalidValue(
            "a second person must want this as well, and proves it with an account: make accounts with coverslip "
            "setup, or say that one person is enough with: coverslip approve --no-second-person"
        )
    if second is None or second == first:
        raise InvalidValue(
            "a second custodian must want this as well: name another account than your own with --second"
        )
    with AccountStore.open(archive) as store:
        return store.act_as(second, typed_password(f"Password of {second}"), Action.ERASE).account


def _tell(planned: Erasure) -> None:
    cases = counted(planned.cases, "case is", "cases are")
    slides = counted(len(planned.slides), "slide is", "slides are")
    out().print(f"{cases} known of this patient, and {slides} held.")
    for code in planned.slides:
        used = " (may be used: taught, given to research)" if code in planned.in_use else ""
        out().print(f"{code}{used}", markup=False)
    out().print(NOT_REACHED, soft_wrap=True)
