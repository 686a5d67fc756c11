"""The facts of a case follow from what its delivery told and from its consent records, by this function and no other.

Answers are read in the order in which they were recorded, for each purpose on its own:

- a refusal or withdrawal counts at once, whoever says it, and is lifted only by a later consent of somebody whose word
  stands as high (policy: known wishes, paragraphs 9 and 47);
- a consent counts if its giver may give it; one that does not count takes nothing away from one that does;
- a consent that excepts publication or identifiable use excepts it, whatever else is said, until somebody whose word
  stands as high allows it for the same purpose; a no, to everything or to one purpose, is a no to publishing it too;
- "not asked" and "not foreseen" say that nobody answered, so they never overtake an answer, and what is not recorded is
  neither of them;
- "not foreseen" counts only if it is attested for every purpose and nobody ever consented to one, since the facts of a
  case have one word for all of them.

What was consented to is read as if nobody had refused, and the refusals are taken from that. So no refusal ever opens
what was closed before it: whose consent to teaching is withdrawn is not somebody whom nobody could have asked.

A refusal that the delivery list told stands until what the list told is corrected: the list does not say whose it was.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from archive.consent.facts import Facts
from archive.consent.records import LOWEST_RANK, ConsentRecord, Said
from archive.consent.situation import Situation
from archive.consent.terms import SECONDARY, Answer, Consent, Grade, Purpose, Recipient, Record, TissueSource

_OBTAINED = (Consent.OBTAINED, Consent.WITH_POST_MORTEM, Consent.SEPARATELY)
_NO = (Said.REFUSED, Said.WITHDRAWN)
_NO_CONSENT = (Consent.REFUSED, Consent.WITHDRAWN)
_UNANSWERED = {Consent.NOT_FORESEEN: Said.NOT_FORESEEN, Consent.FORESEEN_NOT_ASKED: Said.NOT_ASKED}
_UNKNOWN_GIVER = 0
"""A consent that a list told was given by nobody knows whom; its word is never refused a hearing, nor lifts a no."""

_LOWEST = 3 + LOWEST_RANK
"""No word stands lower: what a list excepted, anybody may allow whose consent counts."""


@dataclass(frozen=True, slots=True)
class _Word:
    """The answer in force for one purpose."""

    said: Said
    standing: int
    consent: Consent = Consent.UNKNOWN
    entitled: Answer = Answer.UNKNOWN
    identifiable: Answer = Answer.UNKNOWN
    publication: Answer = Answer.UNKNOWN
    place: int | None = None
    """Of its record, counted from 0; None for what the delivery list told."""


def facts_of(
    told: Facts,
    records: Sequence[ConsentRecord],
    done: Collection[Record] = (),
    reopened: Collection[Record] = (),
) -> Facts:
    """Give what is known of a case.

    Parameters
    ----------
    told
        What the delivery list and the defaults of its feed told, as corrected.
    records
        Those of the case and of its patient that were not annulled, in the order in which they were recorded.
    done, reopened
        Documents that an obligation asked for: those that exist, and those that were said to exist and do not.
    """
    found = _established(told, records)
    found = replace(found, records=(found.records | frozenset(done)) - frozenset(reopened))
    if all(record.said is None for record in records) or told.consent in _NO_CONSENT:
        return found
    return _consented(found, records)


def in_force(told: Facts, records: Sequence[ConsentRecord]) -> tuple[frozenset[str], ...]:
    """Say of each record for which purposes its answer, and for which facts its finding, is the one that counts.

    A record for which nothing is named was overtaken, or weighs less than what was known before. Nothing overtakes a
    refusal that the delivery list told.

    Parameters
    ----------
    told, records
        As for `facts_of`.
    """
    counting: list[set[str]] = [set() for _ in records]
    for name in {name for record in records for name in record.tells}:
        found = [place for place, record in enumerate(records) if name in record.tells]
        counting[found[-1]].add(name)
        if name == "might_identify":
            for place in takewhile(lambda one: _is_clear(records[one]), reversed(found)):
                counting[place].add(name)  # a second look stands beside the first
    if told.consent not in _NO_CONSENT:
        for purpose, word in _in_force(_established(told, records), records).items():
            if word.place is not None:
                counting[word.place].add(str(purpose))
    return tuple(map(frozenset, counting))


def _established(told: Facts, records: Iterable[ConsentRecord]) -> Facts:
    """Put in what was found out; the newest finding counts, and a second look is another person's."""
    facts, looked = told, set[str]()
    for record in records:
        facts = replace(facts, **{name: getattr(record.established, name) for name in record.tells})
        if "might_identify" in record.tells:
            clear = _is_clear(record)
            looked = looked | {record.by} if clear else set()
            facts = replace(facts, second_person=clear and (facts.second_person or len(looked) > 1))
    return facts


def _is_clear(record: ConsentRecord) -> bool:
    """Whether a person looked and found nothing that might identify the patient."""
    return record.established.might_identify.grade is Grade.NO_PERSON


def _in_force(facts: Facts, records: Sequence[ConsentRecord]) -> dict[Purpose, _Word]:
    """Find the answer in force for each purpose of which anybody spoke."""
    words = _told(facts)
    for place, record in enumerate(records):
        said = record.said
        for purpose in sorted(record.scope) if said is not None else ():
            new = replace(_word(facts, record), place=place)
            old = words.get(purpose)
            if old is not None and old.said in _NO and new.said in _NO:
                new = replace(new, standing=min(old.standing, new.standing))  # a patient's no outlives a relative's
            if _overtakes(facts, old, new):
                words[purpose] = new
    return words


def _word(facts: Facts, record: ConsentRecord) -> _Word:
    """Give what a record answers, for each of its purposes."""
    return _Word(
        record.said or Said.NOT_ASKED,
        record.standing,
        _kind(facts, record),
        Answer.YES if record.may_answer else record.entitled,
        record.identifiable,
        record.publication,
    )


