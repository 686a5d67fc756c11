"""What a person says they want to see a case for, and the question to the decision table that this is.

Checking that a scan is sharp belongs to making a recording for care. Whatever else people write in their own words
counts as a secondary purpose, which the table reads most strictly: the desk's people can look names up, so to them a
coded picture is identifiable (row Z2).
"""

from dataclasses import dataclass
from enum import StrEnum

from archive.consent import Purpose, Recipient
from archive.errors import InvalidValue
from archive.wordscreen import screen

LONGEST_WORDS = 120
"""Characters of somebody's own words; enough to say why, too short for a report."""


class Choice(StrEnum):
    """A choice of the form; ``label`` is how it reads there."""

    label: str
    purpose: Purpose
    recipient: Recipient

    def __new__(cls, value: str, label: str, purpose: Purpose, recipient: Recipient) -> "Choice":
        """Make a member whose value is its name in the form."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label, member.purpose, member.recipient = label, purpose, recipient
        return member

    REVIEW = "review", "Clinical review", Purpose.CARE, Recipient.LABORATORY
    MEETING = "meeting", "Second opinion or MDT", Purpose.CARE, Recipient.CARE_TEAM
    QUALITY = "quality", "Quality control", Purpose.CARE, Recipient.LABORATORY
    POST_MORTEM = "post-mortem", "Post-mortem (cause of death)", Purpose.CAUSE_OF_DEATH, Recipient.LABORATORY
    CONSENT = "consent", "Consent or withdrawal", Purpose.OTHER_SECONDARY, Recipient.LABORATORY
    OTHER = "other", "Another purpose", Purpose.OTHER_SECONDARY, Recipient.LABORATORY


@dataclass(frozen=True, slots=True)
class Wanted:
    """A purpose as it was given: the choice and, with `Choice.OTHER`, the person's own words."""

    choice: Choice
    words: str = ""

    @classmethod
    def of(cls, choice: str, words: str) -> "Wanted":
        """Read the two fields of the form.

        Raises
        ------
        InvalidValue
            If nothing of the list was chosen, or another purpose was not put into words.
        FreeTextRefused
            If the words look as if they held an identifier.
        """
        chosen = next((one for one in Choice if one.value == choice), None)
        if chosen is None:
            raise InvalidValue("choose what you want to see the case for")
        if chosen is not Choice.OTHER:
            return cls(chosen)
        if not words:
            raise InvalidValue("say in a few words what the other purpose is")
        if len(words) > LONGEST_WORDS or not words.isprintable():
            raise InvalidValue(f"say the other purpose in at most {LONGEST_WORDS} characters")
        return cls(chosen, screen(words, "the purpose"))

    def __str__(self) -> str:
        return f"{self.choice.label}: {self.words}" if self.words else self.choice.label
