"""A profile says which numbers are read, where they stand, and in which range they are believed."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

PropertyName = Annotated[str, Field(pattern=r"^[a-z]+\.\S(.*\S)?$", max_length=128)]
"""The reader's prefix, a full stop, and the maker's own key."""

ProductName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./()-]{0,46}[A-Za-z0-9)]$")]
"""What a maker calls a product in its catalogue: never a serial number, never a text from a file."""

LENGTHS_UM = {
    "nm": 0.001,
    "nanometer": 0.001,
    "nanometre": 0.001,
    "µm": 1.0,
    "μm": 1.0,
    "um": 1.0,
    "micrometer": 1.0,
    "micrometre": 1.0,
    "micron": 1.0,
    "mm": 1e3,
    "millimeter": 1e3,
    "millimetre": 1e3,
    "cm": 1e4,
    "centimeter": 1e4,
    "centimetre": 1e4,
    "3": 1e4,
    "inch": 25400.0,
    "2": 25400.0,
    "m": 1e6,
    "meter": 1e6,
    "metre": 1e6,
}
"""Micrometres in a unit, by the names and the TIFF codes (2 inch, 3 centimetre) that files use."""


class Gives(StrEnum):
    """What a number says about a pixel."""

    LENGTH_PER_PIXEL = "length per pixel"
    PIXELS_PER_LENGTH = "pixels per length"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PixelSizeRule(_Strict):
    """Two properties that give the size of a pixel at full resolution, along x and y."""

    x: PropertyName
    y: PropertyName
    gives: Gives = Gives.LENGTH_PER_PIXEL
    unit: str | None = None
    """The unit, where the maker has settled it."""
    unit_x: PropertyName | None = None
    """The property that names the unit along x, where the file says it; likewise `unit_y`."""
    unit_y: PropertyName | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if self.unit is not None and self.unit not in LENGTHS_UM:
            raise ValueError("the unit is none of the lengths that are known")
        if (self.unit_x is None) != (self.unit_y is None):
            raise ValueError("unit_x and unit_y come together")
        if self.unit is None and self.unit_x is None:
            raise ValueError("give a unit, the properties that name one, or both (the unit then is the default)")
        return self


class ModelRule(_Strict):
    """A text that tells a scanner's model. The text is compared; what is kept is `model`, from this file."""

    property: PropertyName
    equals: str | None = None
    begins: str | None = None
    model: ProductName
    maker: ProductName | None = None
    """Where another firm writes this maker's format."""

    @model_validator(mode="after")
    def _one_comparison(self) -> Self:
        if (self.equals is None) == (self.begins is None):
            raise ValueError("a model is told by what a property equals or by what it begins with")
        if not (self.equals or self.begins):
            raise ValueError("an empty text tells no model")
        return self


class Plausible(_Strict):
    """Ranges, both ends included. A number outside is left behind: it measures something else."""

    pixel_size_um: tuple[float, float] = (0.05, 20.0)
    objective_power: tuple[float, float] = (0.5, 160.0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for low, high in (self.pixel_size_um, self.objective_power):
            if not 0 < low < high:
                raise ValueError("a range goes from a positive number to a larger one")
        return self


class Profile(_Strict):
    """What is read from one maker's files."""

    names: Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+$")], ...], Field(min_length=1)]
    """How readers call this maker."""
    maker: ProductName | None = None
    """What is told about the maker; None where the format does not tell."""
    label_expected: bool = False
    """Whether these scanners write a picture of the label: a file without one then raises a question."""
    pixel_size: tuple[PixelSizeRule, ...] = ()
    """In order: the first that gives a plausible size is kept."""
    objective_power: tuple[PropertyName, ...] = ()
    """In order: the first that gives a plausible number is kept."""
    model: tuple[ModelRule, ...] = ()
    """In order: the first that fits is kept."""
    plausible: Plausible = Plausible()
