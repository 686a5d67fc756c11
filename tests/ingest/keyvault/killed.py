"""Run one act of the vault again and again, killed at each step that reaches the disk, one step later each time.

``python -m tests.ingest.keyvault.killed ACT FROM TO`` copies FROM to TO/1, TO/2, ... and kills at step 1, 2, ...; the
last copy is the one in which the act came to its end. A kill comes before and after each flush and rename and before
each commit.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from ingest.keyvault import KeyVault, Whereabouts
from tests.ingest.keyvault.conftest import JANE, JOHN, digest

LIMIT = 80
"""More steps than any act has."""


def create(here: Path) -> None:
    KeyVault.create(here / "vault", here / "keys" / "vault.key")


def erase(here: Path) -> None:
    with KeyVault.open(here / "vault", here / "keys" / "vault.key") as vault:
        vault.erase(vault.keys_for(JANE, "S26-1", "A1", "HE").patient, "a.clinician", "request 17")


def rotate(here: Path) -> None:
    with KeyVault.open(here / "vault", here / "keys" / "vault.key") as vault:
        vault.rotate(here / "new keys" / "new.key", who="a.clinician")


def record(here: Path) -> None:
    with KeyVault.open(here / "vault", here / "keys" / "vault.key") as vault:
        keys = vault.keys_for(JOHN, "S26-2", "A1", "HE")
        vault.confirm(vault.record_file(digest("content"), keys.slide, "first.svs"))


def move(here: Path) -> None:
    with KeyVault.open(here / "vault", here / "keys" / "vault.key") as vault:
        slide = vault.keys_for(JANE, "S26-1", "A1", "HE").slide
        to = Whereabouts(JOHN.patient, "S26-2", "B1", "HE")
        begun = vault.corrections.move_slide(slide, to, (), lambda keys: keys.slide, who="a.clinician", reason="why")
        vault.corrections.finish(begun, str)


ACTS: dict[str, Callable[[Path], None]] = {
    "create": create,
    "erase": erase,
    "rotate": rotate,
    "record": record,
    "move": move,
}


def killed_at(step: int, act: Callable[[Path], None], here: Path) -> bool:
    """Run an act in a child and kill it at a step; true if there was no such step and it ended."""
    child = os.fork()
    if child == 0:
        left = step

        def count(*_: Any) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        def counted(function: Callable[..., Any]) -> Callable[..., Any]:
            def before_and_after(*arguments: Any, **named: Any) -> Any:
                count()
                answer = function(*arguments, **named)
                count()
                return answer

            return before_and_after

        os.fsync = counted(os.fsync)
        os.replace = counted(os.replace)
        os.rename = counted(os.rename)
        event.listen(Engine, "commit", count)
        act(here)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return False
    if status:
        raise SystemExit(f"the act failed at step {step}")
    return True


def main(name: str, start: Path, to: Path) -> None:
    """Kill at every step in turn."""
    for step in range(1, LIMIT):
        here = to / str(step)
        shutil.copytree(start, here)
        if killed_at(step, ACTS[name], here):
            return
    raise SystemExit("the act has more steps than expected")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
