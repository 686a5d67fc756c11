"""``coverslip`` that kills itself between two steps of a correction.

``python -m tests.journeys.dying_correcting MOMENT correct slide ARGUMENT...``: behind the moment, the real command.
"""

import sys
from collections.abc import Callable
from typing import Any

from archive.catalogue import Writing
from ingest.__main__ import main as coverslip
from ingest.keyvault.corrections import Corrections
from ingest.pipeline import correcting
from tests.journeys.dying import end

MOMENTS = ("planned", "begun", "telling", "recorded", "finished")
"""Before anything is written; after the vault; within the archive's transaction; after it; after the vault's note."""

UNCHANGED = ("planned",)
"""Moments at which nothing was corrected, and nothing is finished later."""


def end_at(moment: str) -> None:
    """Arrange to end at a moment."""
    if moment == "planned":
        _set(Corrections, "move_slide", lambda *_, **__: end())
        _set(Corrections, "move_case", lambda *_, **__: end())
    elif moment == "begun":
        _set(Corrections, "move_slide", _last(Corrections.move_slide))
        _set(Corrections, "move_case", _last(Corrections.move_case))
    elif moment == "telling":
        _set(Writing, "tell", _last(Writing.tell))
    elif moment == "recorded":
        _set(correcting, "record", _last(correcting.record))
    elif moment == "finished":
        _set(Corrections, "finish", _last(Corrections.finish))


def _last(real: Callable[..., Any]) -> Callable[..., None]:
    def act(*arguments: Any, **options: Any) -> None:
        real(*arguments, **options)
        end()

    return act


def _set(owner: Any, name: str, value: Any) -> None:
    setattr(owner, name, value)


if __name__ == "__main__":
    end_at(sys.argv.pop(1))
    coverslip()
