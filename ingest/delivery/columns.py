"""The columns of a delivery list, as data: what each is for, what it may hold, and how it is read.

Five are needed. Of the others, a laboratory whose feed is declared needs none for surgical slides; a post-mortem needs
those that say on whose authority it was made and what was consented to (RULES section 2).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from archive.consent.terms import (
    Answer,
    Authority,
    Consent,
    Jurisdiction,
    Maturity,
    Record,
    Recorded,
    TissueSource,
    Vital,
)
from ingest.delivery.cells import LONGEST_REASON, choice, choices, concept, day, flag, one_of, path, stain, text
from ingest.delivery.vocabulary import PURPOSES, PersonsGrade, aliases_of

REQUIRED = ("file", "patient", "case", "block", "stain")


class Group(StrEnum):
    """What a column is about; the value is a heading of the reference page."""

    REQUIRED = "Always needed"
    SLIDE = "The slide"
    PATIENT = "The patient"
    TISSUE = "Where the tissue is from"
    CONSENT = "What was consented to"
    PICTURE = "Whether the picture might identify"
    GLASS = "The glass itself"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    ``read`` turns a cell that is not empty into its value, or raises InvalidValue whose text is what was expected.
    ``vocabulary`` has the words of a closed list, and is empty where what is found is never repeated: stains are called
    after persons. ``values`` says what it may hold, and ``coded`` whether a mapping may have words for it.
    """

    name: str
    group: Group
    explanation: str
    example: str
    read: Callable[[str], object]
    vocabulary: tuple[str, ...] = ()
    values: str = "text"
    coded: bool = False

    @property
    def required(self) -> bool:
        """Whether no row goes without it."""
        return self.name in REQUIRED


def _word(name: str, group: Group, kind: Iterable[StrEnum], example: str, explanation: str) -> Column:
    words = tuple(kind)
    aliases = aliases_of(words)
    read = choice(words, aliases)
    return Column(name, group, explanation, example, read, (*words, *aliases), one_of(words), coded=True)


def _words(name: str, group: Group, kind: Iterable[StrEnum], example: str, explanation: str) -> Column:
    words = tuple(kind)
    aliases = aliases_of(words)
    read = choices(words, aliases)
    values = f"{one_of(words)}; several with semicolons between"
    return Column(name, group, explanation, example, read, (*words, *aliases), values, coded=True)


def _answer(name: str, group: Group, explanation: str) -> Column:
    return _word(name, group, Answer, "yes", explanation)


def _text(name: str, group: Group, example: str, explanation: str) -> Column:
    return Column(name, group, explanation, example, text())


