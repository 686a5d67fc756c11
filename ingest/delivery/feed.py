"""A laboratory that archives a thousand surgical slides a day says once, under a name, what is true of all of them.

That is a feed (RULES, "Defaults that keep daily work possible"). Its values are the defaults of its rows, and a
post-mortem is never let through by a default: tissue is taken to be from the living only where the feed says how a
post-mortem would be known, or where somebody signs that there can be none.

A pattern is written as on a shell, and compared with the case's number without letter case and spaces: ``*`` any
characters, ``?`` one, ``#`` one digit. ``PM*`` and ``A##-*`` are patterns; regular expressions are not, because some
of them run for ever.
"""

import fnmatch
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from archive.consent.terms import Jurisdiction, TissueSource, word
from archive.errors import InvalidValue
from ingest.delivery.cells import same
from ingest.delivery.composing import require_composition

LONGEST_PATTERN = 40
MOST_PATTERNS = 20
LONGEST_NAME = 60
LONGEST_STATEMENT = 500

_PATTERN = re.compile(r"[A-Za-z0-9*?#/. _:-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What is true of every row of a laboratory's feed unless the row says otherwise.

    ``post_mortem_patterns`` are those of the case numbers of post-mortems; ``no_post_mortems`` is the signed statement
    that the feed cannot contain any. ``attested_by`` is the person who says all this, and ``review_date`` the day by
    which it is looked at again. One feed may be the ``default`` of a laboratory. ``barcode`` says how the barcode on a
    label is composed of a row's cells; with ``barcode_required`` no slide is taken whose label cannot be read.

    Raises
    ------
    InvalidValue
        If something is missing. ``living`` needs a pattern or the statement.
    """

    name: str
    source: TissueSource
    jurisdiction: Jurisdiction
    attested_by: str = field(repr=False)
    review_date: date
    post_mortem_patterns: tuple[str, ...] = ()
    no_post_mortems: str = ""
    default: bool = False
    barcode: str = ""
    barcode_required: bool = False

    def __post_init__(self) -> None:
        _require_text("the feed's name", self.name, LONGEST_NAME)
        _require_text("who attests the feed", self.attested_by, LONGEST_NAME)
        if self.no_post_mortems:
            _require_text("the statement", self.no_post_mortems, LONGEST_STATEMENT)
        if len(self.post_mortem_patterns) > MOST_PATTERNS:
            raise InvalidValue(f"a feed has at most {MOST_PATTERNS} patterns; use * for what varies")
        for pattern in self.post_mortem_patterns:
            _require_pattern(pattern)
        if self.barcode:
            require_composition(self.barcode)
        if self.source is TissueSource.LIVING and not (self.post_mortem_patterns or self.no_post_mortems):
            raise InvalidValue(
                "a feed of tissue from the living needs the pattern of its post-mortems' case numbers, such as PM*, "
                "or a signed statement that it cannot contain post-mortems"
            )

    def is_post_mortem(self, case: str) -> bool:
        """Tell whether a case's number is that of a post-mortem."""
        return any(fnmatch.fnmatchcase(same(case), _shell(pattern)) for pattern in self.post_mortem_patterns)

    def is_overdue(self, on: date) -> bool:
        """Tell whether the day of its review has passed."""
        return on > self.review_date

    def to_json(self) -> str:
        """Write the feed, to be declared in the key vault."""
        content = {
            "source": self.source,
            "jurisdiction": self.jurisdiction,
            "attested_by": self.attested_by,
            "review_date": self.review_date.isoformat(),
            "post_mortem_patterns": self.post_mortem_patterns,
            "no_post_mortems": self.no_post_mortems,
            "default": self.default,
            "barcode": self.barcode,
            "barcode_required": self.barcode_required,
        }
        return json.dumps(content, ensure_ascii=False)

    @classmethod
    def from_json(cls, name: str, text: str) -> "Feed":
        """Read what ``to_json`` wrote.

        Raises
        ------
        InvalidValue
            If it is anything else.
        """
        try:
            content = json.loads(text)
            return cls(
                name=name,
                source=word(TissueSource, "source", content.pop("source")),
                jurisdiction=word(Jurisdiction, "jurisdiction", content.pop("jurisdiction")),
                review_date=date.fromisoformat(content.pop("review_date")),
                post_mortem_patterns=tuple(content.pop("post_mortem_patterns")),
                **content,
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            raise InvalidValue("a declared feed cannot be read; declare it again") from None


def feeds_of(declared: Mapping[str, str]) -> dict[str, Feed]:
    """Read all declared feeds, by name."""
    return {name: Feed.from_json(name, text) for name, text in declared.items()}


def default_of(feeds: Mapping[str, Feed]) -> Feed | None:
    """Return the laboratory's default feed; None if none was declared to be.

    Raises
    ------
    InvalidValue
        If more than one is the default.
    """
    defaults = [feed for feed in feeds.values() if feed.default]
    if len(defaults) > 1:
        raise InvalidValue("two feeds are the default; declare one of them again without it")
    return defaults[0] if defaults else None


def _require_text(what: str, text: str, longest: int) -> None:
    if not isinstance(text, str) or not text.strip() or len(text) > longest or not text.isprintable():
        raise InvalidValue(f"{what} has 1 to {longest} characters on one line")


def _require_pattern(pattern: str) -> None:
    fits = isinstance(pattern, str) and len(pattern) <= LONGEST_PATTERN and _PATTERN.fullmatch(pattern)
    if not fits or not any(character.isalnum() for character in pattern):
        raise InvalidValue(
            f"a pattern has at most {LONGEST_PATTERN} letters, digits, - / . : _ and * ? #, such as PM* or A##-*"
        )


def _shell(pattern: str) -> str:
    return same(pattern).replace("#", "[0-9]")
