"""A cohort is asked for in one line that a pathologist can read: ``organ = colon and stain = HE and mpp < 0.3``.

Fields are compared by ``= != < <= > >=`` or ``[not] in (...)``, and joined by ``not``, ``and``, ``or`` and parentheses,
of which *not* binds first and *or* last. What was not recorded fits no comparison but ``= unknown``, not even with
*not* before it. A value of several words needs no quotes unless it holds ``and``, ``or``, ``not`` or ``in``.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

from archive.amounts import counted
from archive.cohorts.words import ALIASES, FIELDS, UNKNOWN, Field, Value
from archive.errors import InvalidValue

LONGEST = 2_000
"""Characters of a query."""
DEEPEST = 40
"""Parentheses and *not* within one another."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field of a scan compared with a value, or with several of which it must equal one."""

    field: str
    sign: str
    values: tuple[Value, ...]

    def __str__(self) -> str:
        texts = [value.text if re.fullmatch(r"[\w.&+/-]+", value.text) else f'"{value.text}"' for value in self.values]
        return f"{self.field} in ({', '.join(texts)})" if self.sign == "in" else f"{self.field} {self.sign} {texts[0]}"


@dataclass(frozen=True, slots=True)
class Not:
    """What its part does not fit."""

    part: "Condition"

    def __str__(self) -> str:
        return f"not {self.part}" if isinstance(self.part, Joined) else f"not ({self.part})"


@dataclass(frozen=True, slots=True)
class Joined:
    """What fits all of its parts (``and``), or at least one (``or``)."""

    word: str
    parts: tuple["Condition", ...]

    def __str__(self) -> str:
        return "(" + f" {self.word} ".join(map(str, self.parts)) + ")"


Condition = Comparison | Not | Joined


@dataclass(frozen=True, slots=True)
class Query:
    """A query without a fault. Its text is made of closed vocabularies and numbers, however it was typed."""

    condition: Condition

    def __str__(self) -> str:
        text = str(self.condition)
        return text[1:-1] if isinstance(self.condition, Joined) else text


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a query; ``place`` is the character where it is, counted from 1."""

    place: int
    found: str
    expected: str

    def __str__(self) -> str:
        return f"at character {self.place}: found {self.found}; expected {self.expected}"


class QueryRefused(InvalidValue):
    """A query that cannot be understood, with all of its faults."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        count = counted(len(faults), "fault")
        super().__init__(f"the query has {count}:" + "".join(f"\n  {fault}" for fault in faults))
        self.faults = faults


def parse(text: str) -> Query:
    """Read a query.

    Raises
    ------
    QueryRefused
        With every fault of it. What was found is repeated only where it is nearly a word that we know.
    """
    if len(text) > LONGEST:
        raise QueryRefused((Fault(LONGEST + 1, "more", f"{LONGEST:,} characters at most"),))
    reader = _Reader(text)
    condition = reader.whole()
    if reader.faults or condition is None:
        raise QueryRefused(tuple(sorted(set(reader.faults), key=lambda fault: fault.place)))
    return Query(condition)


class _Token(NamedTuple):
    kind: str  # word, quoted, sign, end
    text: str
    place: int

    def says(self, *texts: str) -> bool:
        return self.kind in ("word", "sign") and self.text.casefold() in texts


_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"[^"]*"|'[^']*')|(?P<sign>[!<>]=|[=<>(),])|(?P<word>[^\s"'=<>!(),]+)|(?P<odd>\S))"""
)
_KEYWORDS = ("and", "or", "not", "in")
_SIGNS = ("=", "!=", "<", "<=", ">", ">=")


