"""A slide can be spoilt in many ways: by chance, as disks and networks do, and on purpose, as whoever attacks a reader.

Each way changes one thing in a copy of a sound slide, and says whether the slide has what it would change. Numbers and
bits are changed in any file; directories in those that are TIFF, names in those that are texts.
"""

import io
import os
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

Chance = np.random.Generator
Spoil = Callable[[Path, Chance], bool]
"""Changes something in the slide that is named by a file, which has a folder for itself and all its parts."""

NUMBERS = (0, 1, 0x7FFF, 0xFFFF, 1 << 16, (1 << 31) - 1, (1 << 32) - 1)
SIZES = (256, 257, 277, 278, 322, 323, 258, 279, 325)
"""Tags of width, height, samples, rows, tiles, depth and lengths."""

HEAD_BYTES = 3000
BOMB_BYTES = 1 << 30


@dataclass(frozen=True)
class Entry:
    """An entry of a TIFF directory: where it stands, its tag, and how its count and value are written."""

    at: int
    code: int
    form: str

    @property
    def count_at(self) -> int:
        return self.at + 4

    @property
    def value_at(self) -> int:
        return self.at + 4 + struct.calcsize(self.form)


def flip_bits(main: Path, chance: Chance) -> bool:
    """Flip one bit or a few, anywhere or where a file begins."""
    path, data = _any_file(main, chance)
    reach = len(data) if chance.random() < 0.5 else min(len(data), HEAD_BYTES)
    for at in chance.integers(reach, size=int(chance.choice((1, 3, 20)))):
        data[int(at)] ^= 1 << int(chance.integers(8))
    return _write(path, data)


def zero(main: Path, chance: Chance) -> bool:
    """Write zeros over a stretch."""
    path, data = _any_file(main, chance)
    begin, end = _stretch(data, chance)
    data[begin:end] = bytes(end - begin)
    return _write(path, data)


def double(main: Path, chance: Chance) -> bool:
    """Write a stretch twice, so that all that follows moves."""
    path, data = _any_file(main, chance)
    begin, end = _stretch(data, chance)
    data[begin:begin] = data[begin:end]
    return _write(path, data)


def cut_out(main: Path, chance: Chance) -> bool:
    """Leave a stretch out."""
    path, data = _any_file(main, chance)
    begin, end = _stretch(data, chance)
    del data[begin:end]
    return _write(path, data)


def truncate(main: Path, chance: Chance) -> bool:
    """End a file early."""
    path, data = _any_file(main, chance)
    del data[int(chance.integers(len(data))) :]
    return _write(path, data)


def lose_a_part(main: Path, chance: Chance) -> bool:
    """Leave out one of several files."""
    others = [file for file in _files(main) if file != main]
    if others:
        others[int(chance.integers(len(others)))].unlink()
    return bool(others)


def change_number(main: Path, chance: Chance) -> bool:
    """Write a telling number anywhere where a file begins."""
    path, data = _any_file(main, chance)
    at = int(chance.integers(max(1, min(len(data), HEAD_BYTES) - 4)))
    data[at : at + 4] = int(chance.choice(NUMBERS)).to_bytes(4, chance.choice(("little", "big")))
    return _write(path, data)


def swap_count_and_place(main: Path, chance: Chance) -> bool:
    """Swap count and value of an entry, or the values of two; elsewhere two neighbouring numbers."""
    path, data = _any_file(main, chance)
    found = [entry for directory in directories(data) for entry in directory]
    if not found:
        at = int(chance.integers(max(1, min(len(data), HEAD_BYTES) - 8)))
        data[at : at + 8] = data[at + 4 : at + 8] + data[at : at + 4]
        return _write(path, data)
    one, other = (found[int(k)] for k in chance.integers(len(found), size=2))
    size = struct.calcsize(one.form)
    first, second = (one.count_at, one.value_at) if chance.random() < 0.5 else (one.value_at, other.value_at)
    data[first : first + size], data[second : second + size] = (
        data[second : second + size],
        data[first : first + size],
    )
    return _write(path, data)


