"""An entry tells why its file waits: in a sentence, for which region of the glass, and what list and file say."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.errors import SlideRefused
from ingest.quarantine.judging import IN_PICTURE
from ingest.quarantine.register import Entry

_SENTENCE = "sentence"
_REGION = "region"
_IN_QUESTION = "in question"
_LISTED, _FOUND = "list ", "file "


@dataclass(frozen=True, slots=True)
class Difference:
    """What the list and the file say of one thing, such as the case. What they say may name a patient."""

    what: str
    listed: str = field(repr=False)
    found: str = field(repr=False)


def in_words(refused: SlideRefused) -> dict[str, str]:
    """Put the sentence of a refusal where an entry can tell it; empty where it is that of the reason as such."""
    return {_SENTENCE: refused.sentence} if refused.sentence != refused.reason.sentence else {}


def sentence_of(entry: Entry) -> str:
    """Say why a file waits and what to do: as precisely as was known when it was set aside."""
    return entry.told.get(_SENTENCE) or (entry.reason.sentence if entry.reason else "")


def in_question() -> dict[str, str]:
    """Put that something was seen in the picture of a file, which stays so whatever it waits for later."""
    return {_IN_QUESTION: "picture"}


def is_in_question(entry: Entry | None) -> bool:
    """Tell whether something was seen in the picture of a file that was not taken in since."""
    return entry is not None and (entry.reason in IN_PICTURE or _IN_QUESTION in entry.told)


def on_region(number: int) -> dict[str, str]:
    """Put which region of its glass a file waits for, where it holds several, for an entry to tell."""
    return {_REGION: str(number)}


def region_of(entry: Entry) -> int:
    """Tell which region of its glass a file waits for: the first, where nothing else is told."""
    return int(entry.told.get(_REGION, 0))


def contradiction(listed: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """Put what the list says beside what the file says, such as ``{"case": ...}`` twice, for an entry to tell."""
    return {_LISTED + what: said for what, said in listed.items()} | {
        _FOUND + what: said for what, said in found.items()
    }


def differences(entry: Entry) -> tuple[Difference, ...]:
    """Give what an entry tells of what the list and the file say, thing by thing; empty where one says nothing."""
    told = entry.told
    sides = (_LISTED, _FOUND)
    things = dict.fromkeys(key.removeprefix(side) for side in sides for key in told if key.startswith(side))
    return tuple(Difference(what, told.get(_LISTED + what, ""), told.get(_FOUND + what, "")) for what in things)
