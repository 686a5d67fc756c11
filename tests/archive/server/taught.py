"""An archive with slides that may be taught, written through the archive's own door from pictures drawn here."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from archive.codes import Code, new_key
from archive.consent import Facts, MightIdentify
from archive.consent.terms import Consent, TissueSource
from archive.geometry import MicronsPerPixel, Size
from archive.holdings import Archive
from archive.holdings.pixels import Coding, LevelLayout, Origin, ScanLayout, encode_jpeg
from archive.holdings.place import COLOUR_PROFILE
from archive.holdings.writing import LevelWriter, LocalStore, encode_lossless, write_metadata
from archive.records import CaseRecord, Fidelity, ScanRecord, SlideRecord, Stain
from archive.teaching import TeachingCollection, compose
from tests.slides.tissue import Picture, tissue

MPP = MicronsPerPixel(0.5, 0.5)
PADDING = (0, 255, 0)
"""Edge tiles are filled up with a colour that no slide has, so that it would be seen wherever it showed; colour is
stored for every pixel (4:4:4), so that none of it seeps into the picture."""


def shrunk(picture: Picture, factor: int) -> Picture:
    """Average blocks of ``factor`` px, leaving partly filled ones out, as scanners do."""
    height, width = picture.shape[0] // factor, picture.shape[1] // factor
    cut = picture[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
    return np.asarray(cut.mean((1, 3)).round(), np.uint8)


class TaughtArchive:
    """An archive in a folder, open for writing; its slides are surgical ones unless facts say otherwise."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.archive = Archive.create(root)

    def add(
        self,
        pictures: Sequence[Picture] | None = None,
        *,
        tile: Size = Size(128, 128),
        coding: Coding = Coding.JPEG,
        absent: Sequence[tuple[int, int]] = (),
        mpp: MicronsPerPixel | None = MPP,
        facts: Facts = Facts(source=TissueSource.LIVING),
        profile: bytes | None = None,
    ) -> Code:
        """Add a slide with one level a picture; ``absent`` names tiles of level 0 that are white glass.

        ``profile`` is the scanner's colour profile, as it is kept.
        """
        if pictures is None:
            full = tissue(700, 500)
            pictures = (full, shrunk(full, 4))
        with self.archive.stage() as staged:
            layouts = tuple(
                self._write(staged.folder, number, picture, tile, coding, absent if number == 0 else ())
                for number, picture in enumerate(pictures)
            )
            write_metadata(str(staged.folder), ScanLayout(layouts, mpp, 20.0))
            if profile is not None:
                (staged.outer / COLOUR_PROFILE).write_bytes(profile)
            case = CaseRecord(new_key(), new_key(), facts)
            slide = SlideRecord(new_key(), case.key, new_key(), Stain.HE)
            scan = ScanRecord(
                key=new_key(),
                slide=slide.key,
                size=layouts[0].size,
                level_count=len(layouts),
                mpp=mpp,
                objective_power=20.0,
                scanner_maker="Aperio",
                scanner_model="GT450",
                fidelity=Fidelity.COPIED if coding is Coding.JPEG else Fidelity.LOSSLESS,
                might_identify=MightIdentify.screened("structure-1"),
                deidentified=True,
            )
            return self.archive.commit(staged, case, slide, scan).slide_code

    def _write(
        self,
        folder: Path,
        number: int,
        picture: Picture,
        tile: Size,
        coding: Coding,
        absent: Sequence[tuple[int, int]],
    ) -> LevelLayout:
        size = Size(picture.shape[1], picture.shape[0])
        layout = LevelLayout.planned(size, tile, coding, Origin.COPIED)
        with LevelWriter(LocalStore(folder), number, layout) as writer:
            for row in range(layout.rows):
                for column in range(layout.columns):
                    if (column, row) not in absent:
                        pixels = padded_tile(picture, tile, column, row)
                        lossless = coding is Coding.LOSSLESS
                        stored = (
                            encode_lossless(pixels) if lossless else encode_jpeg(pixels, quality=95, subsampling="444")
                        )
                        writer.add(column, row, stored)
        return layout

    def teach(self, name: str, *slides: Code) -> TeachingCollection:
        """Compose a collection; every slide must be allowed."""
        composition = compose(self.archive, name, slides)
        assert not composition.refusals
        assert composition.collection is not None
        return composition.collection

    def refuse(self, slide: Code) -> None:
        """Record that the person refused."""
        held = self.archive.slide(slide)
        facts = self.archive.facts_of(held.record.key)
        self.archive.record_facts(held.record.case, replace(facts, consent=Consent.REFUSED), reason="refused")

    def allow(self, slide: Code) -> None:
        """Take back that the person refused."""
        held = self.archive.slide(slide)
        facts = self.archive.facts_of(held.record.key)
        self.archive.record_facts(held.record.case, replace(facts, consent=Consent.UNKNOWN), reason="corrected")

    def shard(self, slide: Code, level: int = 0) -> Path:
        """Find the first shard file of a level."""
        return self.folder(slide) / "pyramid.ome.zarr" / str(level) / "c/0/0/0"

    def folder(self, slide: Code) -> Path:
        """Find the folder of a slide's scan."""
        return self.archive.place.of_scan(self.archive.slide(slide).scans[0].record.key)


def encoded(pixels: Picture, coding: Coding) -> bytes:
    """Encode a tile as a level of that coding stores it."""
    if coding is Coding.LOSSLESS:
        return encode_lossless(pixels)
    return encode_jpeg(pixels, quality=95, subsampling="444")


def padded_tile(picture: Picture, tile: Size, column: int, row: int) -> Picture:
    """Cut one tile; what lies beyond the picture has the colour of padding."""
    out = np.empty((tile.height, tile.width, 3), np.uint8)
    out[:] = PADDING
    y, x = row * tile.height, column * tile.width
    cut = picture[y : y + tile.height, x : x + tile.width]
    out[: cut.shape[0], : cut.shape[1]] = cut
    return out


def free_port() -> int:
    """Find a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


START = (
    "import json, sys; from pathlib import Path; from archive.server.run import serve; "
    "from archive.settings import ArchiveSettings; "
    "serve(ArchiveSettings(archive=Path(sys.argv[1]), port=int(sys.argv[2]), workers=int(sys.argv[3]), "
    "**json.loads((sys.argv[4:] or ['{}'])[0])), lambda address: print(address, flush=True))"
)


@contextmanager
def served(
    root: Path, *, workers: int = 2, log: Path | None = None, port: int | None = None, **settings: object
) -> Iterator[str]:
    """Serve an archive from processes of their own; gives the address without a final slash."""
    port = port or free_port()
    base = f"http://127.0.0.1:{port}"
    with (log or Path(os.devnull)).open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(root), str(port), str(workers), json.dumps(settings)],
            stdout=output,
            stderr=output,
        )
        try:
            _wait_for(base, process, str(settings.get("hostname", f"127.0.0.1:{port}")), settings.get("root_path", ""))
            yield base
        finally:
            process.terminate()
            try:
                process.wait(60)
            finally:
                process.kill()
                process.wait()


def _wait_for(base: str, process: "subprocess.Popen[bytes]", host: str, root: object) -> None:
    request = urllib.request.Request(f"{base}{root}/healthz", headers={"host": host})
    for _ in range(300):
        if process.poll() is not None:
            raise AssertionError("the server ended at once")
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not answer within 30 s")
