"""Where the holdings are consulted: slides are found by code, uses are decided, scans are opened.

Nothing here changes anything, so this is all that a server needs.
"""

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from archive import auditchain, fixity
from archive.catalogue import LABORATORY, Catalogue, audit, codes, redactions, slides, tombstones
from archive.catalogue.journal import Journal, require_not_older
from archive.codes import Code, InternalKey, Kind
from archive.consent import Decision, Facts, MightIdentify, Purpose, Recipient
from archive.consent.terms import Grade
from archive.errors import DamagedPyramid, InvalidValue, UnknownCode
from archive.geometry import Rectangle
from archive.holdings import witness
from archive.holdings.deciding import decide
from archive.holdings.footing import require_footing
from archive.holdings.place import COLOUR_PROFILE, PIXELS, Place
from archive.records import CaseRecord, HeldScan, HeldSlide, ScanRecord, ScanStatus

if TYPE_CHECKING:
    from archive.pyramid.colours import StoredProfile
    from archive.pyramid.reader import Pyramid


class ReadingRoom:
    """An opened archive as those see it who only look."""

    def __init__(self, place: Place, catalogue: Catalogue, second_place: Path | None) -> None:
        self.place = place
        self.catalogue = catalogue
        self.second_place = second_place
        self._journal = Journal(place.journal)

    def close(self) -> None:
        """Close the catalogue; closing twice is harmless."""
        self.catalogue.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    # Finding

    def key_of(self, code: Code | str, kind: Kind, project: str = LABORATORY) -> InternalKey:
        """Find what a code stands for; text may be in any spelling that people type.

        Raises
        ------
        UnknownCode
            If the project has no such code.
        InvalidValue
            If the text is no code, has a typing error, or is another kind's.
        """
        parsed = Code.parse(code) if isinstance(code, str) else code
        if parsed.kind is not kind:
            raise InvalidValue(f"this is the code of a {parsed.kind.name.lower()}; give that of a {kind.name.lower()}")
        with self.catalogue.reading() as connection:
            return codes.key_of(connection, codes.project_number(connection, project), parsed)

    def slide(self, code: Code | str, project: str = LABORATORY) -> HeldSlide:
        """Give a slide of a project; errors as for `key_of`."""
        return self.held(self.key_of(code, Kind.SLIDE, project), project)

    def held(self, slide: InternalKey, project: str = LABORATORY) -> HeldSlide:
        """Give a slide with its codes in a project, by its internal key.

        Raises
        ------
        UnknownCode
            If there is no such slide.
        """
        with self.catalogue.reading() as connection:
            found = slides.held(connection, codes.project_number(connection, project), slide)
        if not found:
            raise UnknownCode(codes.NOT_HERE)
        return found[0]

    def slides(
        self, project: str = LABORATORY, *, after: Code | None = None, limit: int | None = None
    ) -> tuple[HeldSlide, ...]:
        """Give all slides of a project in the order of their codes, which tells nothing.

        A large archive is read in pages: those whose codes come after one, and no more than so many.
        """
        with self.catalogue.reading() as connection:
            return slides.held(connection, codes.project_number(connection, project), after=after, limit=limit)

    def scans_of(self, slide: InternalKey) -> tuple[ScanRecord, ...]:
        """Give the scans of a slide, the one with most pixels first, whatever their status."""
        with self.catalogue.reading() as connection:
            return slides.scans_of(connection, slide)

    def case(self, key: InternalKey) -> CaseRecord | None:
        """Give a case with the facts that are recorded about it, or None if it is not known."""
        with self.catalogue.reading() as connection:
            return slides.find_case(connection, key)

    def scan(self, key: InternalKey) -> HeldScan | None:
        """Give a scan with its code in the laboratory, or None if it is not known."""
        with self.catalogue.reading() as connection:
            record = slides.find_scan(connection, key)
            code = codes.code_of(connection, codes.project_number(connection, LABORATORY), Kind.SCAN, key)
            return None if record is None or code is None else HeldScan(code, record)

    def scans_that_identify(self) -> tuple[HeldScan, ...]:
        """Give the scans that are kept, graded ``yes`` and not to be screened again, in the order of their codes."""
        with self.catalogue.reading() as connection:
            keys = slides.scans_with_status(connection, ScanStatus.KEPT, MightIdentify(Grade.YES))
        found = (scan for scan in map(self.scan, keys) if scan is not None and not scan.record.rescreen)
        return tuple(sorted(found, key=lambda scan: str(scan.code)))

    def facts_of(self, slide: InternalKey) -> Facts:
        """Give what is recorded about the tissue and the consent of a slide's case.

        Raises
        ------
        UnknownCode
            If there is no such slide.
        """
        with self.catalogue.reading() as connection:
            case = slides.case_of(connection, slide)
        if case is None:
            raise UnknownCode(codes.NOT_HERE)
        return case.facts

    def change_count(self) -> int:
        """Give a number that differs after every change of the catalogue, by any process.

        It is also asked, in about a millisecond, whether anything may be shown at all.

        Raises
        ------
        CatalogueUnavailable, HoldingsUnavailable
            If the catalogue or the archive's folder is gone, damaged, another one than was opened, or older than the
            journal, which may know of a withdrawal.
        RulesNotInForce, ClockUnreliable
            If the rules of this program are not in force here, or the clock is behind the newest act.
        """
        knows = self._journal.knows()  # asked first, so that acts of others meanwhile do not make the catalogue old
        standing = self.catalogue.standing()
        require_footing(self.place, standing)
        require_not_older(standing.acts, knows)
        return self.catalogue.change_count()

    def newest_withdrawal(self) -> int:
        """Give the number of the newest act by which consent was withdrawn; 0 before the first."""
        with self.catalogue.reading() as connection:
            return tombstones.newest_act(connection)

    def newest_redaction(self) -> int:
        """Give the number of the newest act by which something was to be made black; 0 before the first."""
        with self.catalogue.reading() as connection:
            return redactions.newest_act(connection)

    def redactions_of(self, scan: InternalKey) -> tuple[Rectangle, ...]:
        """Give what is to be black on a scan and on every copy that is made of it, in pixels of level 0."""
        with self.catalogue.reading() as connection:
            return redactions.of_scan(connection, scan)

    # Opening

    def decide(
        self, slide: InternalKey, purpose: Purpose, recipient: Recipient, *, scan: InternalKey | None = None
    ) -> Decision:
        """Decide by the table whether a slide may be used, from what is recorded now.

        Parameters
        ----------
        slide
            The slide.
        purpose, recipient
            What for, and by whom.
        scan
            The scan that would be shown; None asks for all kept ones and gives the strictest answer.

        Raises
        ------
        UnknownCode
            If there is no such slide, or no scan of it may be opened at all.
        """
        with self.catalogue.reading() as connection:
            return decide(connection, slide, purpose, recipient, scan)

    def open_pyramid(self, scan: InternalKey) -> "Pyramid":
        """Open the pixels of a scan; whether they may be shown must have been decided.

        Raises
        ------
        UnknownCode
            If there is no such scan, or it was withdrawn or found damaged.
        DamagedPyramid
            If it is not on the disk as it was stored.
        """
        from archive.pyramid.reader import Pyramid

        with self.catalogue.reading() as connection:
            record = slides.find_scan(connection, scan)
        if record is None or record.status is not ScanStatus.KEPT:
            raise UnknownCode(codes.NOT_HERE)
        folder = self.place.of_scan(scan)
        if not (folder / PIXELS).is_dir():
            raise DamagedPyramid("the scan's folder", "a folder", "nothing")
        manifest = _require_metadata(folder, record.manifest_sha256)
        return Pyramid.open(folder / PIXELS, _profile(folder, manifest))

    def audit_faults(self) -> tuple[auditchain.Fault, ...]:
        """Check the audit trail against itself and against the heads in the second place."""
        heads = witness.heads(self.second_place)
        with self.catalogue.reading() as connection:
            return auditchain.verify(audit.entries(connection), audit.first_head(connection), heads)


def _require_metadata(folder: Path, manifest_sha256: str) -> fixity.Manifest:
    """Check the small files that say how the pixels lie: a tile has a checksum, and they have none.

    With one bit changed they could tell of a larger slide, most of it white.
    """
    try:
        manifest = fixity.Manifest.from_bytes((folder / fixity.MANIFEST).read_bytes())
    except (OSError, InvalidValue) as error:
        raise DamagedPyramid(fixity.MANIFEST, "a manifest", "none") from error
    if manifest.sha256 != manifest_sha256:
        raise DamagedPyramid(fixity.MANIFEST, "the manifest that was catalogued", "another one")
    for file in manifest.files:
        if file.path.endswith("zarr.json") and (fault := fixity.check(folder, file)):
            raise DamagedPyramid(fault.place, fault.expected, fault.found)
    return manifest


def _profile(folder: Path, manifest: fixity.Manifest) -> "StoredProfile | None":
    """Find the scan's colour profile, which is read and held against its digest when colours are first turned."""
    from archive.pyramid.colours import StoredProfile

    found = next((file for file in manifest.files if file.path == COLOUR_PROFILE), None)
    return None if found is None else StoredProfile(found.size_bytes, found.sha256, folder / COLOUR_PROFILE)
