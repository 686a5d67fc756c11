"""What the cells of a row, the rows of a case, and the rows of a list may not say at the same time."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

from archive.consent.terms import Consent, TissueSource
from ingest.delivery.cells import same
from ingest.delivery.faults import Fault
from ingest.delivery.feed import Feed
from ingest.delivery.rows import Row
from ingest.delivery.vocabulary import PersonsGrade

_OBTAINED = (Consent.OBTAINED, Consent.WITH_POST_MORTEM, Consent.SEPARATELY)
_ATTESTATION = ("not_foreseen_by", "not_foreseen_on", "not_foreseen_why")


def within(line: int, values: Mapping[str, Any]) -> Iterator[Fault]:
    """Find cells that need another, or that say nothing without it."""
    if values.get("consent") is Consent.NOT_FORESEEN:
        for name in _ATTESTATION:
            if name not in values:
                yield Fault(line, name, "nothing", "who attested, when and why, with consent 'not foreseen'")
    else:
        yield from _alone(line, values, _ATTESTATION, "consent 'not foreseen'")
    if values.get("might_identify") is not PersonsGrade.NO:
        yield from _alone(line, values, ("assessed_by", "assessed_also_by"), "might_identify 'no'")
    elif "assessed_by" not in values:
        yield Fault(line, "assessed_by", "nothing", "the person who looked, with might_identify 'no'")
    if "consent" not in values:
        yield from _alone(line, values, ("covers", "covers_identifiable", "covers_publication"), "a consent")


def against_feed(row: Row, feed: Feed | None) -> Iterator[Fault]:
    """Find where a row contradicts itself or its feed about whether the tissue was taken in life."""
    if row.is_post_mortem(feed) and row.stated.source is TissueSource.LIVING:
        expected = "'post-mortem': the case's number, the procedure, the location or the authority is a post-mortem's"
        yield Fault(row.number, "tissue", "'living'", expected)
    post_mortem = row.facts(feed).source is TissueSource.POST_MORTEM
    if post_mortem and row.stated.consent is Consent.OBTAINED:
        expected = f"for a post-mortem '{Consent.WITH_POST_MORTEM}' or '{Consent.SEPARATELY}'"
        yield Fault(row.number, "consent", f"'{Consent.OBTAINED}'", expected)


def between(rows: Iterable[Row], feed: Feed | None) -> Iterator[Fault]:
    """Find rows that contradict each other."""
    rows = tuple(rows)
    files = _grouped((row for row in rows if row.file), lambda row: str(row.file))
    for first, *others in files.values():
        found = f"the file of row {first.number}"
        yield from (Fault(row.number, "file", found, "one row for each file") for row in others)
    labels = _grouped((row for row in rows if not row.file), lambda row: same(row.barcode or ""))
    for first, *others in labels.values():
        found, expected = f"the barcode of row {first.number}", "a file, or another barcode in every row without one"
        yield from (Fault(row.number, "barcode", found, expected) for row in others)
    cases = _grouped(rows, lambda row: same(row.case))
    yield from _disagreeing(cases, "patient", "case", lambda row: same(row.patient))
    yield from _disagreeing(cases, "tissue and consent", "case", lambda row: row.facts(feed))
    known = (row for row in rows if row.birth_date)
    yield from _disagreeing(
        _grouped(known, lambda row: same(row.patient)), "birth_date", "patient", lambda row: row.birth_date
    )


def _alone(line: int, values: Mapping[str, Any], names: Iterable[str], other: str) -> Iterator[Fault]:
    yield from (Fault(line, name, "a value", f"nothing, or {other} with it") for name in names if name in values)


def _grouped(rows: Iterable[Row], key: Callable[[Row], str]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _disagreeing(
    groups: Mapping[str, list[Row]], column: str, group: str, value: Callable[[Row], Hashable]
) -> Iterator[Fault]:
    for first, *others in groups.values():
        for row in others:
            if value(row) != value(first):
                found = f"another than in row {first.number}"
                yield Fault(row.number, column, found, f"the same in every row of a {group}")
