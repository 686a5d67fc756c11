"""A record and its row are the same thing said twice; this is the one place where they are turned into each other.

Rows are plain mappings of column names to values that JSON can hold, so the same form also travels beside the pixels
of a scan and can be taken up again when the catalogue did not get that far.
"""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeAlias, TypeVar

from archive.codes import InternalKey
from archive.consent import Facts, MightIdentify
from archive.errors import CatalogueUnavailable
from archive.geometry import MicronsPerPixel, Size
from archive.records import CaseRecord, Concept, Fidelity, ScanRecord, ScanStatus, Scheme, SlideRecord, Stain

Row: TypeAlias = Mapping[Any, Any]
R = TypeVar("R")


def _closed(read: Callable[[Row], R]) -> Callable[[Row], R]:
    """Turn an impossible value in a row into one error, so that a damaged row opens nothing."""

    @wraps(read)
    def reading(row: Row) -> R:
        try:
            return read(row)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise CatalogueUnavailable(
                "the catalogue holds an impossible value and may be damaged; restore it from a backup"
            ) from None

    return reading


def facts_text(facts: Facts) -> str:
    """Give facts as canonical JSON."""
    return json.dumps(facts.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def case_row(case: CaseRecord) -> dict[str, Any]:
    """Give the row of a case."""
    told = None if case.told == case.facts else facts_text(case.told)
    return {"key": case.key, "patient_key": case.patient, "facts": facts_text(case.facts), "told": told}


@_closed
def case_from(row: Row) -> CaseRecord:
    """Read the row of a case."""
    told = None if row["told"] is None else Facts.from_json(json.loads(row["told"]))
    return CaseRecord(row["key"], row["patient_key"], Facts.from_json(json.loads(row["facts"])), told)


@_closed
def situation_from(row: Row) -> tuple[Facts, MightIdentify, bool]:
    """Read the row of a situation."""
    facts = Facts.from_json(json.loads(row["facts"]))
    return facts, MightIdentify.parse(row["might_identify"]), bool(row["report_bound"])


def slide_row(slide: SlideRecord) -> dict[str, Any]:
    """Give the row of a slide."""
    return {
        "key": slide.key,
        "case_key": slide.case,
        "block_key": slide.block,
        "stain": slide.stain and str(slide.stain),
        "organ_scheme": slide.organ and str(slide.organ.scheme),
        "organ_code": slide.organ and slide.organ.code,
        "diagnosis_scheme": slide.diagnosis and str(slide.diagnosis.scheme),
        "diagnosis_code": slide.diagnosis and slide.diagnosis.code,
    }


@_closed
def slide_from(row: Row) -> SlideRecord:
    """Read the row of a slide."""
    return SlideRecord(
        key=row["key"],
        case=row["case_key"],
        block=row["block_key"],
        stain=Stain(row["stain"]) if row["stain"] else None,
        organ=Concept(Scheme(row["organ_scheme"]), row["organ_code"]) if row["organ_code"] else None,
        diagnosis=Concept(Scheme(row["diagnosis_scheme"]), row["diagnosis_code"]) if row["diagnosis_code"] else None,
    )


_SAME = (
    *("level_count", "levels_added", "objective_power", "scanner_maker", "scanner_model", "quality"),
    *("rescreen", "deidentified", "stored_bytes", "manifest_sha256"),
)
"""Fields of a scan that stand in a column of the same name."""


def scan_row(scan: ScanRecord) -> dict[str, Any]:
    """Give the row of a scan."""
    return {name: getattr(scan, name) for name in _SAME} | {
        "key": scan.key,
        "slide_key": scan.slide,
        "width": scan.size.width,
        "height": scan.size.height,
        "mpp_x": scan.mpp and scan.mpp.x,
        "mpp_y": scan.mpp and scan.mpp.y,
        "fidelity": str(scan.fidelity),
        "might_identify": str(scan.might_identify),
        "status": str(scan.status),
    }


@_closed
def scan_from(row: Row) -> ScanRecord:
    """Read the row of a scan."""
    return ScanRecord(
        key=InternalKey(row["key"]),
        slide=row["slide_key"],
        size=Size(row["width"], row["height"]),
        mpp=MicronsPerPixel(row["mpp_x"], row["mpp_y"]) if row["mpp_x"] is not None else None,
        fidelity=Fidelity(row["fidelity"]),
        might_identify=MightIdentify.parse(row["might_identify"]),
        status=ScanStatus(row["status"]),
        **{name: row[name] for name in _SAME},
    )
