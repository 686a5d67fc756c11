"""The template and the reference page say what the columns are, so they are written from the columns."""

import csv
import io

from archive.records import Stain
from ingest.delivery.columns import ALSO_CALLED, COLUMNS, REQUIRED, Column, Group

_PAGE = """\
# The delivery list

*This page is written from the program's own columns (`python -m ingest.delivery`); a test compares them.*

A delivery list is a CSV file: UTF-8 (UTF-16 and Windows-1252 are recognised), with commas, semicolons or tabs. The
first line names the columns, in any order; lines before it that begin with `#` are notes. Every further line says whose
slide one file is. [How to write one](../how-to/write-a-delivery-list.md) has examples.

Letter case, spaces and punctuation do not matter in column names and in words of a closed list. An empty cell means
that nothing is known. A column that is not listed here is a fault, unless a mapping is used. Free text never travels
on: *text* goes to the key vault, or is read and dropped where it says so.
"""

_STAINS = """\
## Stains

What is not in this list is a fault. Words after a stain are other ways to write it.
"""


def template(*, full: bool = False) -> str:
    """Write an empty list that explains itself: notes on every column, and a header.

    Parameters
    ----------
    full
        Whether the header has all columns, or just those that are always needed.
    """
    notes = [["# A delivery list: one line for each file. Lines with # are notes; leave them or delete them."]]
    for group in Group:
        notes.append([f"# {group}:"])
        notes += [[f"#   {column.name}: {_plain(column)} For example: {column.example}"] for column in _of(group)]
    notes.append([f"# The stains of the list: {'; '.join(Stain)}"])
    header = [column.name for column in COLUMNS] if full else list(REQUIRED)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([*notes, header])
    return text.getvalue()


def reference_page() -> str:
    """Write the page docs/reference/delivery-list.md."""
    parts = [_PAGE]
    for group in Group:
        parts.append(f"## {group}\n\n| column | what it says | what it may hold | example |\n|---|---|---|---|")
        parts += [
            f"| `{column.name}` | {column.explanation} | {column.values} | `{column.example}` |"
            for column in _of(group)
        ]
        parts.append("")
    also = (f"- `{name}`: {', '.join(names)}" for name, names in ALSO_CALLED.items())
    parts += ["## Other names\n\nThese names of columns are understood, too.\n", *also, ""]
    parts += [_STAINS, *(f"- {_stain(stain)}" for stain in Stain), ""]
    return "\n".join(parts)


def _of(group: Group) -> list[Column]:
    return [column for column in COLUMNS if column.group is group]


def _plain(column: Column) -> str:
    explanation = column.explanation.replace("`", "'")
    return explanation if column.values == "text" else f"{explanation} ({column.values.replace('`', chr(39))})"


def _stain(stain: Stain) -> str:
    return f"**{stain}**" + (f": {', '.join(stain.aliases)}" if stain.aliases else "")