def loop(main: Path, chance: Chance) -> bool:
    """Let the last directory be followed by one that was before it."""
    data = bytearray(main.read_bytes())
    found = list(chain(data))
    if not found:
        return False
    links = [link for _, link, _ in found]
    form = found[-1][2]
    struct.pack_into(form, data, links[-1], found[int(chance.integers(len(found)))][0])
    return _write(main, data)


def tell_a_huge_size(main: Path, chance: Chance) -> bool:
    """Tell a size that nothing has, in a directory, in the frame of a JPEG stream, or in a text."""
    path, data = _any_file(main, chance)
    found = [entry for directory in directories(data) for entry in directory if entry.code in SIZES]
    frames = [at.start() for at in re.finditer(rb"\xff[\xc0\xc1\xc2]\x00[\x08-\x14]\x08", data)]
    if found and (not frames or chance.random() < 0.5):
        entry = found[int(chance.integers(len(found)))]
        struct.pack_into(entry.form, data, entry.value_at, int(chance.choice(NUMBERS[3:])))
    elif frames:
        struct.pack_into(">HH", data, frames[int(chance.integers(len(frames)))] + 5, 65_500, 65_500)
    elif numbers := list(re.finditer(rb"= *(\d+)", data)):
        number = numbers[int(chance.integers(len(numbers)))]
        data[number.start(1) : number.end(1)] = str(int(chance.choice((0, 2**31 - 1, 2**63 - 1)))).encode()
    else:
        return False
    return _write(path, data)


def hide_a_bomb(main: Path, chance: Chance) -> bool:
    """Point a tile at a megabyte that becomes a gigabyte, or the description at XML that becomes one."""
    data = bytearray(main.read_bytes())
    found = list(directories(data))
    by_code = {entry.code: entry for entry in found[0]} if found else {}
    if 270 in by_code and chance.random() < 0.5:
        _repoint(data, by_code[270], _laughs())
    elif {259, 324, 325} <= by_code.keys() or {259, 273, 279} <= by_code.keys():
        places, lengths = (324, 325) if 324 in by_code else (273, 279)
        bomb = _zeros()
        at = len(data)
        data += bomb
        for code, value in ((places, at), (lengths, len(bomb))):
            entry = by_code[code]
            struct.pack_into(f"{entry.form[0]}H", data, entry.at + 2, 4)
            struct.pack_into(entry.form, data, entry.count_at, 1)
            struct.pack_into(entry.form, data, entry.value_at, value)
        struct.pack_into(f"{by_code[259].form[0]}H", data, by_code[259].value_at, 8)
    else:
        return False
    return _write(main, data)


def lead_out(main: Path, chance: Chance) -> bool:
    """Name a file elsewhere in the text that names the slide's parts."""
    texts = [file for file in _files(main) if file.suffix in {".vms", ".vmu", ".ini"}]
    if not texts:
        return False
    data = texts[0].read_bytes()
    named = list(re.finditer(rb"(?m)^(?:ImageFile[^=]*|MapFile|MacroImage|INDEXFILE|FILE_\d+) *= *([^\r\n]+)", data))
    name = named[int(chance.integers(len(named)))]
    way = _WAYS_OUT[int(chance.integers(len(_WAYS_OUT)))].replace(b"NAME", name[1])
    return _write(texts[0], data[: name.start(1)] + way + data[name.end(1) :])


_WAYS_OUT = (
    b"../NAME",
    b"/etc/passwd",
    b"x/../../NAME",
    b"..\\NAME",
    b"C:\\NAME",
    b"//host/NAME",
    b"./NAME",
    b"NAME\0x",
)


def link(main: Path, chance: Chance) -> bool:
    """Put a link in the place of a file that a slide cannot be without."""
    file = main if main.suffix != ".mrxs" or chance.random() < 0.5 else main.with_suffix("") / "Slidedat.ini"
    elsewhere = main.parent.parent / "elsewhere"
    elsewhere.unlink(missing_ok=True)
    os.replace(file, elsewhere)
    file.symlink_to(elsewhere)
    return True


