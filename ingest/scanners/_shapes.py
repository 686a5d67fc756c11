"""A level has the proportions of the slide; a label or an overview that calls itself a level mostly has not."""

import math

from archive.geometry import Size


def same_shape(size: Size, base: Size) -> bool:
    """Whether a smaller picture is a larger one reduced by some factor, both sides rounded to whole pixels.

    Rounding changes a side by less than a pixel, so each side leaves a range of factors; one must be in both. A side
    alone does not tell the factor well enough: a core biopsy is many times as high as wide.
    """
    if size.width > base.width or size.height > base.height:
        return False
    ranges = [_factors(size.width, base.width), _factors(size.height, base.height)]
    return max(low for low, _ in ranges) <= min(high for _, high in ranges)


def _factors(side: int, base: int) -> tuple[float, float]:
    """Give the smallest and the largest factor by which one side may have been reduced."""
    return base / (side + 1), base / (side - 1) if side > 1 else math.inf
