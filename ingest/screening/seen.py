"""A rectangle of a picture in which something was seen, as the finders in the jail tell it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """Where in a picture, in its pixels, and how surely, from 0 to 1."""

    x: float
    y: float
    width: float
    height: float
    confidence: float

    def as_json(self) -> list[float]:
        """Give it as plain numbers."""
        return [round(value, 3) for value in (self.x, self.y, self.width, self.height, self.confidence)]

    def meets(self, other: "Seen") -> bool:
        """Whether the two have pixels in common."""
        apart = self.x + self.width <= other.x or other.x + other.width <= self.x
        return not (apart or self.y + self.height <= other.y or other.y + other.height <= self.y)
