"""A scanner whose colours are known by a formula: its profile, and which colours its numbers are.

Its darkest is not black (L* 6) and its white has a tint, as those of scanners; its curves are three different ones.
"""

import struct

import numpy as np
import numpy.typing as npt

Colours = npt.NDArray[np.float64]

GAMMAS = np.array([1.9, 1.8, 2.0])
LEAST = 0.007
"""Share of the light that comes through what is darkest."""

TO_XYZ_D50 = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
"""sRGB's primaries under D50, as ICC.1 has them."""

D50 = np.array([0.9642, 1.0, 0.8249])


def lab_of_scanner(device: npt.NDArray[np.uint8]) -> Colours:
    """Give the colours (..., 3), CIELAB relative to the scanner's white, that the scanner's numbers stand for."""
    light = (device / 255) ** GAMMAS
    return lab_of_linear(LEAST + light * (1 - LEAST))


def lab_of_srgb(pixels: npt.NDArray[np.uint8]) -> Colours:
    """Give the colours (..., 3), CIELAB, that pixels in sRGB stand for (IEC 61966-2-1)."""
    value = pixels / 255
    return lab_of_linear(np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4))


def lab_of_linear(light: Colours) -> Colours:
    """Give CIELAB (D50) of light through sRGB's primaries, (..., 3) from 0 to 1."""
    ratio = light @ TO_XYZ_D50.T / TO_XYZ_D50.sum(1)
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def chart(steps: int = 17) -> npt.NDArray[np.uint8]:
    """Draw so many steps of each channel in all combinations, (steps, steps * steps, 3)."""
    axis = np.linspace(0, 255, steps).round().astype(np.uint8)
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(steps, steps * steps, 3)


def scanner(side: int = 17) -> bytes:
    """Write the scanner's profile: version 2, a table of 16-bit words to Lab, a gamma before it."""
    axis = np.linspace(0, 1, side)
    light = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
    lab = lab_of_linear(LEAST + light**2 * (1 - LEAST))
    words = np.stack([lab[..., 0] * 652.8, (lab[..., 1] + 128) * 256, (lab[..., 2] + 128) * 256], -1)
    before = np.round(np.linspace(0, 1, 256)[None] ** (GAMMAS[:, None] / 2) * 65535).astype(">u2").tobytes()
    after = np.array([0, 65535], ">u2").tobytes() * 3
    head = b"mft2" + bytes(4) + struct.pack(">BBBB", 3, 3, side, 0) + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table = (
        head + struct.pack(">HH", 256, 2) + before + np.clip(words.round(), 0, 65535).astype(">u2").tobytes() + after
    )
    tags = {"A2B0": table, "wtpt": b"XYZ " + bytes(4) + _fixed(0.93, 0.97, 0.78)}
    return _profile(tags, space=b"RGB ", connection=b"Lab ")


def grey_scanner() -> bytes:
    """Write the profile of a scanner of grey pictures, with a gamma of 2.2."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(2.2 * 256))
    return _profile({"kTRC": curve, "wtpt": b"XYZ " + bytes(4) + _fixed(*D50)}, space=b"GRAY", connection=b"XYZ ")


def _fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def _profile(tags: dict[str, bytes], *, space: bytes, connection: bytes) -> bytes:
    """Assemble a profile as the archive keeps one: neither texts of its own nor a date."""
    tags = {
        "desc": b"desc" + bytes(4) + struct.pack(">I", 4) + b"RGB\0" + bytes(4 + 4 + 2 + 1 + 67),
        "cprt": b"text" + bytes(4) + b"CC0\0",
        **tags,
    }
    at, table, body = 132 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name.encode(), at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(
        ">I4xB3x4s4s4s12x4s24xI3i48x", at + len(body), 2, b"scnr", space, connection, b"acsp", 0, 63190, 65536, 54061
    )
    return header + struct.pack(">I", len(tags)) + table + body
