"""``coverslip`` that kills itself at a named moment: ``python -m tests.journeys.dying MOMENT ingest ARGUMENT...``.

It is the real command, run to the last byte as people run it; only told where to end. A moment is a step that the
ingest or the commit tells, ``pixels 512`` when so many tiles were told, or what happened last in the key vault.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from archive.holdings import Archive, Step
from ingest.__main__ import main as coverslip
from ingest.cli.taking_in import STEPS, SlideProgress
from ingest.keyvault import KeyVault

IN_VAULT = {"coded": "keys_for", "recorded": "record_file", "confirmed": "confirm"}
"""Moments right after the key vault was written, by the method that writes."""

UNCONFIRMED = "unconfirmed"
"""After the archive has the scan and before the vault is told so."""

TILES = (256, 512, 768)

SETTING_UP = {"vault made": (KeyVault, "create"), "archive made": (Archive, "create")}
"""Moments of a laboratory's very first ingest."""

MOMENTS = (*STEPS, *(f"pixels {tiles}" for tiles in TILES), *Step, *IN_VAULT, UNCONFIRMED)


def end() -> None:
    """End as if the power had gone."""
    os.kill(os.getpid(), signal.SIGKILL)


def end_at(moment: str) -> None:
    """Arrange to end at a moment."""
    if moment == "screen":
        os.environ["COVERSLIP_SCREEN"] = "now"
    _end_at_step_of_ingest(moment)
    _end_at_step_of_commit(moment)
    if moment in IN_VAULT:
        _end_after(KeyVault, IN_VAULT[moment])
    if moment in SETTING_UP:
        _end_after(*SETTING_UP[moment])
    if moment == UNCONFIRMED:
        setattr(KeyVault, IN_VAULT["confirmed"], lambda *_: end())


def _end_at_step_of_ingest(moment: str) -> None:
    name, _, tiles = moment.partition(" ")
    watch = SlideProgress.watch

    def watched(bar: SlideProgress, step: str, told: dict[str, int]) -> None:
        watch(bar, step, told)
        if step == name and told.get("tiles", 0) >= int(tiles or 0):
            end()

    setattr(SlideProgress, "watch", watched)  # noqa: B010 - mypy takes an assignment for a mistake


def _end_at_step_of_commit(moment: str) -> None:
    opened = Archive.open

    def step(name: str) -> None:
        if name == moment:
            end()

    setattr(Archive, "open", lambda *arguments, **options: opened(*arguments, **options, step=step))  # noqa: B010


def _end_after(owner: type, method: str) -> None:
    real: Callable[..., Any] = getattr(owner, method)

    def last(*arguments: Any, **options: Any) -> None:
        real(*arguments, **options)
        end()

    setattr(owner, method, last)


if __name__ == "__main__":
    end_at(sys.argv.pop(1))
    coverslip()
