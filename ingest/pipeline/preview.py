"""Look into a slide without taking it in: what would be kept, and what would be left behind."""

from dataclasses import dataclass
from pathlib import Path

from ingest.deidentify import CleanMetadata, deidentify
from ingest.label import LeftBehind, leave_behind
from ingest.pipeline.answers import Description
from ingest.pipeline.jailed import describe
from ingest.pipeline.source import listed
from ingest.precheck import Family, parts, precheck
from ingest.profiles import profile_for
from ingest.sandbox import Jail, Limits


@dataclass(frozen=True)
class Preview:
    """What is in a slide's file. Nothing of it was written anywhere."""

    family: Family
    found: Description
    metadata: CleanMetadata
    left_behind: LeftBehind


def preview(path: Path, *, limits_only: bool = False) -> Preview:
    """Look into a slide, in a jail that can write nothing; with `limits_only` also where the system has no walls.

    Raises
    ------
    SlideRefused
        If it would be refused for what it is.
    """
    family = precheck(path)
    files = [file.absolute() for file in parts(path)]  # the jail works in another folder
    limits = Limits.for_source(sum(file.stat().st_size for file in files))
    with Jail(read=files, list_names=listed(family, files[0]), limits=limits, allow_limits_only=limits_only) as jail:
        found = Description.from_json(jail.call(describe, str(files[0])))
    left = leave_behind(found.associated, label_expected=profile_for(found.maker).label_expected)
    return Preview(family, found, deidentify(found.maker, found.properties), left)
