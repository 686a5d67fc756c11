"""A slide's metadata may name anybody in any field, so four facts are read out of it and the rest is left behind.

The facts are the size of a pixel, the objective's power, the scanner's maker and its model. The numbers come out as
numbers, rounded to six digits, so that no text and no long number rides on them; maker and model come out of our own
profiles, not out of the file. Every property is an untrusted text of any length.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from archive.geometry import MicronsPerPixel
from ingest.profiles import LENGTHS_UM, Gives, ModelRule, PixelSizeRule, Profile, profile_for
from ingest.profiles.public_keys import public_form

LONGEST_NUMBER = 40
"""Characters. Readers print 17 digits and an exponent; whatever is longer is no measurement."""

SIGNIFICANT_DIGITS = 6
"""A pixel's size is known to a few parts in ten thousand; more digits measure nothing and could carry a number."""

_NUMBER = re.compile(r"\+?(?:\d{1,12}(?:[.,]\d{0,24})?|[.,]\d{1,24})(?:[eE][+-]?\d{1,2})?", re.ASCII)


class Kept(StrEnum):
    """What can be kept, in the words of a receipt."""

    PIXEL_SIZE = "microns per pixel"
    OBJECTIVE_POWER = "objective power"
    SCANNER_MAKER = "scanner maker"
    SCANNER_MODEL = "scanner model"


@dataclass(frozen=True, slots=True)
class CleanMetadata:
    """What is known about a scan without knowing whose it is, and an account of the rest.

    Parameters
    ----------
    mpp
        Micrometres per pixel at full resolution.
    objective_power
        Magnification of the objective, such as 20.
    scanner_maker, scanner_model
        Product names from our profiles.
    kept
        Which of these were found.
    left_behind_count
        How many properties of the file did not become one of these.
    left_behind
        Those among them whose keys are published, so that naming the key names nobody.
    """

    mpp: MicronsPerPixel | None
    objective_power: float | None
    scanner_maker: str | None
    scanner_model: str | None
    kept: tuple[Kept, ...]
    left_behind_count: int
    left_behind: tuple[str, ...]


def deidentify(maker: str, properties: Mapping[str, str]) -> CleanMetadata:
    """Read the listed facts out of a file's properties.

    Parameters
    ----------
    maker
        The maker as the reader names it, such as ``"aperio"``.
    properties
        All that the file says, as the reader gives it. Untrusted.
    """
    profile = profile_for(maker)
    mpp, measured = _pixel_size(profile, properties)
    power, magnified = _objective_power(profile, properties)
    rule = _model(profile, properties)
    scanner_maker = rule.maker if rule and rule.maker else profile.maker
    scanner_model = rule.model if rule else None
    left = properties.keys() - measured - magnified
    return CleanMetadata(
        mpp=mpp,
        objective_power=power,
        scanner_maker=scanner_maker,
        scanner_model=scanner_model,
        kept=_kept(mpp, power, scanner_maker, scanner_model),
        left_behind_count=len(left),
        left_behind=tuple(sorted({form for key in left if (form := public_form(key))})),
    )


def _kept(*facts: object) -> tuple[Kept, ...]:
    return tuple(name for name, fact in zip(Kept, facts, strict=True) if fact is not None)


def _pixel_size(profile: Profile, properties: Mapping[str, str]) -> tuple[MicronsPerPixel | None, set[str]]:
    """Give the first plausible size, and the keys that told it."""
    for rule in profile.pixel_size:
        x = _length_um(rule, properties, rule.x, rule.unit_x)
        y = _length_um(rule, properties, rule.y, rule.unit_y)
        low, high = profile.plausible.pixel_size_um
        if x is not None and y is not None and low <= x <= high and low <= y <= high:
            told = {key for key in (rule.x, rule.y, rule.unit_x, rule.unit_y) if key}
            return MicronsPerPixel(_rounded(x), _rounded(y)), told
    return None, set()


def _length_um(rule: PixelSizeRule, properties: Mapping[str, str], key: str, unit_key: str | None) -> float | None:
    number = parse_number(properties.get(key, ""))
    unit = properties.get(unit_key or "", rule.unit or "").strip()[:16]
    one_um = LENGTHS_UM.get(unit) or LENGTHS_UM.get(unit.lower())
    if not number or not one_um:
        return None
    return number * one_um if rule.gives is Gives.LENGTH_PER_PIXEL else one_um / number


def _objective_power(profile: Profile, properties: Mapping[str, str]) -> tuple[float | None, set[str]]:
    low, high = profile.plausible.objective_power
    for key in profile.objective_power:
        number = parse_number(properties.get(key, ""))
        if number is not None and low <= number <= high:
            return _rounded(number), {key}
    return None, set()


def _model(profile: Profile, properties: Mapping[str, str]) -> ModelRule | None:
    for rule in profile.model:
        text = properties.get(rule.property, "")
        if text.strip() == rule.equals if rule.equals else text.startswith(rule.begins or ""):
            return rule
    return None


def parse_number(text: str) -> float | None:
    """Read a positive number, with a decimal point or comma, and nothing but a number.

    Anything else gives None: other digits than ASCII's, a sign, a unit, white space inside, a text.
    """
    found = _NUMBER.fullmatch(text.strip()) if len(text) <= LONGEST_NUMBER else None
    if not found:
        return None
    number = float(found[0].replace(",", "."))
    return number if math.isfinite(number) and number > 0 else None


def _rounded(number: float) -> float:
    return float(f"{number:.{SIGNIFICANT_DIGITS}g}")
