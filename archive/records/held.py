"""A slide as a project sees it: its record together with the codes that may be shown."""

from dataclasses import dataclass

from archive.codes import Code
from archive.records.chain import SlideRecord
from archive.records.scan import ScanRecord


@dataclass(frozen=True, slots=True)
class HeldScan:
    """A scan and its code in the project."""

    code: Code
    record: ScanRecord


@dataclass(frozen=True, slots=True)
class HeldSlide:
    """A slide, its code and those of its case and its patient in the project, and its scans in the order of codes."""

    code: Code
    case_code: Code
    patient_code: Code
    record: SlideRecord
    scans: tuple[HeldScan, ...]