def pack(main: Path, chance: Chance) -> bool:
    """Deliver an archive in the place of the slide and all its parts, with links in it that lead out."""
    packed = io.BytesIO()
    if chance.random() < 0.5:
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name, target, kind in (
                ("a", "../../etc/passwd", tarfile.SYMTYPE),
                ("b", "/etc/passwd", tarfile.LNKTYPE),
            ):
                member = tarfile.TarInfo(name)
                member.type, member.linkname = kind, target
                tar.addfile(member)
            tar.add(main, "../slide")
    else:
        with zipfile.ZipFile(packed, "w") as archive:
            archive.write(main, "../../slide")
            linked = zipfile.ZipInfo("link")
            linked.external_attr = 0o120777 << 16
            archive.writestr(linked, "/etc/passwd")
    for part in _files(main):
        part.unlink()
    return _write(main, packed.getvalue())


MUTATIONS: Mapping[str, Spoil] = {
    "flipped bits": flip_bits,
    "zeros": zero,
    "a stretch twice": double,
    "a stretch missing": cut_out,
    "the end missing": truncate,
    "a file missing": lose_a_part,
    "another number": change_number,
    "counts and places swapped": swap_count_and_place,
    "directories in a loop": loop,
    "a huge size": tell_a_huge_size,
    "a bomb": hide_a_bomb,
    "a way out": lead_out,
    "a link": link,
    "an archive": pack,
}

NEVER_KEPT = {"directories in a loop", "a way out", "a link", "an archive"}
"""What no slide can be sound with."""


def spoil(main: Path, chance: Chance) -> str:
    """Spoil a slide in one way, and tell which."""
    for name in chance.permutation(list(MUTATIONS)):
        if MUTATIONS[str(name)](main, chance):
            return str(name)
    raise AssertionError("bits can be flipped in any slide")


def _files(main: Path) -> list[Path]:
    return sorted(path for path in main.parent.rglob("*") if path.is_file())


def _any_file(main: Path, chance: Chance) -> tuple[Path, bytearray]:
    """Choose the main file as often as all others together."""
    files = [path for path in _files(main) if path.stat().st_size]
    path = main if chance.random() < 0.5 else files[int(chance.integers(len(files)))]
    return path, bytearray(path.read_bytes())


def _write(path: Path, data: bytes | bytearray) -> bool:
    path.write_bytes(data)
    return True


def _stretch(data: bytearray, chance: Chance) -> tuple[int, int]:
    begin = int(chance.integers(len(data)))
    return begin, min(len(data), begin + int(chance.integers(1, 64)))


def chain(data: bytearray) -> Iterator[tuple[int, int, str]]:
    """Give the place of each directory of a TIFF file, the place of its link to the next, and how that is written."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    if order is None or struct.unpack_from(f"{order}H", data, 2)[0] not in (42, 43):
        return
    big = struct.unpack_from(f"{order}H", data, 2)[0] == 43
    form, counted, entry = (f"{order}Q", f"{order}Q", 20) if big else (f"{order}I", f"{order}H", 12)
    (at,) = struct.unpack_from(form, data, 8 if big else 4)
    while at:
        (count,) = struct.unpack_from(counted, data, at)
        link_at = at + struct.calcsize(counted) + entry * count
        yield at, link_at, form
        (at,) = struct.unpack_from(form, data, link_at)


def directories(data: bytearray) -> Iterator[list[Entry]]:
    """Give the entries of each directory of a TIFF file; none of any other file."""
    for at, link_at, form in chain(data):
        big = form.endswith("Q")
        places = range(at + (8 if big else 2), link_at, 20 if big else 12)
        yield [Entry(place, struct.unpack_from(f"{form[0]}H", data, place)[0], form) for place in places]


def _repoint(data: bytearray, entry: Entry, raw: bytes) -> None:
    struct.pack_into(entry.form, data, entry.count_at, len(raw))
    struct.pack_into(entry.form, data, entry.value_at, len(data))
    data += raw


@cache
def _zeros() -> bytes:
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(BOMB_BYTES >> 20)) + packer.flush()


@cache
def _laughs() -> bytes:
    """Write XML whose few lines stand for a billion words."""
    lines = "".join(f'<!ENTITY a{k} "{f"&a{k - 1};" * 10}">' for k in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY a0 "ha">{lines}]><OME>&a9;</OME>\0'.encode()
