"""One question to the decision table, with its facts read as stage 0 says: what is unknown, strictly.

The two readings of the unknown that are not strict are RULES' own ("Defaults that keep daily work possible"): not known
to be dead counts as alive for care and for known groups, and a living patient's silence is no refusal.
"""

from dataclasses import dataclass, replace

from archive.consent.facts import Facts
from archive.consent.terms import (
    SECONDARY,
    Answer,
    Authority,
    Consent,
    Grade,
    Purpose,
    Recipient,
    Recorded,
    State,
    TissueSource,
    Vital,
)


@dataclass(frozen=True, slots=True)
class Situation:
    """Facts, and what is asked about them.

    ``holds_key`` says whether the account that asks, in its present role, may look codes up.
    """

    facts: Facts
    purpose: Purpose
    recipient: Recipient
    holds_key: bool

    # What is asked

    @property
    def keeping(self) -> bool:
        """May the laboratory store it? Nobody else keeps."""
        return self.purpose is Purpose.KEEP and self.recipient is Recipient.LABORATORY

    @property
    def publishing(self) -> bool:
        """Whatever goes to the public is published, whatever the purpose is called."""
        return self.recipient is Recipient.PUBLIC

    @property
    def beyond_care(self) -> bool:
        """A secondary purpose or a publication: where wishes and the state of the picture count."""
        return self.purpose.secondary or self.publishing

    @property
    def treating(self) -> bool:
        """Asked by those who treat or examine: the care team, or the laboratory that reports to it."""
        return self.recipient in (Recipient.CARE_TEAM, Recipient.LABORATORY)

    @property
    def named_group(self) -> bool:
        """Asked by a named project or a named class."""
        return self.recipient in (Recipient.PROJECT, Recipient.CLASS)

    # The tissue

    @property
    def living(self) -> bool:
        """Known to be taken in life."""
        return self.facts.source is TissueSource.LIVING

    @property
    def under_authority(self) -> bool:
        """Known to be post-mortem, on a known authority."""
        known = (Authority.HOSPITAL, Authority.CORONER)
        return self.facts.source is TissueSource.POST_MORTEM and self.facts.authority in known

    @property
    def coroners(self) -> bool:
        """A coroner's or fiscal's case."""
        return self.under_authority and self.facts.authority is Authority.CORONER

    @property
    def unestablished(self) -> bool:
        """Nobody knows on what authority; so too when nobody knows whether there was an examination."""
        known = self.living or (
            self.facts.source is TissueSource.POST_MORTEM and self.facts.authority is not Authority.UNKNOWN
        )
        return not known

    @property
    def part_of_examination(self) -> bool:
        """Known to be recorded as part of the examination."""
        return self.facts.recorded is Recorded.AS_PART_OF_EXAMINATION

    @property
    def dead(self) -> bool:
        """Whether a patient whose tissue was taken in life counts as dead."""
        return self.facts.vital is Vital.DEAD or (self.facts.vital is Vital.UNKNOWN and self.publishing)

    # Which part of the table is asked

    @property
    def treating_with_life(self) -> bool:
        """Care, with tissue taken in life."""
        return self.living and self.treating and self.purpose is Purpose.CARE

    @property
    def using_life(self) -> bool:
        """A secondary purpose of a known group, with tissue taken in life."""
        return self.living and self.purpose.secondary and not self.publishing

    @property
    def using_alive(self) -> bool:
        """As before, of a patient not known to be dead."""
        return self.using_life and not self.dead

    @property
    def using_alive_identifiably(self) -> bool:
        """As before, with an identifiable picture and a consent that is good for that."""
        return self.using_alive and self.identifiable and self.covered_identifiably

    @property
    def using_post_mortem(self) -> bool:
        """A secondary purpose of a known group, with post-mortem tissue."""
        return self.under_authority and self.purpose.secondary and not self.publishing

    @property
    def using_with_consent(self) -> bool:
        """As before, with a consent that is good for the purpose."""
        return self.using_post_mortem and self.valid and self.covered

    @property
    def publishing_life(self) -> bool:
        """Publication for a secondary purpose, of tissue taken in life."""
        return self.living and self.publishing and self.purpose.secondary

    @property
    def publishing_post_mortem(self) -> bool:
        """Publication for a secondary purpose, of post-mortem tissue."""
        return self.under_authority and self.publishing and self.purpose.secondary

    def as_made_for(self) -> tuple["Situation", ...]:
        """Row K3: ask instead whether a named group may use it for the purpose it was made for.

        Where that purpose is not known, ask for each. The copy that is kept is coded, for a group without the key.
        """
        made_for = self.facts.recorded_for
        purposes = [made_for] if made_for else sorted(SECONDARY)
        return tuple(replace(self, purpose=p, recipient=Recipient.PROJECT, holds_key=False) for p in purposes)

    # What was asked and answered

    @property
    def unasked(self) -> bool:
        """Nothing is recorded about consent."""
        return self.facts.consent in (Consent.NOT_RECORDED, Consent.UNKNOWN)

    @property
    def refused(self) -> bool:
        """Refused altogether, or just what is asked for here."""
        return (
            self.facts.consent is Consent.REFUSED
            or self.purpose in self.facts.refused_for
            or (self.publishing and self.facts.refused_publication)
        )

    @property
    def obtained(self) -> bool:
        """Somebody said yes to something."""
        answers = (Consent.OBTAINED, Consent.WITH_POST_MORTEM, Consent.SEPARATELY)
        return self.facts.consent in (answers[:1] if self.living else answers)

    @property
    def valid(self) -> bool:
        """Consent that counts for this tissue, from somebody who could give it."""
        if self.living:
            return self.facts.consent is Consent.OBTAINED
        if self.facts.consent is Consent.SEPARATELY:
            return self.facts.giver_entitled is Answer.YES
        return self.facts.consent is Consent.WITH_POST_MORTEM and self.facts.authority is Authority.HOSPITAL

    @property
    def covered(self) -> bool:
        """The consent names this purpose, and publication where it is for the public."""
        named = self.purpose in self.facts.covers
        return named and (not self.publishing or self.facts.covers_publication is Answer.YES)

    @property
    def covered_identifiably(self) -> bool:
        """The consent is good for this purpose and for identifiable use."""
        return self.valid and self.covered and self.facts.covers_identifiable is Answer.YES

    # The picture

    @property
    def unproven(self) -> bool:
        """Z1: claimed to be coded or anonymised, and no report shows it."""
        return self.facts.state is not State.IDENTIFIABLE and not self.facts.report_bound

    @property
    def decodable(self) -> bool:
        """Z2: coded, but not for somebody who has the key."""
        return self.facts.state is State.CODED and self.holds_key

    @property
    def telling(self) -> bool:
        """Z3: might identify the person, or was not looked at as this use and this tissue ask."""
        grade = self.facts.might_identify.grade
        if self.publishing:
            return not (grade is Grade.NO_PERSON and self.facts.second_person)
        return grade is not Grade.NO_PERSON and not (grade is Grade.NO_SCREENED and self.living)

    @property
    def state(self) -> State:
        """The effective state of the picture for this recipient."""
        if self.unproven or self.decodable or self.telling:
            return State.IDENTIFIABLE
        return self.facts.state

    @property
    def identifiable(self) -> bool:
        """Neither coded nor anonymised, as it counts here."""
        return self.state is State.IDENTIFIABLE

    @property
    def assumed(self) -> tuple[str, ...]:
        """The defaults for the unknown that make a difference here."""
        if not self.living or self.purpose is Purpose.KEEP:
            return ()
        assumed = []
        if self.facts.vital is Vital.UNKNOWN:
            assumed.append(
                f"It is not known whether the patient is dead: counted as {'dead' if self.dead else 'alive'}."
            )
        if self.facts.consent is Consent.UNKNOWN and self.beyond_care:
            assumed.append("No refusal or opt-out is recorded: counted as none.")
        return tuple(assumed)
