"""What came of every delivered file is noted, so that a delivery that is taken in again costs no second look.

A file is held as it lies there if neither the file nor what the list says of it changed since it was noted.
"""

import hashlib
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from archive.codes import InternalKey
from archive.consent import Facts
from archive.errors import UnknownCode
from ingest.delivery import Row
from ingest.errors import Reason, SlideRefused
from ingest.keyvault.register import Entry, State
from ingest.pipeline.admitting import Intake
from ingest.pipeline.receipt import Receipt, receipt_of_file, receipt_of_known
from ingest.precheck import parts
from ingest.quarantine.judging import IN_PICTURE
from ingest.quarantine.moment import Moment, moment_of
from ingest.quarantine.telling import contradiction, in_question, in_words, is_in_question
from ingest.quarantine.waiting import Quarantine

AS = "as"
"""Under this an entry of the register tells what the list said of the file, as a digest."""

TOLD_BY_ROW = frozenset({Reason.WRONG_BARCODE, Reason.HELD_AS_ANOTHER, Reason.FACTS_CONFLICT}) | IN_PICTURE
"""Reasons that nobody can judge without knowing what the list says."""


@dataclass(frozen=True)
class Delivered:
    """A file with its row and the facts that row and feed tell; without them if the list has no row for it."""

    path: Path = field(repr=False)
    row: Row | None = field(repr=False)
    facts: Facts | None = None

    @property
    def called(self) -> str:
        """What to call it on the screen: its row in the list, never its name."""
        return f"row {self.row.number}" if self.row else "a file without a row"


@dataclass(frozen=True)
class Outcome:
    """How a file ended: with a receipt, or refused for a reason; and how long it took."""

    delivered: Delivered
    receipt: Receipt | None = None
    reason: Reason | None = None
    sentence: str = ""
    """The reason in words."""
    seconds: float = 0.0
    number: str = ""
    """By which the quarantine knows it, if it waits there or was refused for good."""

    @property
    def called(self) -> str:
        """What to call it on the screen: the row that it was found to belong to."""
        number = self.receipt.row_number if self.receipt else None
        return f"row {number}" if number is not None else self.delivered.called


class Arrival:
    """One delivered file, from its arrival until it is noted what came of it."""

    def __init__(self, delivered: Delivered, intake: Intake) -> None:
        self.delivered, self._intake = delivered, intake
        self._began = time.monotonic()
        self._moment: Moment = moment_of(delivered.path)
        self._as = ""

    def held(self) -> Outcome | None:
        """Give the outcome at once if nothing of the file needs to be read.

        Raises
        ------
        SlideRefused
            If a person refused this file for good, or nobody can say whose it is.
        """
        one, intake = self.delivered, self._intake
        entry = intake.vault.register.find(one.path)
        if entry is not None and entry.state is State.REFUSED and entry.moment == self._moment:
            raise SlideRefused(Reason.REFUSED_BY_HAND)
        if one.row is None and not intake.rows_by_label:
            raise SlideRefused(Reason.NO_ROW)
        self._as = said_of(one)
        if entry is not None and (scans := self._scans_of(entry)):
            number = one.row.number if one.row else None
            with suppress(UnknownCode):  # the archive has it no more: then it is taken in
                held = [receipt_of_known(intake.archive, scan, entry.source_bytes, number) for scan in scans]
                return self._outcome(receipt_of_file(held))
        return None

    def kept(self, receipt: Receipt) -> Outcome:
        """Note that it is kept, or was before."""
        self._intake.vault.register.note(
            self.delivered.path,
            State.KEPT if receipt.wrote else State.KNOWN,
            moment=self._moment,
            scan=receipt.scan,
            others=[other.scan for other in receipt.others if other.scan],
            source_bytes=receipt.source_bytes,
            stored_bytes=sum(region.stored_bytes for region in receipt.regions),
            feed=self._feed,
            told={AS: self._as},
        )
        return self._outcome(receipt)

    def refused(self, refused: SlideRefused) -> Outcome:
        """Note that it waits, and why."""
        reason, row, told = refused.reason, self.delivered.row, {AS: self._as, **in_words(refused), **refused.told}
        if reason in TOLD_BY_ROW and row is not None:
            told |= contradiction({"patient": row.patient, "case": row.case, "block": row.block}, {})
        quarantine, path = Quarantine(self._intake.vault), self.delivered.path
        if reason in IN_PICTURE or is_in_question(self._intake.vault.register.find(path)):
            told |= in_question()
        if reason is Reason.REFUSED_BY_HAND:
            entry = quarantine.standing(path)
        else:
            entry = quarantine.set_aside(path, reason, told, moment=self._moment, feed=self._feed)
        number = entry.number if entry else ""
        return replace(self._outcome(None), reason=reason, sentence=refused.sentence, number=number)

    @property
    def _feed(self) -> str | None:
        return self._intake.feed.name if self._intake.feed else None

    def _scans_of(self, entry: Entry) -> tuple[InternalKey, ...]:
        """Give the scans of a file that is held as it lies there."""
        same = entry.moment == self._moment and entry.told.get(AS) == self._as
        return entry.scans if same and entry.state in (State.KEPT, State.KNOWN) else ()

    def _outcome(self, receipt: Receipt | None) -> Outcome:
        return Outcome(self.delivered, receipt, seconds=time.monotonic() - self._began)


def said_of(one: Delivered) -> str:
    """Digest what the list says of a file, and the moments of all its parts; it lies sealed in the key vault.

    A file that was refused is refused again as long as this is the same, unless something else was mended meanwhile.
    """
    files: tuple[Path, ...] = ()
    with suppress(SlideRefused):  # it will be refused in its turn, with the reason
        files = parts(one.path)
    said: list[object] = [moment_of(file) for file in files]
    if (row := one.row) is not None:
        said += [row.patient, row.patient_name, row.birth_date, row.case, row.block, row.slide, row.barcode]
        said += [row.organ, row.diagnosis, row.evidence, one.facts.to_json() if one.facts else None]
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()
