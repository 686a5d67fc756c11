"""How fast tiles are served, beside nginx with the same tiles as files and beside OpenSlide's DeepZoomGenerator."""

import io
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from types import MappingProxyType

import openslide
from openslide.deepzoom import DeepZoomGenerator

from archive.accounts import AccountStore, Grant, Role
from archive.geometry import Size
from archive.holdings import Archive
from tests.archive.server.taught import TaughtArchive, shrunk
from tests.benchmarks.ingesting import whole_ingest
from tests.benchmarks.report import Row
from tests.slides.colour_charts import scanner
from tests.slides.graded import grade_as_clean
from tests.slides.tissue import tissue

CONNECTIONS, SECONDS, WORKERS = 32, 8, 2
ROUNDS = 3
STORED_TILES, DERIVED_TILES = 6000, 3000

LUA = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local at = 0
request = function() at = at %% #paths + 1; return wrk.format("GET", paths[at], {%s}) end
"""

NGINX = """
worker_processes 2; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{ access_log off; sendfile on; tcp_nopush on; open_file_cache max=20000;
  types {{ image/jpeg jpg; }}
  server {{ listen 127.0.0.1:{port}; root {folder}/static; }} }}
"""


def measure(slide: Path) -> list[Row]:
    """Serve stored and derived tiles of a slide; the peers take turns on the same two cores."""
    with tempfile.TemporaryDirectory(prefix="coverslip-bench-") as name:
        folder = Path(name)
        subprocess.run(whole_ingest(slide, folder), check=True, stdout=subprocess.DEVNULL)
        archive = folder / "archive"
        with Archive.open(archive, actor="benchmark") as holdings:
            grade_as_clean(holdings)
        listed = subprocess.run(
            [sys.executable, "-m", "archive", "list", "--archive", str(archive), "--json"],
            check=True,
            capture_output=True,
            text=True,
        )
        code = json.loads(listed.stdout)[0]["slide"]
        command = [sys.executable, "-m", "archive", "teach", "Benchmark", code, "--archive", str(archive)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        rows = [*_stored(archive, folder), *_derived(slide, archive, folder), *_managed(folder)]
        return [*rows, *_with_accounts(archive, folder)]


def _with_accounts(archive: Path, folder: Path) -> list[Row]:
    """Serve stored tiles to a browser that signed in, in turns with the same archive while it had no accounts."""
    paths: list[str] = []
    lone, signed_in = [], []
    port = free_port()
    for _ in range(ROUNDS):
        with server(archive, port) as base:
            paths = paths or random_tiles(base, 0, STORED_TILES)
            lone.append(wrk(base, paths, folder))
        with AccountStore.open(archive, create=True) as store:
            store.add("carol", grants=[Grant(Role.CUSTODIAN)])
            store.add("class", grants=[Grant(Role.LEARNER)])
            cookie = f"coverslip-{port}={store.sign_in_vouched('class', 'benchmark', 'class').token}"
        with server(archive, port) as base:
            signed_in.append(wrk(base, paths, folder, cookie))
        for file in archive.glob("*accounts*"):
            file.unlink()
    (ours, ours_p99), (theirs, theirs_p99) = (map(median, zip(*rates, strict=True)) for rates in (signed_in, lone))
    return [
        Row("stored tiles/s with accounts", ours, "without accounts", theirs, ours / theirs, "at least 0.8"),
        Row(
            "stored tiles with accounts, p99 ms", ours_p99, "without", theirs_p99, ours_p99 / theirs_p99, "at most 1.5"
        ),
    ]


def _stored(archive: Path, folder: Path) -> list[Row]:
    with server(archive) as base:
        paths = random_tiles(base, 0, STORED_TILES)
        for path in paths:
            file = folder / "static" / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(urllib.request.urlopen(base + path).read())
        ours, ours_p99 = wrk(base, paths, folder)
    with nginx(folder) as base:
        theirs, _ = wrk(base, paths, folder)
    return [
        Row("stored tiles/s", ours, "nginx, static files", theirs, ours / theirs, "at least 0.4"),
        Row("stored tiles, p99 ms", ours_p99, "limit", 10, ours_p99 / 10, "at most 1"),
    ]


def _derived(slide: Path, archive: Path, folder: Path) -> list[Row]:
    with server(archive, COVERSLIP_TILE_CACHE_BYTES="0") as base:  # so that each tile is made anew
        ours, _ = wrk(base, random_tiles(base, 1, DERIVED_TILES), folder)
    with get_context("spawn").Pool(WORKERS) as pool:
        theirs = sum(pool.map(deep_zoom_rate, [(str(slide), seed) for seed in range(WORKERS)]))
    return [
        Row("derived tiles/s", ours, "limit", 1000, ours / 1000, "at least 1"),
        Row("derived tiles/s", ours, "DeepZoomGenerator, no HTTP", theirs, ours / theirs, "at least 5"),
    ]


def _managed(folder: Path) -> list[Row]:
    """Serve tiles whose colours are managed beside derived ones of the same drawn slide, whose scanner is known."""
    taught = TaughtArchive(folder / "coloured")
    whole = tissue(4096, 4096)
    taught.teach("Benchmark", taught.add([whole, shrunk(whole, 4)], tile=Size(256, 256), profile=scanner()))
    taught.archive.close()
    with server(taught.root, COVERSLIP_TILE_CACHE_BYTES="0") as base:
        theirs, _ = wrk(base, random_tiles(base, 1, DERIVED_TILES), folder)
        paths = [path.replace("/tiles/", "/srgb/tiles/") for path in random_tiles(base, 0, DERIVED_TILES)]
        ours, _ = wrk(base, paths, folder)
    return [Row("tiles/s managed to sRGB", ours, "derived tiles/s", theirs, ours / theirs, "none")]


def deep_zoom_rate(job: tuple[str, int]) -> float:
    """Measure tiles a second of one DeepZoomGenerator, encoded as JPEG, at the level that halves the slide."""
    path, seed = job
    tiles = DeepZoomGenerator(openslide.OpenSlide(path), tile_size=256, overlap=0)
    level = tiles.level_count - 2
    columns, rows = tiles.level_tiles[level]
    rng, start, count = random.Random(seed), time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        picture = tiles.get_tile(level, (rng.randrange(columns), rng.randrange(rows)))
        picture.save(io.BytesIO(), "JPEG", quality=87)
        count += 1
    return count / (time.perf_counter() - start)


def random_tiles(base: str, level: int, count: int) -> list[str]:
    """Choose random tiles of one of the viewer's levels."""
    collection = json.loads(urllib.request.urlopen(f"{base}/api/collections").read())[0]["handle"]
    slides = json.loads(urllib.request.urlopen(f"{base}/api/collections/{collection}").read())["slides"]
    handle = slides[0]["handle"]
    shape = json.loads(urllib.request.urlopen(f"{base}/api/slides/{handle}").read())["levels"][level]
    columns, rows = -(-shape["width"] // shape["tile_width"]), -(-shape["height"] // shape["tile_height"])
    rng = random.Random(7)
    return [f"/slides/{handle}/tiles/{level}/{rng.randrange(columns)}_{rng.randrange(rows)}.jpg" for _ in range(count)]


def wrk(base: str, paths: list[str], folder: Path, cookie: str = "") -> tuple[float, float]:
    """Measure requests a second and p99 in milliseconds. Any answer that is not a tile ends the benchmark."""
    (folder / "paths.txt").write_text("\n".join(paths))
    headers = f'Cookie = "{cookie}"' if cookie else ""
    (folder / "tiles.lua").write_text(LUA % (folder / "paths.txt", headers))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", str(folder / "tiles.lua"), base]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in out:
        raise SystemExit(f"some answers were not tiles:\n{out}")
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()  # type: ignore[union-attr]
    p99_ms = float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), p99_ms  # type: ignore[index]


@contextmanager
def server(archive: Path, port: int | None = None, **settings: str) -> Iterator[str]:
    """Run the tile server with two workers, and with settings from the environment."""
    port = port or free_port()
    command = [sys.executable, "-m", "archive", "serve", "--archive", str(archive)]
    yield from _running([*command, "--port", str(port), "--workers", str(WORKERS)], port, settings)


@contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """Run nginx with two workers over the same tiles as files."""
    if not shutil.which("nginx"):
        raise SystemExit("install nginx for this benchmark: apt-get install nginx-light")
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    folder.chmod(0o755)
    yield from _running(["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)], port)


def _running(command: list[str], port: int, settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, **settings})
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """Find a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
