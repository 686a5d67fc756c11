"""A query's words are closed lists: what a field is called, and what its values may be.

Laboratories code organs and diagnoses by ICD-O-3 or by SNOMED CT, and people ask in plain words. So a word stands for
the codes of both lists that mean it; and an ICD-O code without its last part stands for all codes that begin with it.
Nothing else can be asked for, so that no name can be looked up and none gets into the audit trail.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from archive.consent.terms import TissueSource
from archive.errors import FreeTextRefused, InvalidValue
from archive.records import Concept, Fidelity, Scheme, Stain
from archive.wordscreen import screen

UNKNOWN = "unknown"
"""The value of whatever was not recorded."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value as it is asked for: how it is written, and what it stands for.

    ``terms`` are the words of the catalogue that it means, or none if ``number`` does; with neither it is *unknown*.
    """

    text: str
    terms: frozenset[str] = frozenset()
    number: float | None = None

    @property
    def unknown(self) -> bool:
        """Whether what was not recorded is asked for."""
        return not self.terms and self.number is None


@dataclass(frozen=True, slots=True)
class Field:
    """Something that a query may ask about: how a value of it is read, and how to say what it may be."""

    name: str
    read: Callable[[str], Value | None]
    expected: str
    ordered: bool = False
    alike: tuple[str, ...] = field(default=(), repr=False)


# Organs and diagnoses

ORGANS: Mapping[str, tuple[str, ...]] = {
    "adrenal gland": ("C74",),
    "anus": ("C21", "53505006"),
    "appendix": ("C18.1",),
    "bladder": ("C67",),
    "bone": ("C40", "C41", "272673000"),
    "bone marrow": ("C42.1", "14016003"),
    "brain": ("C71", "12738006"),
    "breast": ("C50", "76752008"),
    "cervix": ("C53", "71252005"),
    "colon": ("C18", "71854001"),
    "fallopian tube": ("C57.0", "31435000"),
    "gallbladder": ("C23", "28231008"),
    "heart": ("C38.0", "80891009"),
    "kidney": ("C64", "64033007"),
    "larynx": ("C32", "4596009"),
    "liver": ("C22", "10200004"),
    "lung": ("C34", "39607008"),
    "lymph node": ("C77", "59441001"),
    "oesophagus": ("C15", "32849002"),
    "ovary": ("C56", "15497006"),
    "pancreas": ("C25", "15776009"),
    "penis": ("C60", "18911002"),
    "pituitary gland": ("C75.1", "56329008"),
    "placenta": ("C58",),
    "prostate": ("C61", "41216001"),
    "rectum": ("C20", "34402009"),
    "salivary gland": ("C07", "C08", "385294005"),
    "skin": ("C44", "39937001"),
    "small intestine": ("C17", "30315005"),
    "soft tissue": ("C49", "87784001"),
    "spleen": ("C42.2",),
    "stomach": ("C16", "69695003"),
    "testis": ("C62", "40689003"),
    "thymus": ("C37",),
    "thyroid": ("C73", "69748006"),
    "tongue": ("C01", "C02"),
    "tonsil": ("C09",),
    "ureter": ("C66", "87953007"),
    "uterus": ("C54", "C55", "35039007"),
    "vagina": ("C52", "76784001"),
    "vulva": ("C51", "45292006"),
}
"""ICD-O-3 topography by its main headings, and SNOMED CT's general concept ("... structure") where it has one.

A laboratory that codes parts of an organ in SNOMED CT asks by those codes: the list's hierarchy is not kept here.
"""

DIAGNOSES: Mapping[str, tuple[str, ...]] = {
    "adenocarcinoma": ("8140/3", "35917007"),
    "basal cell carcinoma": ("8090/3", "1338007"),
    "invasive ductal carcinoma": ("8500/3", "82711006"),
    "invasive lobular carcinoma": ("8520/3",),
    "melanoma": ("8720/3", "2092003"),
    "small cell carcinoma": ("8041/3", "74364000"),
    "squamous cell carcinoma": ("8070/3", "28899001"),
}
"""Some frequent ones, by ICD-O-3 morphology and SNOMED CT's morphologic abnormality. All others are asked by code."""

_SPELLINGS = {"esophagus": "oesophagus", "large bowel": "colon", "small bowel": "small intestine", "womb": "uterus"}
_SPELLINGS |= {"urinary bladder": "bladder", "uterine cervix": "cervix", "lymph nodes": "lymph node"}

