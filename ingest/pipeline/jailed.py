"""What the jail is asked to do, by name: the process that can open the key vault never loads a slide reader."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

MODULES = (
    "ingest.pipeline.describing",
    "ingest.pipeline.storing",
    "ingest.pipeline.comparing",
    "ingest.pipeline.picturing",
    "ingest.pipeline.showing",
    "ingest.pipeline.zooming",
)
"""What is done in the jail."""

PREPARED = (*MODULES, "cv2")
"""What the jail's fork server imports once, before any slide is read; OpenCV averages the pixels of added levels."""


@dataclass(frozen=True, slots=True)
class InJail:
    """A function of a module that only the jail imports."""

    module: str
    name: str

    def __call__(self, *args: Any) -> Any:
        """Import the module, in the jail, and call the function."""
        return getattr(import_module(self.module), self.name)(*args)


describe = InJail(MODULES[0], "describe")
store = InJail(MODULES[1], "store")
compare = InJail(MODULES[2], "compare")
picture = InJail(MODULES[3], "picture")
show = InJail(MODULES[4], "show")
zoom = InJail(MODULES[5], "zoom")