def _tokens(text: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(text):
        kind = str(found.lastgroup)
        yield _Token(kind, found[kind].strip("\"'") if kind == "quoted" else found[kind], found.start(kind) + 1)
    yield _Token("end", "", len(text.rstrip()) + 1)


class _Reader:
    """Reads by descent and goes on behind a fault, so that all faults are told at once."""

    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0
        self.depth = 0
        self.faults: list[Fault] = []

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def take(self, *texts: str) -> bool:
        """Step over the next token if it is one of these."""
        fits = self.token.says(*texts)
        self.at += fits
        return fits

    def fault(self, expected: str, token: _Token | None = None, found: str | None = None) -> Condition | None:
        """Note a fault and go on behind the comparison that it is in."""
        token = token or self.token
        self.faults.append(Fault(token.place, found or _described(token), expected))
        while not self.token.says("and", "or", ")") and self.token.kind != "end":
            self.at += 1
        return None

    def whole(self) -> Condition | None:
        found = self.either()
        while self.token.kind != "end":
            self.fault("'and', 'or' or the end of the query")
            self.at += self.token.kind != "end"  # what stopped us is no part of a comparison
            self.either()
        return found

    def either(self) -> Condition | None:
        return self.joined("or", lambda: self.joined("and", self.negated))

    def joined(self, word: str, part: Callable[[], Condition | None]) -> Condition | None:
        parts = [part()]
        while self.take(word):
            parts.append(part())
        known = tuple(one for one in parts if one is not None)
        return Joined(word, known) if len(known) > 1 else next(iter(known), None)

    def negated(self) -> Condition | None:
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                return self.fault(f"no more than {DEEPEST} parentheses or 'not' within one another")
            if self.take("not"):
                part = self.negated()
                return Not(part) if part is not None else None
            return self.group() if self.take("(") else self.comparison()
        finally:
            self.depth -= 1

    def group(self) -> Condition | None:
        inner = self.either()
        if not self.take(")"):
            self.fault("')'")
        return inner

    def comparison(self) -> Condition | None:
        name = self.token
        known = FIELDS.get(ALIASES.get(name.text.casefold(), name.text.casefold())) if name.kind == "word" else None
        if known is None:
            return self.fault(f"a field: {', '.join(FIELDS)}", found=_described(name, tuple(FIELDS)))
        self.at += 1
        refused = self.token if self.take("not") else None
        if self.take("in"):
            several = Comparison(known.name, "in", values) if (values := self.listed(known)) else None
            return Not(several) if refused and several else several
        if refused or not self.token.says(*_SIGNS):
            return self.fault(f"one of {' '.join(_SIGNS)} or 'in'", refused)
        sign = self.token
        self.at += 1
        if sign.text not in ("=", "!=") and not known.ordered:
            self.faults.append(Fault(sign.place, f"'{sign.text}'", f"'=', '!=' or 'in', as {known.name} has no order"))
        value = self.value(known)
        return Comparison(known.name, sign.text, (value,)) if value else None

    def listed(self, known: Field) -> tuple[Value, ...]:
        """Read the values in parentheses behind ``in``."""
        if not self.take("("):
            self.fault("'(' and values with commas between them")
            return ()
        values = [self.value(known)]
        while self.take(","):
            values.append(self.value(known))
        if not self.take(")"):
            self.fault("',' or ')'")
        return tuple(value for value in values if value)

    def value(self, known: Field) -> Value | None:
        """Read one value: quoted, or all words up to the next keyword, comma or parenthesis."""
        first, words = self.token, []
        while self.token.kind == "word" and not self.token.says(*_KEYWORDS):
            words.append(self.token.text)
            self.at += 1
        if first.kind == "quoted":
            words = [first.text]
            self.at += 1
        text = " ".join(words)
        value = Value(UNKNOWN) if text.casefold() == UNKNOWN else known.read(text) if text else None
        if value is None:
            found = _described(_Token("word", text, first.place), known.alike) if text else _described(first)
            self.faults.append(Fault(first.place, found, known.expected + ", or unknown"))
        return value


def _described(token: _Token, alike: tuple[str, ...] = ()) -> str:
    """Describe what was found; repeat it only where it is ours, or nearly so."""
    if token.kind == "end":
        return "the end of the query"
    if token.kind == "sign" or token.text.casefold() in _KEYWORDS:
        return f"'{token.text}'"
    near = get_close_matches(token.text.casefold(), [word.casefold() for word in alike], n=1, cutoff=0.7)
    if near and token.text.isprintable():
        return f"'{token.text}' (is it {near[0]}?)"
    return "a sign that has no meaning here" if token.kind == "odd" else "a word that has no meaning here"