_TOPOGRAPHY = re.compile(r"C\d\d")
_MORPHOLOGY = re.compile(r"[89]\d{3}")
_BEHAVIOURS = "012369"
_PRODUCT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/()+-]{0,63}")


def _organ(text: str) -> Value | None:
    plain = text.casefold()
    return _concept(text, ORGANS, _SPELLINGS.get(plain, plain), morphology=False)


def _diagnosis(text: str) -> Value | None:
    return _concept(text, DIAGNOSES, text.casefold(), morphology=True)


def _concept(text: str, words: Mapping[str, tuple[str, ...]], plain: str, *, morphology: bool) -> Value | None:
    if plain in words:
        return Value(plain, frozenset(code for listed in words[plain] for code in codes_below(listed)))
    code = text.upper().removeprefix("SNOMED-CT ").removeprefix("ICD-O-3 ")
    if code.startswith("C") is morphology and not code.isdigit():
        return None  # a topography is no diagnosis, and a morphology is no organ
    codes = codes_below(code)
    return Value(code, frozenset(codes)) if codes else None


def codes_below(code: str) -> tuple[str, ...]:
    """Give all codes that a code stands for: ``C18`` for itself and C18.0 to C18.9, ``8140`` for every behaviour of it.

    None if neither list can have such a code.
    """
    if _TOPOGRAPHY.fullmatch(code):
        candidates = (code, *(f"{code}.{part}" for part in range(10)))
    elif _MORPHOLOGY.fullmatch(code):
        candidates = tuple(f"{code}/{one}{grade}" for one in _BEHAVIOURS for grade in ("", *"123456789"))
    else:
        candidates = (code,)
    scheme = Scheme.SNOMED_CT if code.isdigit() and len(code) > 4 else Scheme.ICD_O_3
    try:
        return tuple(Concept(scheme, candidate).code for candidate in candidates)
    except InvalidValue:
        return ()


# The other fields


def _stain(text: str) -> Value | None:
    stain = Stain.parse(text)
    return Value(str(stain), frozenset({str(stain)})) if stain else None


def _scanner(text: str) -> Value | None:
    """Read a maker or a model. This is the one open list, so what looks like an identifier is no product."""
    try:
        plain = screen(text, "a scanner").casefold()
    except FreeTextRefused:
        return None
    return Value(plain, frozenset({plain})) if _PRODUCT.fullmatch(plain) else None


def _one_of(*members: str) -> Callable[[str], Value | None]:
    def read(text: str) -> Value | None:
        plain = text.casefold()
        return Value(plain, frozenset({plain})) if plain in members else None

    return read


def _between(least: float, most: float, sign: str = "") -> Callable[[str], Value | None]:
    def read(text: str) -> Value | None:
        try:
            number = float(text.casefold().removesuffix(sign))
        except ValueError:
            return None
        return Value(f"{number:.15g}", number=number) if ok(number) else None

    def ok(number: float) -> bool:
        return math.isfinite(number) and least <= number <= most

    return read


_TISSUES = (str(TissueSource.LIVING), str(TissueSource.POST_MORTEM))

FIELDS: Mapping[str, Field] = {
    one.name: one
    for one in (
        Field("organ", _organ, "an organ such as colon, or a code such as C18 or C18.2", alike=tuple(ORGANS)),
        Field("diagnosis", _diagnosis, "a diagnosis by its code, such as 8140/3", alike=tuple(DIAGNOSES)),
        Field("stain", _stain, "a stain such as HE or Ki-67", alike=tuple(map(str, Stain))),
        Field("scanner", _scanner, "the maker or the model of a scanner, such as GT450"),
        Field("mpp", _between(0.001, 1000), "micrometres per pixel, such as 0.25", ordered=True),
        Field("objective", _between(0.1, 250, "x"), "a magnification such as 40", ordered=True),
        Field("width", _between(1, 2**31), "a number of pixels", ordered=True),
        Field("height", _between(1, 2**31), "a number of pixels", ordered=True),
        Field("scans", _between(1, 1000), "how often the slide was scanned", ordered=True),
        Field("fidelity", _one_of(*Fidelity), "one of " + ", ".join(Fidelity), alike=tuple(Fidelity)),
        Field("tissue", _one_of(*_TISSUES), "living or post-mortem", alike=_TISSUES),
    )
}
"""By name. ``scans`` counts the scans of the slide that are kept; ``tissue`` is where the case's tissue is from."""

ALIASES = {"objective_power": "objective", "fidelity_of_pixels": "fidelity", "source": "tissue"}
"""Other names of fields."""
