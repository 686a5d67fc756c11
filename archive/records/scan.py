"""A slide may be scanned more than once; a scan is one digital image of it, described by what was measured.

Numbers come from the scanner's metadata through an allow-list. The maker and the model of the scanner are kept, since
colour and focus depend on them; its serial number is not.
"""

import math
import re
from dataclasses import dataclass, field
from enum import StrEnum

from archive.codes import InternalKey
from archive.consent import MightIdentify
from archive.errors import InvalidValue
from archive.geometry import MicronsPerPixel, Size
from archive.records.chain import require_keys

_PRODUCT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._/()+-]{0,62}[A-Za-z0-9.)+])?")
_SHA256 = re.compile(r"[0-9a-f]{64}")

MOST_LEVELS = 32
"""Halving 2**31 pixels down to one takes fewer levels than this."""


class Fidelity(StrEnum):
    """How the pixels were stored."""

    COPIED = "copied"
    """The scanner's own compressed tiles: bit for bit what the scanner wrote."""
    LOSSLESS = "lossless"
    """Decoded and compressed anew without loss: the pixels are those of the source."""
    LOSSY = "lossy"
    """Decoded and compressed anew with loss, because the laboratory asked for it; told for ever."""


class ScanStatus(StrEnum):
    """Whether a scan may be opened at all, before any question of consent."""

    KEPT = "kept"
    QUARANTINED = "quarantined"
    """What is recorded of its case no longer lets the laboratory keep it; it is kept again once that is put right."""
    WITHDRAWN = "withdrawn"
    DAMAGED = "damaged"
    UNREVIEWED = "unreviewed"
    """What the catalogue knew of it was lost, and it was catalogued anew from what lies beside its pixels: a withdrawal
    may be forgotten, so it is opened for nothing until somebody has looked."""
    REDACTING = "redacting"
    """Something on it is to be black and is not yet, so it is opened for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRecord:
    """One scan of a slide.

    ``size`` is that of level 0 in pixels; ``level_count`` counts the stored levels, ``levels_added`` those among them
    that the scanner had not made. ``quality`` is the JPEG quality of a lossy copy, 1 to 100. ``might_identify`` is
    the grade of this scan's pixels, ``rescreen`` marks it to be screened again, and ``deidentified`` says that the
    report of its de-identification was passed; the report speaks of exactly the bytes that ``manifest_sha256`` stands
    for. ``stored_bytes`` and ``manifest_sha256`` are set when the scan is committed.
    """

    key: InternalKey
    slide: InternalKey
    size: Size
    level_count: int
    mpp: MicronsPerPixel | None = None
    objective_power: float | None = None
    scanner_maker: str | None = None
    scanner_model: str | None = None
    fidelity: Fidelity
    levels_added: int = 0
    quality: int | None = None
    might_identify: MightIdentify = field(default_factory=MightIdentify)
    rescreen: bool = True
    deidentified: bool = False
    status: ScanStatus = ScanStatus.KEPT
    stored_bytes: int = 0
    manifest_sha256: str = ""

    def __post_init__(self) -> None:
        require_keys(self.key, self.slide)
        self._require_numbers()
        for product in (self.scanner_maker, self.scanner_model):
            if product is not None and not _PRODUCT.fullmatch(product):
                raise InvalidValue("the maker and the model of a scanner are short product names")
        if (self.fidelity is Fidelity.LOSSY) != (self.quality is not None):
            raise InvalidValue("a lossy copy has a quality, and no other has one")
        if self.manifest_sha256 and not _SHA256.fullmatch(self.manifest_sha256):
            raise InvalidValue("the digest of a manifest has 64 hexadecimal digits")

    def _require_numbers(self) -> None:
        if not 1 <= self.level_count <= MOST_LEVELS or not 0 <= self.levels_added < self.level_count:
            raise InvalidValue(f"a scan has 1 to {MOST_LEVELS} levels, and at least one of them is the scanner's own")
        power = self.objective_power
        if power is not None and not (math.isfinite(power) and 0.1 <= power <= 250):
            raise InvalidValue("an objective magnifies between 0.1 and 250 times")
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise InvalidValue("the quality of a lossy copy is between 1 and 100")
        if self.stored_bytes < 0:
            raise InvalidValue("a scan is stored in 0 bytes or more")

    @property
    def report_bound(self) -> bool:
        """Whether a passed de-identification report is bound to exactly the bytes that are stored."""
        return self.deidentified and bool(self.manifest_sha256)
