"""People type names and numbers into any field that lets them.

A collection's name or a reason is short free text, seen by a class or kept in the audit trail. Identifiers have
shapes: long numbers, dates, e-mail addresses, laboratory numbers, names with carets. Text with such a shape is refused
with a sentence that says which shape it was and never repeats the text. A plain surname has no shape: this screen
catches slips, and does not replace the rule that free text holds no patient's name.
"""

import re
import unicodedata

from archive.errors import FreeTextRefused

LONGEST = 200
"""Characters. Enough for a reason in one sentence; a pasted report or header is longer."""

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*"

_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("an e-mail address", re.compile(r"\S@\S")),
    ("a name as scanners and hospital systems write it", re.compile(r"\w\^|\^\w")),
    (
        "a date",
        re.compile(
            rf"""(?<!\d)(?:
                \d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}              # 1948-07-05
                | \d{{1,2}}[-/.]\d{{1,2}}[-/.](?:\d{{4}}|\d{{2}}) # 5/7/48, 05.07.1948
                | \d{{1,2}}(?:st|nd|rd|th)?[-\s.]*{_MONTH}\b[-\s.,]*\d{{2,4}}   # 5 July 1948, 05-JUL-48
            )(?!\d)
            | \b{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}  # July 5th, 1948
            """,
            re.VERBOSE | re.IGNORECASE,
        ),
    ),
    ("a patient or telephone number", re.compile(r"\d(?:[\s./()-]{0,2}\d){8,}")),
    ("a long number", re.compile(r"\d{5,}")),
    (
        "a laboratory's case number",
        re.compile(r"(?<![A-Z0-9])(?:[A-Z]{1,3}-?\d{2}|\d{2}-?[A-Z]{1,3})[-/ .:]\d{3,}", re.IGNORECASE),
    ),
)


def screen(text: str, what: str) -> str:
    """Give the text back, trimmed and in Unicode's compatibility form, if nothing in it looks like an identifier.

    Parameters
    ----------
    text
        Free text from a person.
    what
        What the text is, to open the sentence with, such as ``"the name of a collection"``.

    Raises
    ------
    FreeTextRefused
        If it is empty, long, holds control characters, or has the shape of an identifier.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).split(" ")).strip()
    if not plain:
        raise FreeTextRefused(f"{what} may not be empty; write a few words")
    if len(plain) > LONGEST:
        raise FreeTextRefused(f"{what} may have {LONGEST} characters at most; write it shorter")
    if any(unicodedata.category(character).startswith("C") for character in plain):
        raise FreeTextRefused(f"{what} may not hold line breaks or invisible characters; write it on one line")
    for shape, pattern in _SHAPES:
        if pattern.search(plain):
            raise FreeTextRefused(f"{what} seems to hold {shape}; leave out whatever could identify a patient")
    return plain
