"""What an entry says, for people: searched by code, account, act, purpose and time, and exported with its proof."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from archive.auditchain.chain import Entry

_OWN = ("act", "actor", "at")
_ABOUT = ("slide", "scan", "case", "patient", "subject", "collection", "account", "action", "project")
_ABOUT_MANY = ("cases", "slides", "decisions", "scans")


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of one trail. ``at`` is in UTC; ``details`` speak in codes, handles, counts and reasons."""

    trail: str
    number: int
    digest: str
    act: str
    actor: str
    at: datetime
    details: Mapping[str, Any]

    @classmethod
    def of(cls, trail: str, entry: Entry) -> "Told":
        """Read an entry whose text may be shown as it is; raises ValueError where it is no entry."""
        content = entry.content
        try:
            act, actor, at = (str(content.pop(name)) for name in _OWN)
        except KeyError:
            raise ValueError("an entry of a trail lacks what every entry has") from None
        return cls(trail, entry.number, entry.digest, act, actor, datetime.fromisoformat(at), content)

    @property
    def reason(self) -> str:
        """Why, as somebody wrote it, or what for."""
        return str(self.details.get("reason") or self.details.get("purpose") or "")

    @property
    def about(self) -> str:
        """What it is about: a code, a handle, a collection, an account, an action or a project, or the first of many.

        Empty if it names nothing of these.
        """
        one = (self.details.get(name) for name in _ABOUT)
        many = (self.details.get(name) for name in _ABOUT_MANY)
        listed = (list(some) for some in many if isinstance(some, Mapping | list) and some)
        told = (f"{some[0]} and {len(some) - 1:,} more" if len(some) > 1 else str(some[0]) for some in listed)
        return next((word for word in (*one, *told) if isinstance(word, str)), "")

    def as_json(self) -> dict[str, Any]:
        """Give it for another program."""
        own = {"trail": self.trail, "number": self.number, "at": self.at.isoformat(), "act": self.act}
        return {**own, "actor": self.actor, **self.details}


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for; what is left out fits everything."""

    names: frozenset[str] | None = None
    """Codes and handles, of which an entry must speak of one."""
    actor: str | None = None
    act: str | None = None
    purpose: str | None = None
    """Words of the purpose or the reason, in any letter case."""
    since: datetime | None = None
    until: datetime | None = None
    """The first moment that is too late."""

    def fits(self, told: Told) -> bool:
        """Tell whether an entry is what is looked for."""
        return (
            (self.actor is None or told.actor == self.actor)
            and (self.act is None or told.act == self.act)
            and (self.since is None or told.at >= self.since)
            and (self.until is None or told.at < self.until)
            and (self.purpose is None or self._is_for(told, self.purpose.casefold()))
            and (self.names is None or any(word in self.names for word in _words(told.details)))
        )

    @staticmethod
    def _is_for(told: Told, purpose: str) -> bool:
        return any(purpose in str(told.details.get(name, "")).casefold() for name in ("purpose", "reason"))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():  # an act on many says of each, by its code, what was done
            yield name
            yield from _words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)
