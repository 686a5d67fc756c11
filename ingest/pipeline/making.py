"""Make a coded scan of a file that was looked at: its pixels are written into a staged folder and proven there.

Whoever makes it knows the file and a folder, not whose slide it is, so this can be done anywhere that sees both.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from archive import fixity
from archive.errors import InvalidValue
from archive.geometry import MicronsPerPixel, Rectangle
from archive.holdings.pixels import Channel, ScanLayout
from ingest.deidentify.channels import NamedChannel
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.answers import Stored
from ingest.pipeline.colours import keep_colours
from ingest.pipeline.jailed import store
from ingest.pipeline.looking import Watch, nobody
from ingest.pipeline.proving import Proof, Staged, prove
from ingest.pipeline.screening import Screened, screen_staged
from ingest.pipeline.source import Source
from ingest.screening import Kind


@dataclass(frozen=True)
class WorkOrder:
    """What to make of which file, and where: all that its maker is told.

    ``folder`` is for the pyramid, ``outer`` for what lies beside it, ``notes`` for what is noted meanwhile.
    """

    source: Source = field(repr=False)
    outer: Path = field(repr=False)
    folder: Path = field(repr=False)
    notes: Path = field(repr=False)
    mpp: MicronsPerPixel | None = None
    objective_power: float | None = None
    icc_profile: bytes | None = field(default=None, repr=False)
    channels: tuple[NamedChannel, ...] = ()
    every_tile: bool = False
    keep_out: tuple[Path, ...] = field(default=(), repr=False)
    one_core: bool = False
    """Do one thing after the other: with a slide on every core there is nothing to be gained from doing more."""
    black_out: tuple[Rectangle, ...] = ()
    """What a person ordered to be made black, once the pixels are proven to be the source's."""
    screen: bool = False
    """Whether the pixels are looked at for writing, barcodes and stickers."""
    settled: frozenset[Kind] = frozenset()
    """What a person saw on this slide and judged."""


@dataclass(frozen=True)
class Made:
    """A scan that lies staged, proven and flushed."""

    stored: Stored
    layout: ScanLayout
    colours: str
    proof: Proof
    """Of the pixels as they were before anything was made black; its digests are those of the files as they are."""
    screened: Screened | None = None
    """What was seen on it; None if nobody looked."""
    black_out: tuple[Rectangle, ...] = ()
    """What was made black."""


def make(order: WorkOrder, watch: Watch = nobody) -> Made:
    """Write, describe and prove a scan, make black what is to be, and look at what is left.

    Parameters
    ----------
    order : WorkOrder
        Nobody else writes into its folders.
    watch : callable
        Told of each step.

    Raises
    ------
    SlideRefused
        If pixels cannot be read or a proof fails, or the file is not the one that was looked at.
    """
    with order.source.unchanged():
        watch("pixels", {"tiles": 0})
        stored = _store(order, watch)
        layout = _layout(order, stored)
        _describe(order.folder, layout)
        colours = keep_colours(order.icc_profile, order.outer)
        watch("prove", {})
        staged = Staged(order.folder, stored.levels, order.notes)
        proof = prove(
            staged, order.source, every_tile=order.every_tile, keep_out=order.keep_out, one_core=order.one_core
        )
        if order.black_out:
            proof = _black_out(order, proof)
        screened = _look_at(order, layout, watch) if order.screen else None
    return Made(stored, layout, colours, proof, screened, order.black_out)


def _store(order: WorkOrder, watch: Watch) -> Stored:
    """Have the pixels written by a reader in the jail, which ends before anything is proven."""
    source, others = order.source, [str(file) for file in order.source.files[1:]]
    paths = (str(source.path), str(order.folder), str(order.notes))
    with source.jail(write=[order.folder, order.notes], keep_out=order.keep_out) as jail:
        answer = jail.call(store, *paths, others, source.region, on_progress=lambda told: watch("pixels", told))
    return Stored.from_json(answer)


def _layout(order: WorkOrder, stored: Stored) -> ScanLayout:
    """Put together what is known of the scan; a reader that counts channels in two ways was taken over, or is wrong."""
    try:
        channels = tuple(
            Channel(named.name, named.colour, low, high)
            for named, (low, high) in zip(order.channels, stored.windows, strict=True)
        )
        return ScanLayout(stored.levels, order.mpp, order.objective_power, channels)
    except (InvalidValue, ValueError) as error:
        raise SlideRefused(Reason.READER_CRASHED) from error


def _describe(folder: Path, layout: ScanLayout) -> None:
    from archive.holdings.writing import write_metadata  # Zarr is loaded while the jail works, or after

    write_metadata(str(folder), layout)


def _black_out(order: WorkOrder, proof: Proof) -> Proof:
    """Make places black, and digest and flush what was written anew."""
    from archive.holdings.writing import black_out

    written = black_out(order.folder, order.black_out)
    digests = {file.path: file.sha256 for file in fixity.measure(order.folder, _known(proof, written)).files}
    fixity.flush(order.folder)
    return replace(proof, digests=digests)


def _known(proof: Proof, written: Collection[str]) -> dict[str, str]:
    """Give the digests that still hold."""
    return {path: digest for path, digest in proof.digests.items() if path not in written}


def _look_at(order: WorkOrder, layout: ScanLayout, watch: Watch) -> Screened:
    watch("screen", {})
    return screen_staged(
        order.folder,
        layout.levels,
        settled=order.settled,
        black_out=order.black_out,
        keep_out=order.keep_out,
        limits_only=order.source.limits_only,
    )
