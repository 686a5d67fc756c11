"""How much there is may be asked before anybody has access; so the answer is coarse, and the audit trail is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from archive.auditchain import Value
from archive.catalogue import Writing, counting
from archive.cohorts.asking import Asking, Rules
from archive.cohorts.query import Query, parse
from archive.cohorts.suppressing import Count, side_by_side, told
from archive.consent import Purpose, Recipient
from archive.errors import InvalidValue
from archive.holdings import Archive

BREAKDOWNS = ("organ", "diagnosis", "stain", "scanner", "objective", "fidelity")
"""Fields by whose values a count may be broken down."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a query fits: what may be used, by whom it is refused, and the breakdown that was asked for.

    None, and whatever is not among ``refused`` or ``parts``, is seven patients or fewer, or none.
    """

    query: str
    usable: Count | None
    refused: Mapping[str, Count]
    reasons: Mapping[str, str] = field(repr=False)
    parts: Mapping[str, Count] = field(default_factory=dict)


def count(
    archive: Archive,
    query: Query | str,
    *,
    purpose: Purpose = Purpose.RESEARCH,
    recipient: Recipient = Recipient.PROJECT,
    by: str | None = None,
) -> Counts:
    """Count what a query fits, as it may be told before access: coarsely.

    Parameters
    ----------
    archive, query, purpose, recipient
        As for `cohort`.
    by
        One of `BREAKDOWNS`, to break what may be used down by the values of a field.

    Raises
    ------
    QueryRefused
        If the query has faults; all are told.
    InvalidValue
        If the purpose is none of a project, or there is no such breakdown.
    """
    query = checked(query, purpose, recipient)
    if by is not None and by not in BREAKDOWNS:
        raise InvalidValue(f"a count can be broken down by one of {', '.join(BREAKDOWNS)}")
    with archive.catalogue.reading() as connection:
        asking = Asking(connection, query, Rules.ask(connection, purpose, recipient))
        counts = counts_of(asking, "model" if by == "scanner" else by)
    with archive.catalogue.writing() as writing:
        tell(writing, query, purpose, recipient, counted_by=by)
    return counts


def checked(query: Query | str, purpose: Purpose, recipient: Recipient) -> Query:
    """Refuse what no project may ask for, and read the query."""
    if not purpose.secondary or recipient not in (Recipient.PROJECT, Recipient.CLASS):
        raise InvalidValue(
            "a cohort is for a project or a class, and for research, teaching, audit or another such use"
        )
    return parse(query) if isinstance(query, str) else query


def counts_of(asking: Asking, by: str | None = None) -> Counts:
    """Count what was asked for, as it may be told."""
    refused = side_by_side(asking.refused())
    parts = counting.tallies(asking.connection, asking.where(asking.rules.allowed), by) if by else {}
    return Counts(
        query=str(asking.query),
        usable=told(asking.usable()),
        refused=refused,
        reasons={row: asking.rules.sentence(row) for row in refused},
        parts=side_by_side(parts),
    )


def tell(writing: Writing, query: Query, purpose: Purpose, recipient: Recipient, **more: Value) -> None:
    """Tell the audit trail what was asked."""
    told_of: dict[str, Value] = {"query": str(query), "purpose": str(purpose), "recipient": str(recipient), **more}
    writing.tell("cohort", **told_of)  # type: ignore[arg-type] # none of them is a reason
