"""What the catalogue tells of a case, a slide and a scan: keys, closed vocabularies and measured numbers.

There is no free text here, because free text is where names travel: a stain is one of a list, an organ or a diagnosis
is a code of SNOMED CT or ICD-O-3, and everything else is a number. Every value is checked when it is made.
"""

from archive.records.chain import CaseRecord, SlideRecord
from archive.records.concept import Concept, Scheme
from archive.records.held import HeldScan, HeldSlide
from archive.records.scan import Fidelity, ScanRecord, ScanStatus
from archive.records.stain import Stain

__all__ = [
    "CaseRecord",
    "Concept",
    "Fidelity",
    "HeldScan",
    "HeldSlide",
    "ScanRecord",
    "ScanStatus",
    "Scheme",
    "SlideRecord",
    "Stain",
]