def _told(facts: Facts) -> dict[Purpose, _Word]:
    """Give the answers that the delivery list told."""
    if facts.consent in _OBTAINED:
        word = _Word(
            Said.GIVEN,
            _UNKNOWN_GIVER,
            facts.consent,
            facts.giver_entitled,
            facts.covers_identifiable,
            facts.covers_publication,
        )
        return dict.fromkeys(facts.covers, word)
    if facts.consent in _UNANSWERED:
        return dict.fromkeys(SECONDARY, _Word(_UNANSWERED[facts.consent], _UNKNOWN_GIVER))
    return {}


def _kind(facts: Facts, record: ConsentRecord) -> Consent:
    if facts.source is TissueSource.LIVING:
        return Consent.OBTAINED
    return Consent.WITH_POST_MORTEM if record.with_examination else Consent.SEPARATELY


def _overtakes(facts: Facts, old: _Word | None, new: _Word) -> bool:
    if new.said in _NO:
        return True
    if new.said is not Said.GIVEN:
        return old is None or old.said in _UNANSWERED.values()
    if facts.source is TissueSource.LIVING and new.entitled is not Answer.YES:
        return False  # nobody consents for a living person without being entitled to
    if old is not None and old.said in _NO:
        return _counts(facts, new) and new.standing <= old.standing
    return old is None or old.said is not Said.GIVEN or _counts(facts, new) or not _counts(facts, old)


def _counts(facts: Facts, word: _Word) -> bool:
    """Whether a consent is one that the table takes, whatever it covers."""
    asked = replace(facts, consent=word.consent, giver_entitled=word.entitled)
    return Situation(asked, Purpose.TEACHING, Recipient.PROJECT, holds_key=False).valid


def _consented(facts: Facts, records: Sequence[ConsentRecord]) -> Facts:
    """Put the answers in force into the one word that a case has for consent, the stricter where they differ."""
    answers = _in_force(facts, records)
    refused = facts.refused_for | {purpose for purpose, word in answers.items() if word.said in _NO}
    if refused == SECONDARY:
        withdrawn = any(word.said is Said.WITHDRAWN for word in answers.values())
        return _without_consent(facts, Consent.WITHDRAWN if withdrawn else Consent.REFUSED)
    facts = replace(
        facts,
        refused_for=refused,
        refused_publication=facts.refused_publication or _is_excepted(facts, records, "publication", refused),
    )
    words = _in_force(facts, [record for record in records if record.said not in _NO])
    given = {purpose: word for purpose, word in words.items() if word.said is Said.GIVEN}
    standing = {purpose: word for purpose, word in given.items() if _counts(facts, word)} or given
    if not standing:
        return _without_consent(facts, _silence(facts, words))
    kinds = {word.consent for word in standing.values()}
    consent = next(kind for kind in (Consent.SEPARATELY, *_OBTAINED) if kind in kinds)
    excepted = _is_excepted(facts, records, "identifiable", refused)
    return replace(
        facts,
        consent=consent,
        covers=frozenset(standing) - refused,
        covers_identifiable=Answer.NO if excepted else _strictest(word.identifiable for word in standing.values()),
        covers_publication=_strictest(word.publication for word in standing.values()),
        giver_entitled=_strictest(word.entitled for word in standing.values() if word.consent is consent),
    )


def _is_excepted(facts: Facts, records: Iterable[ConsentRecord], use: str, refused: Collection[Purpose]) -> bool:
    """Whether publication, or identifiable use, was excepted, and nobody whose word stands as high allowed it since.

    A no to a purpose is a no to publishing for it, too: where the purpose is consented to again without a word on
    that, it is excepted. While the purpose is still refused, it is not asked what else was.
    """
    told = facts.covers if use == "publication" and facts.covers_publication is Answer.NO else ()
    # By purpose, None for everything, and whether the purpose itself was refused.
    against: dict[tuple[Purpose | None, bool], int] = {(purpose, False): _LOWEST for purpose in told}
    for record in records:
        answer, is_no = getattr(record, use), record.said in _NO
        for purpose in (record.purposes or {None}) if is_no or answer is Answer.NO else ():
            one = purpose, is_no and purpose is not None
            against[one] = min(record.standing, against.get(one, _LOWEST))
        if answer is Answer.YES and _counts(facts, _word(facts, record)):
            lifted = {None, *record.purposes}
            against = {
                one: standing for one, standing in against.items() if one[0] not in lifted or record.standing > standing
            }
    return any(not was_refused or purpose not in refused for purpose, was_refused in against)


def _silence(facts: Facts, words: dict[Purpose, _Word]) -> Consent:
    """Say what holds where nobody consented."""
    if {purpose for purpose, word in words.items() if word.said is Said.NOT_FORESEEN} == SECONDARY:
        return Consent.NOT_FORESEEN
    if any(word.said is Said.NOT_ASKED for word in words.values()):
        return Consent.FORESEEN_NOT_ASKED
    # Of a living patient nothing but the refusal is known; a consent of no purpose stays one.
    return Consent.NOT_RECORDED if facts.consent is Consent.NOT_FORESEEN else facts.consent


def _without_consent(facts: Facts, consent: Consent) -> Facts:
    return replace(
        facts,
        consent=consent,
        covers=frozenset(),
        covers_identifiable=Answer.UNKNOWN,
        covers_publication=Answer.UNKNOWN,
        giver_entitled=Answer.UNKNOWN,
    )


def _strictest(answers: Iterable[Answer]) -> Answer:
    found = set(answers)
    return next(answer for answer in (Answer.NO, Answer.UNKNOWN, Answer.YES) if answer in found)
