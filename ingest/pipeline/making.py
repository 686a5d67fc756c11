"""Make a coded scan of a file that was looked at: its pixels are written into a staged folder and proven there.

Whoever makes it knows the file and a folder, not whose slide it is, so this can be done anywhere that sees both.
"""

from dataclasses import dataclass, field
from pathlib import Path

from archive.errors import InvalidValue
from archive.geometry import MicronsPerPixel
from archive.holdings.pixels import Channel, ScanLayout
from ingest.deidentify.channels import NamedChannel
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.answers import Stored
from ingest.pipeline.colours import keep_colours
from ingest.pipeline.jailed import store
from ingest.pipeline.looking import Watch, nobody
from ingest.pipeline.proving import Proof, Staged, prove
from ingest.pipeline.source import Source


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


@dataclass(frozen=True)
class Made:
    """A scan that lies staged, proven and flushed."""

    stored: Stored
    layout: ScanLayout
    colours: str
    proof: Proof


def make(order: WorkOrder, watch: Watch = nobody) -> Made:
    """Write, describe and prove a scan.

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
    return Made(stored, layout, colours, proof)


def _store(order: WorkOrder, watch: Watch) -> Stored:
    """Have the pixels written by a reader in the jail, which ends before anything is proven."""
    source, others = order.source, [str(file) for file in order.source.files[1:]]
    paths = (str(source.path), str(order.folder), str(order.notes))
    with source.jail(write=[order.folder, order.notes], keep_out=order.keep_out) as jail:
        return Stored.from_json(jail.call(store, *paths, others, on_progress=lambda told: watch("pixels", told)))


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