COLUMNS: tuple[Column, ...] = (
    Column(
        "file",
        Group.REQUIRED,
        "The slide's file: its name, its path from the list's folder, or a pattern that only one file fits (`*` any "
        "characters, `?` one). May be empty where the barcode on the label is known.",
        "S26-0001_A1_HE.svs",
        path,
        values="a file name, a path without `..`, or a pattern",
    ),
    _text("patient", Group.REQUIRED, "H0012345", "The number that the patient is known by."),
    _text("case", Group.REQUIRED, "S26-0001", "The laboratory's number of the examination (accession number)."),
    _text("block", Group.REQUIRED, "A1", "The block that the section was cut from."),
    Column(
        "stain",
        Group.REQUIRED,
        "The stain or the antibody.",
        "H&E",
        stain,
        values="a stain of the closed list",
        coded=True,
    ),
    _text(
        "slide",
        Group.SLIDE,
        "2",
        "Which one, where a block has several slides of one stain; 1 where empty. "
        "Two files with the same case, block, stain and slide are two scans of one glass.",
    ),
    _text(
        "barcode",
        Group.SLIDE,
        "S26-0001;A1;1",
        "What the barcode on the label says. It finds the file of a row that names none; a label that says something "
        "else is a possible wrong patient, and its slide waits. Needless where feed or mapping say how it is composed.",
    ),
    Column(
        "organ",
        Group.SLIDE,
        "Where the tissue is from in the body; never words.",
        "C50.9",
        concept(r"C.*", "C50.9"),
        values="SNOMED CT, or an ICD-O-3 topography",
        coded=True,
    ),
    Column(
        "diagnosis",
        Group.SLIDE,
        "What was found; never words.",
        "8500/3",
        concept(r"[89].*", "8500/3"),
        values="SNOMED CT, or an ICD-O-3 morphology",
        coded=True,
    ),
    Column(
        "procedure",
        Group.SLIDE,
        "The laboratory's word for the kind of examination. Read only to notice an autopsy; never kept.",
        "Excision",
        str,
    ),
    Column(
        "location",
        Group.SLIDE,
        "Where the request came from. Read only to notice a mortuary; never kept.",
        "Theatre 2",
        str,
    ),
    _text(
        "patient_name",
        Group.PATIENT,
        "Doe^Jane",
        "Kept in the key vault, so that what is stored can be searched for it.",
    ),
    Column(
        "birth_date",
        Group.PATIENT,
        "Kept in the key vault, for the same reason.",
        "1948-07-05",
        day,
        values="a date, the year first or the day first",
    ),
    _word("vital", Group.PATIENT, Vital, "alive", "Whether a patient whose tissue was taken in life is alive now."),
    _word("maturity", Group.PATIENT, Maturity, "adult", "Whether the patient was a child when consent was given."),
    _answer("had_capacity", Group.PATIENT, "Whether the patient could decide when consent was given."),
    _word(
        "tissue",
        Group.TISSUE,
        TissueSource,
        "living",
        "Whether the tissue was taken in life. Empty: the feed's default.",
    ),
    _word(
        "authority",
        Group.TISSUE,
        Authority,
        "hospital",
        "On whose authority a post-mortem examination was made.",
    ),
    _answer("authority_open", Group.TISSUE, "Whether the coroner's or the fiscal's authority is still open."),
    _word(
        "recorded",
        Group.TISSUE,
        Recorded,
        "as part of the examination",
        "When and why the picture of post-mortem tissue was made.",
    ),
    _word(
        "recorded_for",
        Group.TISSUE,
        PURPOSES,
        "teaching",
        "For which purpose, where it was made for a secondary one.",
    ),
    _word("jurisdiction", Group.TISSUE, Jurisdiction, "England", "Whose law governs the glass. Empty: the feed's."),
    _word(
        "consent",
        Group.CONSENT,
        Consent,
        "obtained",
        "What was asked and answered. A living patient of whom no refusal is recorded needs nothing here.",
    ),
    _words("covers", Group.CONSENT, PURPOSES, "teaching; research", "The purposes that the consent names."),
    _answer("covers_identifiable", Group.CONSENT, "Whether it covers pictures that identify."),
    _answer("covers_publication", Group.CONSENT, "Whether it covers publication."),
    _answer("giver_entitled", Group.CONSENT, "Whether a separate consent came from a person entitled to give it."),
    _text(
        "not_foreseen_by",
        Group.CONSENT,
        "Dr A. Curator",
        "Who attests that the purpose was not foreseen. Needed with consent `not foreseen`; kept in the key vault.",
    ),
    Column(
        "not_foreseen_on",
        Group.CONSENT,
        "When that was attested.",
        "2026-03-01",
        day,
        values="a date, the year first or the day first",
    ),
    Column(
        "not_foreseen_why",
        Group.CONSENT,
        "Why it was not foreseen. Kept in the key vault.",
        "collection planned in 2025",
        text(LONGEST_REASON),
    ),
    _words(
        "records",
        Group.CONSENT,
        Record,
        "coroner's agreement",
        "Documents that the laboratory has and the rules may ask for.",
    ),
    Column(
        "pre_1997_collection",
        Group.CONSENT,
        "Whether the slide is of a teaching collection from before 1997.",
        "no",
        flag,
        ("yes", "no"),
        "yes or no",
        coded=True,
    ),
    _word(
        "might_identify",
        Group.PICTURE,
        PersonsGrade,
        "no",
        "What a person who looked at the case says: might its pictures identify the patient?",
    ),
    _text(
        "assessed_by",
        Group.PICTURE,
        "Dr A. Curator",
        "Who looked. Needed with might_identify `no`; kept in the key vault.",
    ),
    _text(
        "assessed_also_by",
        Group.PICTURE,
        "Dr B. Reader",
        "A second person who looked, as publication needs; kept in the key vault.",
    ),
    _answer("fiscal_notice", Group.GLASS, "Scotland: whether the fiscal gave notice that samples are not required."),
    _answer("glass_held_before_2006", Group.GLASS, "Whether the glass was held before 1 September 2006."),
    _words("glass_covers", Group.GLASS, PURPOSES, "teaching", "The purposes that the consent to use the glass names."),
)

BY_NAME: Mapping[str, Column] = {column.name: column for column in COLUMNS}

ALSO_CALLED: Mapping[str, tuple[str, ...]] = {
    "file": ("file name", "image file"),
    "patient": ("patient number", "patient id", "hospital number", "MRN"),
    "case": ("case number", "accession", "accession number"),
    "block": ("block number",),
    "stain": ("staining",),
    "slide": ("slide number",),
    "barcode": ("bar code", "label barcode", "slide barcode"),
    "patient_name": ("name",),
    "birth_date": ("date of birth", "DOB"),
    "tissue": ("tissue source",),
}
"""What laboratories mostly call these columns; understood without a mapping."""
