"""A process that commits scans, to be killed: ``python -m tests.archive.holdings.committing ARCHIVE [STEP [LIMIT]]``.

With a step it commits one scan and is killed right after that step. With a limit in bytes it commits one scan while no
file may grow beyond that. With neither it commits scan after scan and prints each one's code, until somebody kills it.
"""

import os
import resource
import signal
import sys
from pathlib import Path

from archive.codes import InternalKey, new_key
from archive.consent import Facts, MightIdentify
from archive.consent.terms import TissueSource
from archive.errors import CatalogueUnavailable, HoldingsUnavailable
from archive.geometry import Size
from archive.holdings import Archive, Committed
from archive.records import CaseRecord, Fidelity, ScanRecord, SlideRecord, Stain


def commit_one(archive: Archive, size_bytes: int = 40_000, patient: InternalKey | None = None) -> Committed:
    """Commit a scan of a new slide, whose pixels are any bytes: the holdings never look into them."""
    case = CaseRecord(new_key(), patient or new_key(), Facts(source=TissueSource.LIVING))
    slide = SlideRecord(new_key(), case.key, new_key(), Stain.HE)
    scan = ScanRecord(
        key=new_key(),
        slide=slide.key,
        size=Size(2000, 1000),
        level_count=1,
        fidelity=Fidelity.COPIED,
        might_identify=MightIdentify.screened("structure-1"),
        deidentified=True,
    )
    with archive.stage() as staged:
        (staged.folder / "0" / "c").mkdir(parents=True)
        (staged.folder / "zarr.json").write_text("{}")
        for shard in range(3):
            (staged.folder / "0" / "c" / str(shard)).write_bytes(os.urandom(size_bytes))
        return archive.commit(staged, case, slide, scan)


def main(root: Path, fatal: str | None, limit_bytes: int | None) -> int:
    """Commit until killed, or once within a limit; 7 if that was refused."""

    def step(name: str) -> None:
        if name == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    with Archive.open(root, step=step, actor="ingest") as archive:
        archive.recover()
        if limit_bytes is not None:
            return within(archive, limit_bytes)
        while True:
            print(commit_one(archive).scan_code, flush=True)


def within(archive: Archive, limit_bytes: int) -> int:
    """Commit one scan while no file may grow beyond a limit."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    try:
        commit_one(archive)
    except (CatalogueUnavailable, HoldingsUnavailable) as error:
        print(error)
        return 7
    except OSError as error:  # the pixels' own writer met the limit
        print(f"the pixels cannot be used now: {error.strerror}")
        return 7
    return 0


if __name__ == "__main__":
    arguments = [*sys.argv[1:], None, None]
    sys.exit(main(Path(str(arguments[0])), arguments[1], int(arguments[2]) if arguments[2] else None))
