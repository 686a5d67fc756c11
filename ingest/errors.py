"""Why a slide was not taken: a closed list of reasons, each with its sentence and what to do.

The sentences are fixed texts. Nothing that was read from a file may become part of an error, because whatever is in
a file may be a name.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

from archive.errors import ArchiveError

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Reason(StrEnum):
    """The stable code of a reason; ``sentence`` says it in words and ends with what to do."""

    sentence: str

    def __new__(cls, code: str, sentence: str = "") -> "Reason":
        """Make a member whose value is its code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.sentence = sentence
        return member

    UNREADABLE_FILE = (
        "unreadable-file",
        "the file cannot be opened; check that it is there, that you may read it and that its disk is well",
    )
    EMPTY_FILE = "empty-file", "the file is empty; copy it again from the scanner"
    NOT_A_SLIDE = "not-a-slide", "no supported scanner writes such a file; check that this is a whole-slide image"
    UNSUPPORTED_FORMAT = (
        "unsupported-format",
        "the format is known but cannot be read here; export the slide from the scanner as DICOM, OME-TIFF or SVS",
    )
    NOT_A_WHOLE_SLIDE = (
        "not-a-whole-slide",
        "the file holds a label, an overview or another single image, no slide pixels; send the slide's own file",
    )
    LABEL_IN_PICTURE = (
        "label-in-picture",
        "the file says that the label is in its picture, which would name the patient; export it without the label",
    )
    ANOTHER_PICTURE = (
        "another-picture",
        "a smaller level of the file shows another picture than its largest, such as a label; export it without",
    )
    DAMAGED_STRUCTURE = "damaged-structure", "the file's structure contradicts itself; copy it again from the scanner"
    TRUNCATED = "truncated", "the file ends before its data does; copy it again from the scanner"
    TOO_LARGE = "too-large", "the file declares dimensions beyond any slide's; copy it again or ask the scanner's maker"
    ENDLESS_STRUCTURE = "endless-structure", "the file's directories form a loop; copy it again from the scanner"
    FORBIDDEN_COMPRESSION = (
        "forbidden-compression",
        "the pixels are compressed in a way that is not safe to decode; export with JPEG, LZW or Deflate",
    )
    OUTSIDE_REFERENCE = (
        "outside-reference",
        "the file refers to files outside its own folder; deliver all parts of the slide together",
    )
    MISSING_COMPANION = (
        "missing-companion",
        "a part of this multi-file slide is missing; deliver all its parts together",
    )
    UNREADABLE_PIXELS = (
        "unreadable-pixels",
        "some pixels cannot be decoded; scan the slide again or copy the file again",
    )
    UNSUPPORTED_PIXELS = (
        "unsupported-pixels",
        "the pixels are of a kind that is not stored yet (depth, channels or planes); export as 8-bit RGB",
    )
    TURNED_PICTURE = (
        "turned-picture",
        "the file says that its picture is stored turned or mirrored, which readers disagree on; export it upright",
    )
    TOO_MANY_REGIONS = (
        "too-many-regions",
        "the file holds more regions of one glass than any slide has; copy it again, or export its regions one by one",
    )
    READER_CRASHED = "reader-crashed", "reading the file brought the reader down; copy it again from the scanner"
    TOO_MUCH_MEMORY = "too-much-memory", "reading the file took more memory than a slide may; copy it again"
    TOO_SLOW = "too-slow", "reading the file took longer than a slide may; copy it again from the scanner"
    CHANGED_WHILE_READ = "changed-while-read", "the file changed while it was read; deliver it when it is complete"
    PIXELS_DIFFER = "pixels-differ", "what was stored differs from the source; nothing was kept, please report this"
    IDENTIFIER_FOUND = (
        "identifier-found",
        "an identifier of this case was found in what would have been stored; nothing was kept, please report this",
    )
    NO_ROW = "no-row", "the delivery list has no row for this file; add one with file, patient, case, block and stain"
    UNKNOWN_SOURCE = (
        "unknown-source",
        "it is not known whether this is post-mortem tissue; say so in the list or declare a feed",
    )
    UNKNOWN_AUTHORITY = (
        "unknown-authority",
        "the authority for the post-mortem is not known; say in the list whether hospital or coroner",
    )
    UNKNOWN_OCCASION = (
        "unknown-occasion",
        "it is not known whether this post-mortem picture was made as part of the examination; say so in the list's "
        "column 'recorded'",
    )
    FACTS_CONFLICT = (
        "facts-conflict",
        "the list says something else about this case's consent than is recorded; correct the list, or what is "
        "recorded with: coverslip correct case",
    )
    HELD_AS_ANOTHER = (
        "held-as-another",
        "this very file is held as another slide: the list names another patient, case, block, stain or number; "
        "correct the list, or where the slide is held with: coverslip correct slide",
    )
    CONSENT_REFUSES = "consent-refuses", "the consent recorded for this case does not allow an image to be kept"
    WRONG_BARCODE = (
        "wrong-barcode",
        "the barcode on the label is that of another slide than the list says: possibly the wrong patient; look at "
        "label and list, then correct the list or have the slide labelled anew",
    )
    NO_BARCODE = (
        "no-barcode",
        "no barcode could be read from the label, and every slide of this feed has one; look at the label",
    )
    WRITING_IN_PICTURE = (
        "writing-in-picture",
        "something that can be read is written in the picture, and may name the patient; look at the place, then "
        "black it out, or release the slide if it names nobody",
    )
    BARCODE_IN_PICTURE = (
        "barcode-in-picture",
        "a barcode is in the picture, and may name the patient; look at the place, then black it out, or release the "
        "slide if it names nobody",
    )
    STICKER_IN_PICTURE = (
        "sticker-in-picture",
        "something like paper or tape is in the picture, and may be a label; look at the place, then black it out, or "
        "release the slide if it names nobody",
    )
    REFUSED_BY_HAND = (
        "refused-by-hand",
        "a person refused this file for good; deliver the right file, or take the refusal back with: "
        "coverslip quarantine release",
    )


