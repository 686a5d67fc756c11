"""What waits for somebody to look at it: ``quarantine list``, ``show``, ``release``, ``black-out`` and ``refuse``."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from archive.accounts import Action
from archive.amounts import bytes_told, counted
from archive.cli.proving import Who, acting
from archive.cli.sentences import ArchiveFolder, AsJson, out, said
from archive.errors import InvalidValue
from archive.geometry import Rectangle
from ingest.cli.places import KeyFile, LimitsOnly, Places, VaultFolder
from ingest.pipeline.jailed import PREPARED
from ingest.pipeline.pictures import closer_of, pictures_of
from ingest.pipeline.seen import seen_on
from ingest.quarantine.judging import IN_PICTURE, MOST_PLACES, may_release
from ingest.quarantine.moment import GONE, moment_of
from ingest.quarantine.register import REFUSED, RELEASED, Entry
from ingest.quarantine.telling import differences, sentence_of
from ingest.quarantine.waiting import Quarantine
from ingest.sandbox import prepare

quarantine_app = typer.Typer(
    help="Slides that were not taken, each with its reason: look at them, release, black out or refuse them.",
    no_args_is_help=True,
)

ARCHIVE = Path("coverslip-archive")
LIKELIEST = ("place-1", "macro", "label", "thumbnail", "unknown")
"""Which picture tells most: what was seen in the slide's own; else a macro shows the whole glass with its label."""

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="Its number, as quarantine list shows it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit trail; it lies sealed in the key vault.")]


@quarantine_app.command("list")
@said
def list_entries(
    archive: ArchiveFolder = ARCHIVE,
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    files: Annotated[
        bool, typer.Option("--files", help="Show where the files lie; paths may name patients, so look around first.")
    ] = False,
    refused: Annotated[bool, typer.Option("--refused", help="List what was refused for good instead.")] = False,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """List what waits, why, and what to do about it. The files themselves lie where they were delivered."""
    acting(archive, who, Action.JUDGE_QUARANTINE)
    with Places.of(archive, vault, vault_key).opened() as (_, keyvault):
        quarantine = Quarantine(keyvault)
        waiting, released = (quarantine.refused(), ()) if refused else (quarantine.entries(), quarantine.released())
    if as_json:
        print(json.dumps([_as_json(entry) for entry in (*waiting, *released)]))
        return
    if not waiting and not released:
        out().print("Nothing was refused." if refused else "Nothing waits.")
        return
    _tell((*waiting, *released), files=files)
    what = ("is refused for good", "are refused for good") if refused else ("waits", "wait")
    count = counted(len(waiting), *what) + (f", {counted(len(released), 'is', 'are')} released" if released else "")
    where = f"coverslip quarantine list {'--refused ' if refused else ''}--files"
    out().print(f"{count}." + ("" if files else f" To see which files: {where}"))


@quarantine_app.command("show")
@said
def show(
    number: Number,
    archive: ArchiveFolder = ARCHIVE,
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show the path and what list and file say; they name patients. Audited.")
    ] = False,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Write a picture of the slide to this file, a JPEG. Audited.")
    ] = None,
    of: Annotated[
        str | None, typer.Option("--of", help="Which one: macro, label or thumbnail; or place-1, if seen.")
    ] = None,
    who: Who = None,
    limits_only: LimitsOnly = False,
) -> None:
    """Show what is known about one file and what can be done next; names only where they are asked for.

    A picture may show a name: write it where only you can see it, and delete it afterwards.
    """
    acts = acting(archive, who, Action.JUDGE_QUARANTINE)
    if picture is not None:
        prepare(*PREPARED)
    places = Places.of(archive, vault, vault_key)
    with places.opened() as (_, keyvault):
        entry = Quarantine(keyvault).entry(number)
        if reveal or picture is not None:
            keyvault.register.looked_at(entry.number, acts)
    out().print(_table_of(entry, reveal))
    if picture is not None:
        pictures = pictures_of(entry.path, keep_out=places.secret, limits_only=limits_only)
        if (seen := seen_on(entry)) is not None:
            closer = closer_of(entry.path, seen, keep_out=places.secret, limits_only=limits_only)
            pictures |= {f"place-{number}": jpeg for number, jpeg in enumerate(closer.places, 1)}
        kind = _write(picture, pictures, of)
        out().print(
            f"\n[yellow]The picture was written ({kind}). It may show a name: delete it when you have looked.[/yellow]"
        )


