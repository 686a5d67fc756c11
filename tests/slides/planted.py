"""An identifier that was planted in a known place can be looked for everywhere, in every spelling that files use."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SHORTEST = 10
"""Bytes. Shorter words occur by chance in compressed pixels, so none is planted."""


@dataclass
class Plant:
    """Tokens by hiding place. A place asked for again gives the same token.

    Parameters
    ----------
    values
        What to plant in some places instead of a made-up token, such as a case's own name or number.
    seed
        Other seeds give other tokens.
    """

    values: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    tokens: dict[str, str] = field(default_factory=dict)

    def __call__(self, place: str) -> str:
        """Return the token of a place and remember that it was planted there."""
        if place not in self.tokens:
            token = self.values.get(place) or _token(f"{self.seed}/{place}")
            if len(token.encode()) < SHORTEST:
                raise ValueError(f"a planted word has at least {SHORTEST} bytes: the one for {place} is shorter")
            self.tokens[place] = token
        return self.tokens[place]

    def survivors(self, data: bytes) -> list[str]:
        """Tell which tokens are in the data, as ``place (encoding)``."""
        folded = data.lower()
        return [
            f"{place} ({name})"
            for place, token in self.tokens.items()
            for name, pattern in encodings(token).items()
            if pattern in data or (not name.startswith("base64") and pattern.lower() in folded)
        ]

    def survivors_under(self, folder: Path) -> list[str]:
        """Tell which tokens are in any file's bytes or any name below a folder."""
        return [f"{found} in {name}" for name, data in _everything_under(folder) for found in self.survivors(data)]


def encodings(token: str) -> dict[str, bytes]:
    """Spell a token as files do: plain, UTF-16 both ways, hexadecimal, and base64 at its three alignments.

    Of a base64 spelling only those characters are given that do not depend on what stands before and after.
    """
    plain = token.encode()
    spelt = {
        "utf-8": plain,
        "utf-16-le": token.encode("utf-16-le"),
        "utf-16-be": token.encode("utf-16-be"),
        "hex": plain.hex().encode(),
    }
    for text in ("utf-8", "utf-16-le"):
        for shift in range(3):
            spelt[f"base64 of {text}, shifted by {shift}"] = _base64_core(token.encode(text), shift)
    return spelt


def _base64_core(plain: bytes, shift: int) -> bytes:
    whole = base64.b64encode(b"\0" * shift + plain)
    first = -(-shift * 8 // 6)
    last = (shift + len(plain)) * 8 // 6
    return whole[first:last]


def _token(place: str) -> str:
    digest = hashlib.sha256(place.encode()).digest()
    return "Q" + base64.b32encode(digest)[:13].decode()


def _everything_under(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        relative = str(path.relative_to(folder))
        yield relative, relative.encode()
        if path.is_file():
            yield relative, path.read_bytes()
