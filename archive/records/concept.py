"""Organs and diagnoses are told by the codes of two published lists, whose forms show most typing errors.

A SNOMED CT identifier has 6 to 18 digits; the last is a Verhoeff check digit and the two before it are 00 or 10 in the
identifier of a concept (SNOMED CT Technical Implementation Guide, "SCTID"). An ICD-O-3 code is a topography such as
``C50.9`` or a morphology with its behaviour such as ``8500/3``, where a sixth digit may give the grade.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from stdnum import verhoeff

from archive.errors import InvalidValue

_SNOMED_CT = re.compile(r"[1-9][0-9]{2,14}[01]0[0-9]")
_ICD_O_3 = re.compile(r"C(?:[0-7][0-9]|80)(?:\.[0-9])?|[89][0-9]{3}/[012369][1-9]?")


class Scheme(StrEnum):
    """The list that a code is from."""

    SNOMED_CT = "SNOMED-CT"
    ICD_O_3 = "ICD-O-3"


@dataclass(frozen=True, slots=True, order=True)
class Concept:
    """One entry of a published list, such as ``Concept(Scheme.ICD_O_3, "C50.9")``.

    Raises
    ------
    InvalidValue
        If the list cannot have such a code. The text is not repeated, since it could be anything.
    """

    scheme: Scheme
    code: str

    def __post_init__(self) -> None:
        if self.scheme is Scheme.SNOMED_CT:
            if not _SNOMED_CT.fullmatch(self.code) or not verhoeff.is_valid(self.code):
                raise InvalidValue("this is no SNOMED CT concept: expected 6 to 18 digits with a right check digit")
        elif self.scheme is Scheme.ICD_O_3:
            if not _ICD_O_3.fullmatch(self.code):
                raise InvalidValue("this is no ICD-O-3 code: expected a form such as C50.9 or 8500/3")
        else:
            raise InvalidValue(f"a concept is from one of {', '.join(Scheme)}")

    def __str__(self) -> str:
        return f"{self.scheme} {self.code}"
