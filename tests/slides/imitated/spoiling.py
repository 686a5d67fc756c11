"""A broken slide that somebody found is a sound one in which one thing is changed; here is how things are changed."""

import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from tests.slides.made import MadeSlide
from tests.slides.mutants import Entry, chain, directories

Files = dict[str, bytes]
"""The files of a slide, by their names below its folder; an empty name stands for the main file in what follows."""

Spoil = Callable[["Slide"], object]

_BYTES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 11: 4, 12: 8, 13: 4, 16: 8, 18: 8}
"""Length of a value by its TIFF type."""


@dataclass
class Slide:
    """The files of a slide that are about to be changed."""

    files: Files
    main: str

    def __getitem__(self, name: str) -> bytes:
        return self.files[name or self.main]

    def __setitem__(self, name: str, data: bytes) -> None:
        self.files[name or self.main] = data

    @contextmanager
    def open(self, name: str = "") -> Iterator[bytearray]:
        """Give a file's bytes to be changed in place."""
        data = bytearray(self[name])
        yield data
        self[name] = bytes(data)


@dataclass(frozen=True, eq=False)
class Sound:
    """A sound slide, made once."""

    make: Callable[..., MadeSlide]
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def slide(self) -> Slide:
        """Its files, not to be changed."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            made = self.make(folder / self.name, **self.options)
            found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
            return Slide(found, made.path.relative_to(folder).as_posix())


@dataclass(frozen=True)
class Imitation:
    """A sound slide, what is changed in it, and why it is read here although OpenSlide refuses it, where it is."""

    sound: Sound
    spoil: Spoil
    read: str = ""

    def write(self, folder: Path) -> Path:
        """Write the broken slide, and give its main file, which may not be there."""
        slide = Slide(dict(self.sound.slide.files), self.sound.slide.main)
        self.spoil(slide)
        for name, data in slide.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return folder / slide.main


def word(old: str | bytes, new: str | bytes, file: str = "") -> Spoil:
    """Put one word in the place of another, once."""
    before, after = (one.encode() if isinstance(one, str) else one for one in (old, new))

    def spoil(slide: Slide) -> None:
        if before not in slide[file]:
            raise ValueError(f"{before!r} is not in the sound slide")
        slide[file] = slide[file].replace(before, after, 1)

    return spoil


def words(*changes: tuple[str, str], file: str = "") -> Spoil:
    """Change several words."""

    def spoil(slide: Slide) -> None:
        for old, new in changes:
            word(old, new, file)(slide)

    return spoil


def without(file: str) -> Spoil:
    """Take a file away."""
    return lambda slide: slide.files.pop(file or slide.main)


def cut(at: int, file: str = "") -> Spoil:
    """End a file early; from its end where the place is negative."""

    def spoil(slide: Slide) -> None:
        slide[file] = slide[file][:at]

    return spoil


def nothing(slide: Slide) -> None:
    """Change nothing: the sound slide was made with the fault."""


class Tiff:
    """The directories of a TIFF file that are about to be changed."""

    def __init__(self, data: bytearray) -> None:
        self.data = data
        self.chain = list(chain(data))
        self._entries = list(directories(data))

    def entry(self, number: int, code: int) -> Entry:
        """Give an entry of a directory."""
        return next(entry for entry in self._entries[number] if entry.code == code)

    def place(self, number: int, code: int) -> int:
        """Tell where the first value of an entry lies."""
        entry = self.entry(number, code)
        (kind,) = struct.unpack_from(f"{entry.form[0]}H", self.data, entry.at + 2)
        (count,) = struct.unpack_from(entry.form, self.data, entry.count_at)
        room = struct.calcsize(entry.form)
        inline = _BYTES[kind] * count <= room
        return entry.value_at if inline else int(struct.unpack_from(entry.form, self.data, entry.value_at)[0])

    def put(self, number: int, code: int, value: int, at: int = 0) -> None:
        """Write one of an entry's values, as its type says."""
        entry = self.entry(number, code)
        (kind,) = struct.unpack_from(f"{entry.form[0]}H", self.data, entry.at + 2)
        form = {3: "H", 4: "I", 9: "i", 13: "I", 16: "Q", 18: "Q"}[kind]
        place = self.place(number, code) + at * _BYTES[kind]
        struct.pack_into(f"{entry.form[0]}{form}", self.data, place, value)

    def get(self, number: int, code: int) -> int:
        """Read an entry's first value."""
        entry = self.entry(number, code)
        (kind,) = struct.unpack_from(f"{entry.form[0]}H", self.data, entry.at + 2)
        form = {3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}[kind]
        return int(struct.unpack_from(f"{entry.form[0]}{form}", self.data, self.place(number, code))[0])

    def call(self, number: int, code: int, other: int) -> None:
        """Give an entry another number, so that its own is missing."""
        entry = self.entry(number, code)
        struct.pack_into(f"{entry.form[0]}H", self.data, entry.at, other)
        self._entries = list(directories(self.data))

    def retype(self, number: int, code: int, kind: int) -> None:
        """Say that an entry's values are of another type."""
        entry = self.entry(number, code)
        struct.pack_into(f"{entry.form[0]}H", self.data, entry.at + 2, kind)

    def point(self, number: int, code: int, at: int) -> None:
        """Say that an entry's values lie elsewhere."""
        entry = self.entry(number, code)
        struct.pack_into(entry.form, self.data, entry.value_at, at)

    def first_stream(self, number: int) -> int:
        """Tell where a directory's first tile or strip begins."""
        return self.get(number, 324 if any(entry.code == 324 for entry in self._entries[number]) else 273)


def tiff(change: Callable[[Tiff], object]) -> Spoil:
    """Change directories of the main file."""

    def spoil(slide: Slide) -> None:
        with slide.open() as data:
            change(Tiff(data))

    return spoil


def tag(number: int, code: int, value: int) -> Spoil:
    """Write another value for a tag of a directory."""
    return tiff(lambda file: file.put(number, code, value))


def stream(number: int, at: int, raw: bytes) -> Spoil:
    """Write over the bytes of a directory's first tile or strip, from a place in it."""

    def change(file: Tiff) -> None:
        begins = file.first_stream(number) + at
        file.data[begins : begins + len(raw)] = raw

    return tiff(change)
