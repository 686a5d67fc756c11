"""The audit trails that can be read in one place, together: verified as one, and searched as one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from archive.auditchain import Trail
from archive.auditchain.told import Question, Told
from archive.codes import Code
from archive.holdings.archive import Archive
from archive.holdings.auditing import CATALOGUE, catalogue_trail, names_of, told_by

ACCESS = "access"
MUST = (CATALOGUE, ACCESS)
"""Trails that an archive without its key vault has."""


@dataclass(frozen=True)
class Books:
    """All trails that can be read here, each with the way to show what it says; ``must`` names those that must be."""

    holdings: Archive
    trails: tuple[Trail, ...]
    told: Callable[[], Iterator[Told]]
    must: tuple[str, ...] = MUST

    @classmethod
    def of_archive(cls, holdings: Archive, access: Trail | None) -> "Books":
        """Give an archive's trails: the catalogue's, and that of the accounts where there are any."""
        trails = (catalogue_trail(holdings), *((access,) if access else ()))
        return cls(holdings, trails, lambda: (told for trail in trails for told in told_by(trail)))

    def found(self, asked: Question) -> list[Told]:
        """Give what fits, in the order of time."""
        return sorted((told for told in self.told() if asked.fits(told)), key=lambda told: (told.at, told.trail))


def question(
    holdings: Archive,
    *,
    code: str | None = None,
    project: str,
    by: str | None = None,
    act: str | None = None,
    purpose: str | None = None,
    since: date | None = None,
    until: date | None = None,
) -> Question:
    """Read what is looked for; what is left out fits everything, and a code stands for all that it holds.

    Parameters
    ----------
    holdings
        The archive, which knows what a code holds.
    code, project
        A code, and the project whose it is.
    by, act, purpose
        The account or role, the act, and words of the purpose or the reason.
    since, until
        The first and the last day, in UTC.

    Raises
    ------
    InvalidValue, UnknownCode
        If the code is none, or stands for nothing.
    """
    names = None
    if code is not None:
        parsed = Code.parse(code)
        names = names_of(holdings, parsed.kind, holdings.key_of(parsed, parsed.kind, project))
    too_late = _begin(until) + timedelta(days=1) if until else None
    return Question(names, by, act, purpose, _begin(since) if since else None, too_late)


def _begin(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