@quarantine_app.command("release")
@said
def release(
    number: Number,
    reason: Reason,
    archive: ArchiveFolder = ARCHIVE,
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
) -> None:
    """Overrule the reason for which a file waits, for exactly this file; the next ingest takes it.

    Only what a person can judge by looking is overruled so. Everything else is mended, and the answer says how.
    """
    acts = acting(archive, who, Action.JUDGE_QUARANTINE)
    with _quarantine(archive, vault, vault_key) as quarantine:
        entry = quarantine.release_by_hand(number, acts, reason)
    out().print(f"{entry.number} is released: the next ingest of it, or a watch, takes it in.")


@quarantine_app.command("black-out")
@said
def black_out(
    number: Number,
    reason: Reason,
    rectangle: Annotated[
        list[str] | None,
        typer.Option("--rectangle", metavar="X,Y,WIDTH,HEIGHT", help="A place in pixels of level 0; may be repeated."),
    ] = None,
    what_was_seen: Annotated[
        bool, typer.Option("--what-was-seen", help="All places at which something was seen, with a margin.")
    ] = False,
    archive: ArchiveFolder = ARCHIVE,
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
) -> None:
    """Have places of a slide's picture made black, and release it: the next ingest does it, and looks again.

    For slides that wait because something is written, printed or stuck on them. The delivered file is not changed; in
    the scan that is kept, these places are black at every level, for good. If something else is seen then, it waits
    again. Where the places are, tell: coverslip quarantine show
    """
    acts = acting(archive, who, Action.JUDGE_QUARANTINE)
    with _quarantine(archive, vault, vault_key) as quarantine:
        seen = seen_on(quarantine.entry(number))
        places = [Rectangle.parse(text) for text in rectangle or ()]
        if what_was_seen:
            places += seen.places(MOST_PLACES) if seen else ()
        if seen is not None:
            _require_told(places)
            seen.require_on_slide(places)
        entry = quarantine.black_out(number, places, acts, reason)
    count = f"{len(places)} place{'s' if len(places) != 1 else ''}"
    out().print(f"{entry.number} is released: the next ingest of it, or a watch, makes {count} black and looks again.")


def _require_told(places: Sequence[Rectangle]) -> None:
    if not places:
        raise InvalidValue("say what is to be black: --what-was-seen, or --rectangle X,Y,WIDTH,HEIGHT, or both")


@quarantine_app.command("refuse")
@said
def refuse(
    number: Number,
    reason: Reason,
    archive: ArchiveFolder = ARCHIVE,
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    who: Who = None,
) -> None:
    """Refuse a file for good: it is never taken as it lies there. The file itself is not touched.

    Taken back with: coverslip quarantine release
    """
    acts = acting(archive, who, Action.JUDGE_QUARANTINE)
    with _quarantine(archive, vault, vault_key) as quarantine:
        entry = quarantine.refuse(number, acts, reason)
    out().print(f"{entry.number} is refused for good. The file lies where it was delivered; remove it if it must go.")


def _tell(entries: Sequence[Entry], *, files: bool) -> None:
    """Say once what is to be done, and list those with which it is to be done; a path is never cut, to be copied."""
    alike: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        alike.setdefault((_reason(entry), _next(entry, "NUMBER")), []).append(entry)
    for (reason, to_do), some in alike.items():
        out().print(f"[bold]{reason}[/bold]: {escape(to_do)}")
        for entry in some:
            path = f"  {escape(str(entry.path))}" if files else ""
            out().print(f"  {entry.number}  {_when(entry)}{path}", soft_wrap=True)
        out().print()


