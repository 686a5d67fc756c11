"""Thousands of planted tokens are looked for at once: one after the other would take longer than making the slides."""

from pathlib import Path

import hyperscan

from tests.slides.planted import Plant, encodings


class Searched:
    """All tokens of a plant in every spelling, as `Plant.survivors` tells them, in one pass over the data."""

    def __init__(self, plant: Plant) -> None:
        self._named = [
            (f"{place} ({name})", pattern, not name.startswith("base64"))
            for place, token in plant.tokens.items()
            for name, pattern in encodings(token).items()
        ]
        flags = [hyperscan.HS_FLAG_CASELESS if caseless else 0 for _, _, caseless in self._named]
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=["".join(f"\\x{byte:02x}" for byte in pattern).encode() for _, pattern, _ in self._named],
            ids=list(range(len(self._named))),
            elements=len(self._named),
            flags=[flag | hyperscan.HS_FLAG_SINGLEMATCH for flag in flags],
        )

    def survivors(self, data: bytes) -> list[str]:
        """Tell which tokens are in the data, as ``place (encoding)``."""
        found: set[int] = set()

        def told(number: int, *_: object) -> None:
            found.add(number)

        if data:
            self._database.scan(data, match_event_handler=told)
        return [self._named[number][0] for number in sorted(found)]

    def survivors_under(self, folder: Path) -> list[str]:
        """Tell which tokens are in any file's bytes or any name below a folder."""
        found = []
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            found += [f"{one} in {name}" for one in self.survivors(name.encode())]
            if path.is_file():
                found += [f"{one} in {name}" for one in self.survivors(path.read_bytes())]
        return found
