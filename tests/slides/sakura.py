"""A Sakura scanner writes a database: each colour of each tile is a grey JPEG, under a name that tells its place.

The tiles lie in a table with a name of its own, beside a few bytes that tell the size. Other tables hold what is known
of the slide and of the scan, and the pictures of label and glass.

Source: OpenSlide's description of the Sakura format.
"""

import sqlite3
import struct
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.slides import jpegs
from tests.slides.laden import label_of_a_patient, laden, macro_of
from tests.slides.made import MadeLevel, MadeSlide, cut, mend
from tests.slides.planted import Plant
from tests.slides.tiff import grid
from tests.slides.tissue import Picture, reduced, tissue

_TABLE = "SVGigaPixelImageTable"
_SCHEMA = f"""
CREATE TABLE DataManagerSQLiteConfigXPO (OID INTEGER PRIMARY KEY, TableName TEXT);
CREATE TABLE {_TABLE} (id TEXT PRIMARY KEY, size INTEGER, data BLOB);
CREATE TABLE SVSlideDataXPO (OID INTEGER PRIMARY KEY, m_labelScan INTEGER, m_overviewScan INTEGER, SlideId TEXT,
    Date TEXT, Description TEXT, Creator TEXT, DiagnosisCode TEXT, HRScanCount INTEGER, Keywords TEXT);
CREATE TABLE SVHRScanDataXPO (OID INTEGER PRIMARY KEY, ParentSlide INTEGER, ScanId TEXT, Date TEXT, Description TEXT,
    Name TEXT, PosOnSlideMm BLOB, ResolutionMmPerPix FLOAT, NominalLensMagnification FLOAT, ThumbnailImage BLOB,
    FocussingMethod TEXT);
CREATE TABLE SVScannedImageDataXPO (OID INTEGER PRIMARY KEY, Id TEXT, PosOnSlideMm BLOB, ScanCenterPosMm BLOB,
    ResolutionMmPerPix FLOAT, Image BLOB, ThumbnailImage BLOB);
CREATE TABLE Removed (text TEXT);
"""


@dataclass(frozen=True)
class Sakura:
    """What the scanner was like.

    Parameters
    ----------
    planes
        Focal planes; the middle one is what readers show. The others hold other pictures here.
    sparse
        Tiles (level, column, row) that the scanner left out.
    """

    width: int = 1000
    height: int = 700
    side: int = 256
    levels: int = 3
    planes: int = 1
    sparse: frozenset[tuple[int, int, int]] = frozenset({(0, 3, 2)})
    seed: int = 7
    plant: Plant | None = None


def make_sakura(path: Path, **options: Any) -> MadeSlide:
    """Write a Sakura slide as ``Sakura(**options)`` says, and return it with its known pixels."""
    sakura = Sakura(**options)
    plant = sakura.plant or Plant()
    whole = tissue(sakura.width, sakura.height, sakura.seed)
    rows: dict[str, bytes] = {
        "++MagicBytes": b"SVGigaPixelImage",
        "++VersionBytes": (plant("version") if sakura.plant else "1.0.0").encode(),
        "Header": struct.pack("<5I", sakura.side, sakura.width, sakura.height, 0, sakura.planes),
    }
    levels = []
    for number in range(sakura.levels):
        pixels = whole if not number else reduced(whole, sakura.width >> number, sakura.height >> number)
        levels.append(_level(sakura, rows, number, pixels))
    pictures = {"label": label_of_a_patient(), "macro": macro_of(whole), "thumbnail": reduced(whole, 200, 140)}
    streams = {name: jpegs.encode(pixels, quality=80) for name, pixels in pictures.items()}
    raw = {name: [jpegs.scan_data(stream)] for name, stream in streams.items()}
    if sakura.plant:
        streams = {name: laden(stream, plant, f"the {name}") for name, stream in streams.items()}
        rows["Remarks"] = plant("row of the maker's own").encode()
    _write(path, sakura, rows, streams, plant)
    return MadeSlide(
        path,
        tuple(levels),
        plant,
        associated={name: pictures[name] for name in ("label", "macro")},
        associated_bytes=raw,
        mpp=0.5,
        objective_power=20,
    )


def _level(sakura: Sakura, rows: dict[str, bytes], number: int, pixels: Picture) -> MadeLevel:
    height, width = pixels.shape[:2]
    side, decoded = (sakura.side, sakura.side), {}
    for column, row in grid(width, height, side):
        if (number, column, row) in sakura.sparse:
            continue
        part = cut(pixels, side, column, row)
        x, y = (place * sakura.side << number for place in (column, row))
        colours = []
        for colour in range(3):
            stream = jpegs.encode(np.ascontiguousarray(part[..., colour]), colours="grey", quality=85)
            colours.append(jpegs.decode(stream, "grey"))
            if sakura.plant and column + row < 2:
                stream = laden(stream, sakura.plant, f"colour {colour} of tile {column}|{row} of level {number}")
            for plane in range(sakura.planes):
                shown = plane == (sakura.planes - 1) // 2
                name = f"T;{x}|{y};{1 << number};{colour};{plane}"
                rows[name] = stream if shown else jpegs.encode(255 - part[..., colour], colours="grey", quality=85)
                rows[f"{name}#"] = b"digest"
        decoded[column, row] = np.stack(colours, axis=-1)
    return MadeLevel(mend(width, height, side, decoded), side)


def _write(path: Path, sakura: Sakura, rows: dict[str, bytes], streams: dict[str, bytes], plant: Plant) -> None:
    def told(place: str, otherwise: str = "x") -> str:
        return plant(place) if sakura.plant else otherwise

    slide = [told(name) for name in ("SlideId", "Date", "Description", "Creator", "DiagnosisCode")]
    scan = [told(f"scan's {name}") for name in ("ScanId", "Date", "Description", "Name")]
    with closing(sqlite3.connect(path)) as file, file:
        file.executescript(_SCHEMA)
        file.execute("INSERT INTO DataManagerSQLiteConfigXPO VALUES (1, ?)", (_TABLE,))
        file.executemany(f"INSERT INTO {_TABLE} VALUES (?, ?, ?)", [(i, len(d), d) for i, d in rows.items()])
        file.execute("INSERT INTO SVSlideDataXPO VALUES (1, 1, 2, ?, ?, ?, ?, ?, 1, ?)", (*slide, told("Keywords")))
        file.execute(
            "INSERT INTO SVHRScanDataXPO VALUES (1, 1, ?, ?, ?, ?, NULL, 0.0005, 20.0, ?, ?)",
            (*scan, streams["thumbnail"], told("FocussingMethod")),
        )
        for number, name in enumerate(("label", "macro"), 1):
            values = (number, told(f"Id of the {name}"), streams[name])
            file.execute("INSERT INTO SVScannedImageDataXPO VALUES (?, ?, NULL, NULL, 0.01, ?, NULL)", values)
        file.execute("INSERT INTO Removed VALUES (?)", (told("row that was removed") * 20,))
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("PRAGMA secure_delete = OFF")
        file.execute("DELETE FROM Removed")
