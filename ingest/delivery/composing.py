"""Many laboratories print on the label what their list has in several cells: case, block and slide, and marks between.

How they are put together is declared once, such as ``{case};{block};{slide}``, and then no list needs a column for
the barcode. Nothing but the names of columns stands between braces, so a declaration cannot reach anything else.
"""

import re
from collections.abc import Mapping

from archive.errors import InvalidValue

PARTS = ("patient", "case", "block", "stain", "slide")
"""The columns that a barcode may be composed of."""

TELLING = frozenset({"patient", "case"})
"""At least one of them is needed: many glasses have the same block, stain and number."""

LONGEST = 100

_PART = re.compile(r"\{([^{}]*)\}")


def require_composition(composition: str) -> None:
    """Check how barcodes are said to be composed.

    Raises
    ------
    InvalidValue
        If it cannot be, or if many slides would have one barcode.
    """
    named, between = set(_PART.findall(composition)), _PART.sub("", composition)
    plain = len(composition) <= LONGEST and between.isprintable() and not set(between) & set("{}")
    if not (plain and named <= set(PARTS) and named & TELLING):
        columns = ", ".join(f"{{{name}}}" for name in PARTS)
        raise InvalidValue(f"a barcode is composed of {columns} and marks between, and has {{case}} or {{patient}}")


def composed(composition: str, cells: Mapping[str, str]) -> str:
    """Compose a row's barcode out of its cells."""
    return _PART.sub(lambda part: cells[part[1]], composition)
