"""Some words in a row tell that the tissue is from a post-mortem, whatever a default says.

Too many words are better than too few: what is taken for a post-mortem by mistake waits until somebody says otherwise,
and the other mistake shows a dead person's tissue without consent.
"""

import re
import unicodedata

from archive.consent import Facts
from archive.consent.terms import Authority, Consent, Recorded

_WORDS = re.compile(
    r"\b(?:p\.?m\.?|post[\s_-]?mortem\w*|autops\w*|necrops\w*|mortuar\w*|morgue|morgues|coron(?:er|ers|ial)|"
    r"procurator|fiscal|thanatolog\w*|obdu[ck]\w*|sektion\w*|obduzion\w*|sekcj\w*|deceased|cadaver\w*)(?!\w)"
)


def names_post_mortem(text: str) -> bool:
    """Tell whether the name of a procedure or a place names an autopsy or a mortuary."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("_", " ")
    return _WORDS.search(plain) is not None


def speaks_of_post_mortem(facts: Facts) -> bool:
    """Tell whether facts were given that only post-mortem tissue has."""
    has_authority = facts.authority in (Authority.HOSPITAL, Authority.CORONER)
    return has_authority or facts.recorded is not Recorded.UNKNOWN or facts.consent is Consent.WITH_POST_MORTEM