@contextmanager
def _quarantine(archive: Path, vault: Path | None, vault_key: Path | None) -> Iterator[Quarantine]:
    with Places.of(archive, vault, vault_key).opened() as (_, keyvault):
        yield Quarantine(keyvault)


def _table_of(entry: Entry, reveal: bool) -> Table:
    table = Table(f"[bold]{entry.number}[/bold]", entry.state, box=None, pad_edge=False)
    table.columns[0].width, table.columns[0].no_wrap = 16, True
    table.add_row("since", _when(entry))
    to_do = _next(entry, entry.number)
    if entry.reason is not None:
        sentence = "" if to_do == sentence_of(entry) else f": {sentence_of(entry)}"
        table.add_row("reason", f"{entry.reason.value}{sentence}")
    if entry.because:
        table.add_row("a person said", escape(entry.because) if reveal else "something; to read it: --reveal")
    table.add_row("size", bytes_told(entry.source_bytes))
    table.add_row("the file", _lies(entry))
    if reveal:
        table.add_row("path", escape(str(entry.path)))
    for kind, place in _places(entry):
        table.add_row(kind, f"{place} (left, top, width, height in px)")
    for difference in differences(entry):
        said = f"list says {difference.listed or 'nothing'}" + (
            f"; file says {difference.found}" if difference.found else ""
        )
        table.add_row(difference.what, escape(said) if reveal else "is known; to read it: --reveal")
    table.add_row("what to do", to_do)
    return table


def _places(entry: Entry) -> Iterator[tuple[str, str]]:
    """Tell what was seen on a slide, and what is to be made black, as --rectangle takes it."""
    seen = seen_on(entry)
    for spot in seen.spots if seen else ():
        yield f"seen: {spot.kind}", str(spot.place)
    for _, place in entry.black_out:
        yield "to be made black", str(place)


def _lies(entry: Entry) -> str:
    now = moment_of(entry.path)
    if now == GONE:
        return "is gone from where it lay"
    return "lies there as it did" if now == entry.moment else "changed since; ingest it again"


def _next(entry: Entry, number: str) -> str:
    """Say what a person can do about an entry, which is called so in the commands."""
    if entry.state == RELEASED:
        return "ingest it again: it was released" + ("; places are made black then" if entry.black_out else "")
    if entry.state == REFUSED:
        return f"nothing; to take the refusal back: coverslip quarantine release {number} --reason WHY"
    if entry.state in ("kept", "known"):
        return "nothing: it was taken in"
    if entry.reason in IN_PICTURE:
        return (
            f"look at the desk, or with: coverslip quarantine show {number} --picture FILE --of place-1; then black it "
            "out, release it if it names nobody, or refuse it"
        )
    if may_release(entry):
        return f"look: coverslip quarantine show {number} --reveal; then release it or refuse it"
    return sentence_of(entry)


def _reason(entry: Entry) -> str:
    return "released" if entry.state == RELEASED else entry.reason.value if entry.reason else ""


def _when(entry: Entry) -> str:
    return f"{entry.since.astimezone():%Y-%m-%d %H:%M}"


def _as_json(entry: Entry) -> dict[str, object]:
    return {
        "number": entry.number,
        "state": entry.state,
        "reason": entry.reason.value if entry.reason else None,
        "sentence": sentence_of(entry),
        "since": entry.since.isoformat(),
        "bytes": entry.source_bytes,
    }


def _write(path: Path, pictures: dict[str, bytes], of: str | None) -> str:
    """Write one picture to a new file that only this user can read; gives its kind."""
    kind = of or next(kind for kind in LIKELIEST if kind in pictures)
    if kind not in pictures:
        raise InvalidValue(f"this file has no such picture; it has: {', '.join(sorted(pictures))}")
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pictures[kind])
    except FileExistsError:
        raise InvalidValue("there is a file of that name already; name a new one for the picture") from None
    return kind
