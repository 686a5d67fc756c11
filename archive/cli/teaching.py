"""Compose what a class sees: ``teach``."""

from pathlib import Path
from typing import Annotated

import typer

from archive.accounts import Action
from archive.cli.proving import Who, actor_of, signed
from archive.cli.sentences import FAILED, ArchiveFolder, out, said, tell
from archive.consent import explain
from archive.holdings import Archive
from archive.teaching import compose


@said
def teach(
    name: Annotated[str, typer.Argument(help="Name of the collection, such as 'Skin, week 3'. The class sees it.")],
    slides: Annotated[
        list[str],
        typer.Argument(metavar="SLIDE...", help="Codes of slides or of single scans, in the order to show them."),
    ],
    archive: ArchiveFolder = Path("coverslip-archive"),
    who: Who = None,
) -> None:
    """Put slides into a teaching collection, which is made if there is none of that name.

    Each slide is decided by the rules, now and again whenever it is shown. Viewers get random handles: no code, no
    label, no metadata. Of a slide the scan with most pixels is shown; name a scan by its own code to show another one,
    such as a second region of the glass. A slide that may not be taught is not put in, and the answer says why.
    """
    actor = actor_of(archive, who, Action.MAKE_COLLECTION)
    with Archive.open(archive, **signed(actor, "educator")) as holdings:
        composed = compose(holdings, name, slides)
    for refusal in composed.refusals:
        out().print(f"[red]not put in:[/red] {refusal.slide}")
        tell(explain(refusal.decision), indent=2)
    if composed.collection is None:
        out().print("Nothing was put in: none of these slides may be taught now.")
        raise typer.Exit(FAILED)
    count = len(composed.collection.places)
    shown = f"The collection {composed.collection.name!r} shows {count} slide{'s' if count != 1 else ''}."
    out().print(shown, markup=False)
    out().print(f"Its page, once `coverslip serve` runs: /collections/{composed.collection.handle}")
    if composed.refusals:
        raise typer.Exit(FAILED)
