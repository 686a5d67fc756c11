"""The reference page of the decision table, written from the table itself."""

from collections.abc import Iterator
from itertools import groupby

from archive.consent.table import RECORDS, RULES_VERSION, TABLE, Effect, Row

_RESULTS = {
    Effect.ALLOW: "allow",
    Effect.DENY: "deny",
    Effect.REQUIRE: "require, then allow",
    Effect.GATE: "gate",
    Effect.READ: "read so",
    Effect.GLASS: "shown only",
}

_OPENING = f"""# The decision table

Rules version {RULES_VERSION}. This page is written by `python -m archive.consent` and a test holds it to the table.
It is not legal advice. [What the archive enforces](../explanation/consent.md) says how to read it.

Rows are tried from the top. The first *allow* or *deny* ends it; a *gate* adds a record and goes on; *require* refuses
until its records exist; *read so* says how facts are understood; *shown only* speaks of the glass slide and never
decides about its picture. **Guidance** is the GMC's *Making and using visual and audio recordings of patients*
(paragraph numbers are its own), **regulator** is statute or the Human Tissue Authority, and **policy** is ours: no
source states it."""


def decision_table_page() -> str:
    """Write the page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _OPENING
    for stage, rows in groupby(TABLE, key=lambda row: row.stage):
        yield f"\n## {stage[0].upper()}{stage[1:]}\n"
        yield "| row | what it says | result | paragraphs | basis |"
        yield "|---|---|---|---|---|"
        yield from (_line(row) for row in rows)
    yield "\n## Records that a row may ask for\n"
    yield "| record | what has to be done | by whom |"
    yield "|---|---|---|"
    yield from (f"| {record} | {duty.what} | {duty.by_whom} |" for record, duty in RECORDS.items())


def _line(row: Row) -> str:
    duties = "".join(f" *{duty.by_whom}: {duty.what}.*" for duty in row.duties)
    result = _RESULTS[row.effect] + "".join(f"; {record}" for record in row.records)
    basis = row.basis + (f": {row.remark}" if row.remark else "")
    return f"| {row.id} | {row.says}{duties} | {result} | {row.paragraph or '-'} | {basis} |"