class IngestError(ArchiveError):
    """Base of all errors that ingest raises on purpose."""


class SlideRefused(IngestError):
    """The slide is not taken; the rest of the delivery goes on.

    Parameters
    ----------
    reason : Reason
        Why.
    sentence : str
        Where more can be told than for the reason as such: which format it is, or which part is missing. It is put
        together from our own words and small numbers only; see `ingest.precheck`.
    told : mapping
        What a person needs to judge it, for the entry in quarantine; again our own words and numbers only.
    """

    def __init__(self, reason: Reason, sentence: str = "", told: Mapping[str, str] = _NOTHING) -> None:
        self.reason = reason
        self.sentence = sentence or reason.sentence
        self.told = told
        super().__init__(f"{reason.value}: {self.sentence}")


class DeliveryListInvalid(IngestError, ValueError):
    """The delivery list has faults; all of them are in the message, a line each, and in ``faults``."""

    def __init__(self, sentence: str, faults: Sequence[object] = ()) -> None:
        super().__init__("\n".join((sentence, *map(str, faults))))
        self.faults = tuple(faults)


class VaultUnavailable(IngestError):
    """The key vault cannot be opened: it is missing, locked, or the key does not fit."""


class VaultDamaged(VaultUnavailable):
    """A sealed entry of the key vault does not open where it stands: it was changed, moved or damaged."""

    def __init__(self) -> None:
        super().__init__(
            "an entry of the key vault does not fit its seal: it was changed, moved or damaged; "
            "stop taking in slides and restore the vault from its last backup"
        )


class JailUnavailable(IngestError):
    """The sandbox that slide readers run in cannot be set up on this machine."""


class LookUpRefused(IngestError):
    """Nobody is told whose a code is: a second person has not approved it, or too many were asked for."""
