"""How an outcome, a receipt and a plan are told on the terminal: by row and code, never by name."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from archive.amounts import bytes_told, counted
from archive.cli.sentences import out
from archive.consent import Purpose, Recipient, decide
from archive.consent.terms import Grade
from archive.holdings import Recovered
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.batch import Delivered, Outcome
from ingest.pipeline.preview import Preview, preview
from ingest.pipeline.receipt import Looked, Receipt


def tell_outcome(outcome: Outcome, console: Console) -> None:
    """Tell in a line or two how a slide ended."""
    called, receipt = outcome.called, outcome.receipt
    if receipt is None:
        reason = outcome.reason or Reason.READER_CRASHED
        waits = f"; its number is {outcome.number}" if outcome.number else ""
        console.print(
            f"[red]refused[/red]  {called}: {reason.value}: {outcome.sentence or reason.sentence}{waits}",
            soft_wrap=True,
        )
    else:
        for number, region in enumerate(receipt.regions, 1):
            which = f"scan {number} of {len(receipt.regions)}, " if receipt.others else ""
            _tell_region(region, called, which, outcome.seconds, console)


def _tell_region(receipt: Receipt, called: str, which: str, seconds: float, console: Console) -> None:
    if receipt.new:
        levels = counted(len(receipt.levels), "level")
        size = f"{receipt.size}, {levels}, {bytes_told(receipt.stored_bytes)} in {seconds:,.1f} s"
        pixels = f"pixels {receipt.pixels}{_remark(receipt.looked)}"
        console.print(f"[green]kept[/green]     {called}: {receipt.slide_code}  {which}{size}, {pixels}")
    else:
        console.print(f"[cyan]known[/cyan]    {called}: {receipt.slide_code}  {which}nothing was written")


def _remark(looked: Looked | None) -> str:
    """Say what came of looking at the pixels, where there is something to be done or known."""
    if looked is None:
        return ""
    if not looked.whole:
        return "; they could not be looked at whole, so it is shut until they were: coverslip rescreen"
    remarks = []
    if looked.black_out:
        remarks.append(f"; {counted(looked.black_out, 'place')} made black")
    if looked.seen.get("pen"):
        remarks.append("; a marker's ink is on it")
    if looked.grade == Grade.UNASSESSED:
        remarks.append("; released by a person, and shut for all but care until somebody attests that it names nobody")
    return "".join(remarks)


def tell_receipt(receipt: Receipt, console: Console) -> None:
    """Tell everything that a receipt says, of each region that was taken in."""
    for number, region in enumerate(receipt.regions, 1):
        if receipt.others:
            console.print(f"[bold]scan {number} of {len(receipt.regions)}[/bold]")
        if region.new:
            _tell_everything(region, console)


def _tell_everything(receipt: Receipt, console: Console) -> None:
    console.print(_kept(receipt))
    if receipt.left_behind is not None:
        console.print()
        console.print(_left_behind(receipt))
    if receipt.verification is not None:
        console.print()
        console.print(_verified(receipt))
        console.print()
        console.print(_looked_at(receipt.looked))


def _table(title: str) -> Table:
    table = Table(title, "", box=None, pad_edge=False, title_justify="left")
    table.columns[0].width, table.columns[0].no_wrap = 16, True
    return table


def _kept(receipt: Receipt) -> Table:
    table = _table("[bold]kept[/bold]")
    for number, level in enumerate(receipt.levels):
        table.add_row(f"level {number}", f"{level.size}, {level.origin}")
    table.add_row("pixels", receipt.pixels)
    table.add_row("pixel size", f"{receipt.mpp.x:g} x {receipt.mpp.y:g} micrometres" if receipt.mpp else "not known")
    table.add_row("objective", f"{receipt.objective_power:g}x" if receipt.objective_power else "not known")
    table.add_row("scanner", receipt.scanner or "not known")
    table.add_row("colour profile", receipt.colour_profile)
    table.add_row("stored", f"{bytes_told(receipt.stored_bytes)} of {bytes_told(receipt.source_bytes)} delivered")
    return table


def _left_behind(receipt: Receipt) -> Table:
    table, left = _table("[bold]left behind[/bold]"), receipt.left_behind
    assert left is not None  # noqa: S101 - the caller looked
    for picture, count in left.pictures.items():
        table.add_row(picture, f"{count}, found by the structure of the file, not by its words")
    names = ", ".join(left.property_names[:6])
    table.add_row("metadata", counted(left.properties, "value") + (f", such as {names}" if names else ""))
    table.add_row("JPEG segments", f"{left.jpeg_segments} comments, application data and trailing bytes")
    for question in left.questions:
        table.add_row("to look at", question)
    return table


def _verified(receipt: Receipt) -> Table:
    table, proof = _table("[bold]verified[/bold]"), receipt.verification
    assert proof is not None  # noqa: S101 - the caller looked
    table.add_row("read back", f"{counted(proof.tiles, 'tile')}, each against its checksum")
    table.add_row(
        "same bytes", f"{counted(proof.same_bytes, 'tile holds', 'tiles hold')} the scanner's own compressed data"
    )
    table.add_row(
        "same pixels", f"{counted(proof.same_pixels, 'tile')} by a second decoder, {proof.by_openslide:,} by OpenSlide"
    )
    left_out = f"; {proof.words_left_out:,} words of the file were too many to look for" if proof.words_left_out else ""
    table.add_row("no identifier", f"{bytes_told(proof.bytes_searched)} searched for this case's own{left_out}")
    return table


def _looked_at(looked: Looked | None) -> Table:
    table = _table("[bold]looked at[/bold]")
    if looked is None:
        table.add_row("pixels", "later: not assessed, and shut until somebody looks; run: coverslip rescreen")
        return table
    seen = ", ".join(f"{kind} {count}" for kind, count in looked.seen.items())
    table.add_row("seen", seen or "no writing, barcode, sticker or pen mark")
    if not looked.whole:
        table.add_row("not all", "it took too long, and the slide is shut until it was looked at: coverslip rescreen")
    if looked.black_out:
        table.add_row("made black", f"{counted(looked.black_out, 'place')}, as a person ordered")
    table.add_row("might identify", f"{looked.grade}; it took {looked.seconds:.1f} s")
    return table


def tell_plan(delivery: Sequence[Delivered], *, limits_only: bool) -> None:
    """Tell what an ingest would do, slide by slide; nothing is written."""
    kept = 0
    for one in delivery:
        keeps, words = _plan(one, limits_only)
        kept += keeps
        out().print(f"{one.called}: would be {'kept' if keeps else 'refused'}{words}", soft_wrap=True)
    out().print(f"{kept:,} would be kept, {len(delivery) - kept:,} refused. Nothing was written.")
    out().print("Writing in a picture is looked for only when slides are taken in; one that has some waits then.")


def _plan(one: Delivered, limits_only: bool) -> tuple[bool, str]:
    """Tell whether a slide would be kept, and by what, or why not."""
    if one.row is None or one.facts is None:
        return False, f": {Reason.NO_ROW.value}: {Reason.NO_ROW.sentence}"
    keep = decide(one.facts, Purpose.KEEP, Recipient.LABORATORY)
    if not keep.allowed:
        return False, f" by row {keep.row} of the rules: {keep.sentence}"
    try:
        found = preview(one.path, limits_only=limits_only)
    except SlideRefused as refused:
        return False, f": {refused}"
    return True, f" by row {keep.row} of the rules: {_contents(found)}"


def _contents(found: Preview) -> str:
    sizes, left = found.found.levels, found.left_behind.count
    regions = f"{found.found.regions} scans, the first of " if found.found.regions > 1 else ""
    kept = f"{regions}{sizes[0]}, {counted(len(sizes), 'level')}"
    pictures = counted(left, "picture") if left else "no picture"
    return f"{kept}; {pictures} and {counted(found.metadata.left_behind_count, 'value')} left behind"


def tell_recovered(found: Recovered) -> None:
    """Tell what interrupted work left, and what was done about it; nothing where all was in order."""
    if found.taken_up or found.set_aside or found.removed:
        out().print(
            f"An interrupted ingest was put right: {counted(len(found.taken_up), 'slide')} completed, "
            f"{found.removed} half-written ones removed, {found.set_aside} set aside."
        )
    if found.redacted:
        out().print(f"An interrupted blacking out was finished: {counted(len(found.redacted), 'scan')}.")
    if found.still_shut:
        shut = counted(len(found.still_shut), "scan stays shut", "scans stay shut")
        out().print(f"[red]{shut}[/red] until black where it was ordered; run: coverslip redact --resume")
    if found.missing:
        lost = counted(len(found.missing), "scan is", "scans are")
        out().print(f"[red]{lost} in the catalogue but not on the disk.[/red] Is it mounted?")
