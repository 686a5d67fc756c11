"""A delivery with slides of every format, full of names, is taken in, looked at with every command, taught and given.

Whatever that leaves behind or sends is kept, to be searched.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.journeys.laboratory import Laboratory, Said, row_of, write_list
from tests.slides.around import plant_beside, plant_on
from tests.slides.formats import FORMATS
from tests.slides.generic import make_tiff
from tests.slides.made import MadeSlide
from tests.slides.planted import Plant
from tests.slides.svs import make_svs

OTHERS = ("list", "feed", "around", "a file without a row", "a broken file")
"""Where names were planted besides the slides that are taken in."""


@dataclass
class Journey:
    """All that was delivered, and all that came of it."""

    laboratory: Laboratory
    delivery: Path
    plant: Plant
    slides: dict[str, MadeSlide]
    codes: dict[str, str] = field(default_factory=dict)
    """The code of each slide, by its format."""
    handles: tuple[str, ...] = ()
    answers: dict[str, bytes] = field(default_factory=dict)
    """Each address with its whole answer: status, headers and body."""
    statuses: dict[str, int] = field(default_factory=dict)

    @property
    def sent(self) -> bytes:
        """Everything that was sent over HTTP, each different body once."""
        return b"\n".join(dict.fromkeys(self.answers.values()))

    @property
    def receipts(self) -> Path:
        """What was said of each slide that was taken in, for programs."""
        return self.laboratory.home / "receipts.jsonl"

    @property
    def exports(self) -> Path:
        """A project's cohort, the audit's entries, the day's report, and the backup."""
        return self.laboratory.home / "exports"


def journey(home: Path) -> Journey:
    """Go the whole way."""
    made = delivered(home)
    laboratory = made.laboratory
    laboratory.home.mkdir()
    made.exports.mkdir()
    (delivery_list,) = made.delivery.glob("*.csv")
    attested, statement = made.plant("feed: who attests it"), made.plant("feed: statement")
    laboratory.declare_feed("--attested-by", attested, "--no-post-mortems", f"none is sent here, says {statement}")
    laboratory.run("feed", "list")
    laboratory.run("delivery", "check", delivery_list)
    laboratory.run("inspect", made.slides["svs"].path)
    for kind in ("svs", "ndpi", "dicom"):
        laboratory.run("inspect", made.slides[kind].path, "--json")
    laboratory.take_in(made.delivery, delivery_list, "--dry-run")
    taken = laboratory.take_in(made.delivery, delivery_list, "--receipts", made.receipts, ends=3)
    made.codes = {kind: taken.slides[row] for row, kind in enumerate(made.slides, 2) if row in taken.slides}
    again = laboratory.take_in(made.delivery, delivery_list, "--receipts", made.receipts, ends=3)
    assert again.slides == taken.slides
    laboratory.run("rescreen")
    _look(laboratory, next(iter(taken.slides.values())))
    _export(made)
    collection = laboratory.teach("Colon, first week", *taken.slides.values())
    with laboratory.serving() as base:
        ask_for_everything(made, base, collection)
    return made


def _look(laboratory: Laboratory, some: str) -> Said:
    laboratory.run("quarantine", "list")
    laboratory.run("quarantine", "list", "--json")
    laboratory.run("list")
    laboratory.run("list", "--json")
    laboratory.run("show", some)
    laboratory.run("show", some, "--json")
    laboratory.run("explain", some, "--purpose", "teaching", "--to", "class")
    return laboratory.run("doctor")


def _export(made: Journey) -> None:
    laboratory, exports = made.laboratory, made.exports
    laboratory.run_archive("project", "add", "grading")
    cohort = ("--csv", exports / "cohort.csv", "--parquet", exports / "cohort.parquet")
    laboratory.run_archive("cohort", "stain = HE", "--project", "grading", *cohort)
    laboratory.run("audit", "sign", "--heads", exports)
    laboratory.run("audit", "export", exports / "entries.jsonl", "--reason", "a yearly look", "--heads", exports)
    laboratory.run("report", "--csv", exports / "report.csv", "--html", exports / "report.html")
    vault = ("--vault-to", exports / "vault", "--key-to", exports / "key")
    laboratory.run("backup", exports / "backup", *vault)


def delivered(home: Path) -> Journey:
    """Write slides of every format into folders that are called after a patient, and a list of whose they are."""
    listed = Plant(values={"surname": "Thistlewaite", "born": "1948-07-05", "ward": "Mortlake Ward 7"}, seed=99)
    delivery = home / "delivered" / listed("folder above") / listed("folder")
    delivery.mkdir(parents=True)
    slides = {
        kind: one.planted(delivery, listed(f"name of the {kind}"), Plant(seed=number))
        for number, (kind, one) in enumerate(FORMATS.items())
    }
    unlisted, broken = (delivery / listed(f"name of {other}") for other in OTHERS[3:])
    strange = make_svs(unlisted.with_suffix(".svs"), width=300, height=300, factors=(1,), seed=90, plant=Plant(seed=90))
    spoilt = make_tiff(broken.with_suffix(".tif"), "deflate", seed=91, plant=Plant(seed=91))
    spoilt.path.write_bytes(spoilt.path.read_bytes()[:5000])
    rows = [
        _row(listed, kind, made.path) | {"file": made.path.relative_to(delivery).as_posix()}
        for kind, made in [*slides.items(), ("broken file", spoilt)]
    ]
    write_list(delivery / f"{listed('name of the list')}.csv", *rows)
    everything = Plant()
    around = Plant(seed=98)
    plant_beside(slides["svs"].path, around)
    plant_on(slides["svs"].path, around)
    planted = {"list": listed, **{kind: made.plant for kind, made in slides.items()}}
    planted |= {"around": around, OTHERS[3]: strange.plant}
    for name, plant in planted.items():
        everything.tokens |= {f"{name}: {place}": token for place, token in plant.tokens.items()}
    everything.tokens |= {"list: name as a sentence": "Thistlewaite, ", "list: born": "5 July 1948"}
    return Journey(Laboratory(home / "laboratory"), delivery, everything, slides)


