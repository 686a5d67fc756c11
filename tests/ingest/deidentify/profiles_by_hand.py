"""Colour profiles of every kind that scanners embed, written by hand, with names wherever there is room for one."""

import struct
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

NAME = "DOE^JANE S25-10432"

SIDE = 9
"""Points along each axis of a colour table."""

TO_XYZ_D50 = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
D50 = np.array([0.9642, 1.0, 0.8249])


@dataclass
class Profile:
    """A profile to be written; the defaults make the header of an ordinary scanner's."""

    tags: dict[str, bytes]
    version: int = 2
    kind: bytes = b"scnr"
    space: bytes = b"RGB "
    connection: bytes = b"XYZ "
    extra: dict[str, bytes] = field(default_factory=dict)
    gap: bytes = b""
    """Bytes after each tag that no tag claims."""

    def to_bytes(self) -> bytes:
        """Write it."""
        tags = {**texts(self.version), **self.tags, **self.extra}
        at, table, body = 132 + 12 * len(tags), b"", b""
        for name, data in tags.items():
            table += struct.pack(">4sII", name.encode("latin-1"), at + len(body), len(data))
            body += data + self.gap + bytes(-(len(data) + len(self.gap)) % 4)
        header = struct.pack(
            ">I4sB3x4s4s4s6H4s4sI4s4sQI3i4s16s28s",
            *(at + len(body), b"DOE1", self.version, self.kind, self.space, self.connection),
            *(1961, 2, 3, 9, 59, 15, b"acsp", b"APPL", 0, b"JANE", b"DOE2", 0, 1),
            *(63190, 65536, 54061, b"JDOE", b"S25-10432 an id.", b"more of DOE^JANE"),
        )
        return header + struct.pack(">I", len(tags)) + table + body


def texts(version: int) -> dict[str, bytes]:
    """Write the texts that a profile has, each with the name in it."""
    raw = NAME.encode("utf-16-be")
    unicode = b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(raw), 28) + raw
    plain = b"text" + bytes(4) + NAME.encode() + b"\0"
    described = b"desc" + bytes(4) + struct.pack(">I", len(NAME) + 1) + NAME.encode() + bytes(79)
    if version == 2:
        return {"desc": described, "cprt": plain, "dmnd": described, "dmdd": described, "priv": plain}
    return {"desc": unicode, "cprt": unicode, "dmnd": unicode, "dmdd": unicode, "priv": plain}


def fixed(*numbers: float) -> bytes:
    """Write s15Fixed16 numbers."""
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def xyz(*numbers: float) -> bytes:
    return b"XYZ " + bytes(4) + fixed(*numbers)


def gamma(value: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(value * 256))


def sampled(points: int, power: float) -> bytes:
    values = np.round(np.linspace(0, 1, points) ** power * 65535).astype(">u2")
    return b"curv" + bytes(4) + struct.pack(">I", points) + values.tobytes()


def parametric() -> bytes:
    return b"para" + bytes(4) + struct.pack(">H2x", 3) + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def matrix_tags(*curves: bytes) -> dict[str, bytes]:
    """Write the tags of a matrix profile with one curve or three."""
    red, green, blue = curves * 3 if len(curves) == 1 else curves
    primaries = {f"{name}XYZ": xyz(*TO_XYZ_D50[:, at]) for at, name in enumerate("rgb")}
    return {**primaries, "rTRC": red, "gTRC": green, "bTRC": blue, "wtpt": xyz(*D50)}


def table_colours(side: int = SIDE) -> npt.NDArray[np.float64]:
    """Give CIELAB (D50) at each point of a colour table, (side, side, side, 3): sRGB-like, with a twist."""
    axis = np.linspace(0, 1, side)
    device = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
    twisted = device ** np.array([2.2, 2.0, 2.4])
    ratio = (twisted @ TO_XYZ_D50.T) / D50
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def table_of_bytes() -> bytes:
    """Write an ``mft1`` table to Lab."""
    lab = table_colours()
    coded = np.stack([lab[..., 0] * 2.55, lab[..., 1] + 128, lab[..., 2] + 128], -1)
    straight = np.arange(256, dtype=np.uint8).tobytes()
    head = b"mft1" + bytes(4) + struct.pack(">BBBB", 3, 3, SIDE, 7) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    return head + straight * 3 + np.clip(np.round(coded), 0, 255).astype(np.uint8).tobytes() + straight * 3


def table_of_words() -> bytes:
    """Write an ``mft2`` table to Lab, in the coding that this type has in both versions."""
    lab = table_colours()
    coded = np.stack([lab[..., 0] * 652.8, (lab[..., 1] + 128) * 256, (lab[..., 2] + 128) * 256], -1)
    bent = np.round(np.linspace(0, 1, 33) ** 0.9 * 65535).astype(">u2").tobytes()
    straight = np.array([0, 65535], ">u2").tobytes()
    head = b"mft2" + bytes(4) + struct.pack(">BBBB", 3, 3, SIDE, 7) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    points = np.clip(np.round(coded), 0, 65535).astype(">u2").tobytes()
    return head + struct.pack(">HH", 33, 2) + bent * 3 + points + straight * 3


def table_of_curves(*, with_matrix: bool = False, with_grid: bool = True, precision: int = 2) -> bytes:
    """Write an ``mAB`` table to Lab, its parts in another order than they are applied, with the name between them."""
    lab = table_colours()
    coded = np.stack([lab[..., 0] / 100, (lab[..., 1] + 128) / 255, (lab[..., 2] + 128) / 255], -1)
    largest, form = (255, np.uint8) if precision == 1 else (65535, np.dtype(">u2"))
    points = np.clip(np.round(coded * largest), 0, largest).astype(form).tobytes()
    grid = bytes([SIDE] * 3) + b"DOE^JANE12345" + bytes([precision]) + b"JDO" + points
    parts = {"after": gamma(1.0) + b"JD"}
    parts["after"] *= 3
    if with_matrix:
        parts["matrix"] = fixed(0.98, 0.01, 0, 0, 0.99, 0, 0.01, 0, 1, 0.01, 0, 0)
        parts["middle"] = parametric() * 3
    if with_grid:
        parts["grid"] = grid
        parts["before"] = sampled(10, 0.95) * 3
    at, places, body = 32, {}, b""
    for name in ("grid", "before", "middle", "after", "matrix"):
        if name in parts:
            places[name] = at + len(body)
            body += parts[name] + bytes(-len(parts[name]) % 4) + b"DOE^JANE"
    offsets = [places.get(name, 0) for name in ("after", "matrix", "middle", "grid", "before")]
    return b"mAB " + bytes(4) + struct.pack(">BB2s5I", 3, 3, b"JD", *offsets) + body
