"""The whole of Coverslip in one command: ``demo``."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from archive.cli.sentences import out, said
from archive.consent import Facts
from archive.consent.terms import Jurisdiction, TissueSource
from archive.errors import ArchiveError
from archive.settings import ArchiveSettings
from archive.teaching import compose
from ingest.cli import demo_slide
from ingest.cli.places import Places
from ingest.cli.taking_in import SlideProgress
from ingest.cli.telling import tell_receipt
from ingest.delivery import Row, read_delivery
from ingest.errors import SlideRefused
from ingest.pipeline.jailed import PREPARED
from ingest.pipeline.receipt import Receipt
from ingest.pipeline.recovery import recover
from ingest.pipeline.slide import Intake, ingest_slide
from ingest.quarantine.judging import IN_PICTURE
from ingest.sandbox import prepare

COLLECTION = "A first look"

LOOK = (
    "so nothing was kept. The demonstration has nowhere for a slide to wait: make an archive with coverslip init, take "
    "the slide in with coverslip ingest, and look at the place with coverslip desk, where it is blacked out or released"
)
"""What whoever tries a slide of their own does when something is seen in its picture."""

SECRETS = ("COVERSLIP_VAULT", "COVERSLIP_VAULT_KEY")
"""Settings that lead to the vault; the server is started without them."""


@said
def demo(
    file: Annotated[Path | None, typer.Argument(help="A slide of your own; one is drawn unless given.")] = None,
    folder: Annotated[Path, typer.Option(help="Where to put everything.")] = Path("coverslip-demo"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the server.")] = 8765,
) -> None:
    """Draw a slide full of made-up names, take it in, prove that no name is left, and show it in a browser.

    Everything lies in one folder that can be deleted afterwards. Stop with Ctrl-C.
    """
    prepare(*PREPARED)
    folder = folder.absolute()
    slide = file.absolute() if file else _draw(folder)
    delivery = _write_list(folder, slide)
    places = Places.of(folder / "archive", folder / "vault", folder / "key" / "vault.key")
    if not places.exist:
        places.create()
    receipt, handle = _take_in(places, slide, delivery, ours=file is None)
    _tell(receipt, file is None, places)
    _serve(places.archive, port, handle)


def _draw(folder: Path) -> Path:
    """Draw the demonstration slide, once."""
    slide = folder / "delivery" / f"{demo_slide.CASE}.svs"
    if slide.exists():
        return slide
    slide.parent.mkdir(parents=True, exist_ok=True)
    out().print("Drawing a slide: colon, with a made-up label, barcode and names wherever scanners put them.")
    drawn = slide.with_suffix(".part")
    with Progress(TextColumn("drawing  "), BarColumn(), TimeElapsedColumn(), console=out(), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        demo_slide.draw_demo_slide(drawn, tell=lambda share: bar.update(task, completed=share))
    drawn.rename(slide)
    return slide


def _write_list(folder: Path, slide: Path) -> Path:
    """Write the delivery list of one row: the five columns that surgical work needs."""
    delivery = folder / "list.csv"
    folder.mkdir(parents=True, exist_ok=True)
    row = [str(slide.name), demo_slide.PATIENT, demo_slide.CASE, demo_slide.BLOCK, demo_slide.STAIN]
    delivery.write_text("file,patient,case,block,stain\n" + ",".join(f'"{cell}"' for cell in row) + "\n")
    return delivery


def _take_in(places: Places, slide: Path, delivery: Path, *, ours: bool) -> tuple[Receipt, str]:
    """Take the slide in and put it into a teaching collection; give its receipt and the collection's handle.

    A slide that we drew ourselves may be read on any system; a stranger's needs walls.
    """
    (row,) = read_delivery(delivery)
    facts = Facts(source=TissueSource.LIVING, jurisdiction=Jurisdiction.ENGLAND)
    with places.opened() as (archive, vault):
        recover(archive, vault)
        bar = SlideProgress(1)
        intake = Intake(archive, vault, keep_out=places.secret, limits_only=ours, watch=bar.watch, screen=True)
        with bar.progress:
            receipt = _ingested(slide, row, facts, intake)
        composed = compose(archive, COLLECTION, [receipt.slide_code])
    if composed.collection is None:
        raise ArchiveError("the rules do not let this slide be shown to a class; see: coverslip explain")
    return receipt, composed.collection.handle


def _ingested(slide: Path, row: Row, facts: Facts, intake: Intake) -> Receipt:
    """Take the slide in; where a person must look at it first, say where that is done, for nothing waits in here."""
    try:
        return ingest_slide(slide, row, facts, intake)
    except SlideRefused as refused:
        if refused.reason not in IN_PICTURE:
            raise
        seen, _, _ = refused.sentence.partition(";")
        raise SlideRefused(refused.reason, f"{seen}; {LOOK}") from None


def _tell(receipt: Receipt, drawn: bool, places: Places) -> None:
    """Show what was kept, what was left behind, how the slide was coded, and that no planted name is left."""
    if receipt.new:
        tell_receipt(receipt, out())
    else:
        out().print("This very file was taken in before: it has its code, and nothing was written.")
    out().print(
        f"\n[bold]coded[/bold]  slide {receipt.slide_code}, case {receipt.case_code}, patient {receipt.patient_code}"
    )
    out().print(f"       who that is only the vault knows: {places.vault}")
    if drawn:
        _prove(places.archive)


def _prove(archive: Path) -> None:
    """Search the archive for every planted name, with the plainest of tools."""
    planted = {place: name.encode() for place, name in demo_slide.PLANTED.items()}
    files = [file for file in archive.rglob("*") if file.is_file()]
    survivors = [place for place, name in planted.items() if any(name in file.read_bytes() for file in files)]
    if survivors:
        raise ArchiveError(f"planted names were found in the archive: {', '.join(survivors)}; please report this")
    out().print(
        f"       {len(planted)} made-up names were hidden in the file; none is in the {len(files)} that were written"
    )


def _serve(archive: Path, port: int, handle: str) -> None:
    """Run the server as a process of its own, which is not told where the vault is, until Ctrl-C."""
    port = ArchiveSettings(archive=archive, port=port).port
    if os.environ.get("COVERSLIP_DEMO_EXIT"):
        out().print("\nAll is well. (COVERSLIP_DEMO_EXIT is set, so no server is started.)")
        return
    command = [sys.executable, "-m", "archive", "serve", "--archive", str(archive), "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if name not in SECRETS}
    with _running(command, environment) as server:
        out().print(f"\n[bold]Look at it:[/bold] http://127.0.0.1:{port}/collections/{handle}", soft_wrap=True)
        out().print("Stop with Ctrl-C. To be rid of it all, delete the folder.")
        server.wait()


@contextlib.contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that ends with this one, whether by Ctrl-C or by a termination signal."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    server = subprocess.Popen(command, env=environment)  # noqa: S603 - our own module
    try:
        yield server
    except KeyboardInterrupt:
        out().print("\nStopped.")
    finally:
        if server.poll() is None:
            server.terminate()
            server.wait()