def _row(listed: Plant, kind: str, path: Path) -> dict[str, object]:
    return row_of(
        path,
        listed(f"case of the {kind}"),
        patient=listed(f"patient of the {kind}"),
        block=listed(f"block of the {kind}"),
        slide=listed(f"number of the {kind}"),
        patient_name=f"{listed('surname')}^{listed(f'first name for the {kind}')}",
        birth_date=listed("born"),
        procedure=listed(f"procedure for the {kind}"),
        location=listed("ward"),
        might_identify="no",
        assessed_by=listed(f"who looked at the {kind}"),
    )


def ask_for_everything(made: Journey, base: str, collection: str) -> None:
    """Ask for every page, every tile of every level, and for much that is not there."""
    with httpx.Client(base_url=base) as client:
        told = client.get(f"/api/collections/{collection}").json()
        made.handles = tuple(slide["handle"] for slide in told["slides"])
        pictures = [address for handle in made.handles for address in _pictures(client, handle)]
        pages = ["/", f"/collections/{collection}", "/healthz", "/static/pages.css", "/static/viewer.js"]
        api = ["/api/openapi.json", "/api/collections", f"/api/collections/{collection}"]
        api += [f"/api/slides/{handle}" for handle in made.handles]
        for address in (*pages, *api, *(f"/slides/{handle}" for handle in made.handles), *pictures):
            _ask(made, client, "GET", address)
        name, handle = made.plant.tokens["list: surname"], made.handles[0]
        for address in (*_ABSENT, f"/slides/{name}", f"/api/slides/{name}", f"/static/{name}"):
            _ask(made, client, "GET", address.format(handle=handle))
        _ask(made, client, "POST", f"/api/collections?patient={name}")
        _ask(made, client, "POST", f"/slides/{handle}/tiles/0/0_0.jpg?patient={name}")
        _ask(made, client, "GET", f"/?patient={name}", host=f"{name}.example")


_ABSENT = (
    *("/nothing", "/slides/{handle}x", "/collections/{handle}", "/api/slides/x", "/api/nothing", "/docs", "/static/x"),
    *("/slides/{handle}/tiles/99/0_0.jpg", "/slides/{handle}/tiles/0/99_0.jpg", "/slides/{handle}/tiles/0/x_0.jpg"),
    *("/slides/{handle}_files/0/1_0.jpeg", "/slides/{handle}_files/99/0_0.jpeg", "/slides/{handle}_files/-1/0_0.jpeg"),
    *("/slides/%00.dzi", "/slides/..%2f..%2farchive.json", "/slides/{handle}/thumbnail.png", "/catalogue.sqlite"),
)
"""Addresses of nothing, and malformed ones."""


def _pictures(client: httpx.Client, handle: str) -> Iterator[str]:
    told = client.get(f"/api/slides/{handle}").json()
    yield from (f"/slides/{handle}/thumbnail.jpg", f"/slides/{handle}.dzi", f"/slides/{handle}/srgb/thumbnail.jpg")
    yield from (f"/slides/{handle}/srgb.dzi", f"/slides/{handle}/srgb/tiles/0/0_0.jpg")
    for number, level in enumerate(told["levels"]):
        for row in range(-(-level["height"] // level["tile_height"])):
            for column in range(-(-level["width"] // level["tile_width"])):
                yield f"/slides/{handle}/tiles/{number}/{column}_{row}.jpg"
    size = told["levels"][0]["width"], told["levels"][0]["height"]
    tile = int(re.findall(r'TileSize="(\d+)"', client.get(f"/slides/{handle}.dzi").text)[0])
    highest = (max(size) - 1).bit_length()
    for level in range(highest + 1):
        width, height = (-(-side // 2 ** (highest - level)) for side in size)
        for row in range(-(-height // tile)):
            for column in range(-(-width // tile)):
                yield f"/slides/{handle}_files/{level}/{column}_{row}.jpeg"


def _ask(made: Journey, client: httpx.Client, method: str, address: str, host: str | None = None) -> None:
    answer = client.request(method, address, headers={"host": host} if host else None)
    head = b"\n".join(b"%b: %b" % pair for pair in answer.headers.raw)
    name = f"{method} {address}"
    made.statuses[name] = answer.status_code
    made.answers[name] = b"%d %b\n%b\n\n%b" % (answer.status_code, answer.reason_phrase.encode(), head, answer.content)


def known_codes(made: Journey) -> Plant:
    """Give every code and internal key of the archive, to be looked for where none may be."""
    told = json.dumps([json.loads(line) for line in made.receipts.read_text().splitlines()])
    known = Plant(tokens={code: code for code in re.findall(r"[PCSN]-[0-9A-Z]{5}-[0-9A-Z]{5}", told)})
    texts = [path.read_text() for path in made.laboratory.archive.glob("scans/*/*/record.json")]
    known.tokens |= {f"key {key}": key for text in texts for key in re.findall(r'"([0-9a-f]{32})"', text)}
    return known
