"""What somebody withdraws, in which role, and what that did: the words of a withdrawal and of its report."""

from dataclasses import dataclass, field

from archive.catalogue.tombstones import Scope
from archive.codes import Code, InternalKey
from archive.consent.records import ConsentRecord, Giver, Said
from archive.consent.terms import Consent
from archive.errors import InvalidValue
from archive.holdings.prospect import Handling
from archive.wordscreen import screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """What is to be ended, and on whose word.

    Parameters
    ----------
    case, patient : InternalKey, optional
        The case, or the patient whose cases they are: those that are known, and those to come.
    giver : Giver
        In which role somebody withdrew; ``rank`` is that of a qualifying relation, counted from 1.
    by : str
        The staff account that records it.
    reason : str
        Why it is recorded, without anything that could identify a patient.
    key : InternalKey
        Random; the key vault keeps the evidence under it.
    """

    case: InternalKey | None = None
    patient: InternalKey | None = None
    giver: Giver
    rank: int | None = None
    by: str
    reason: str
    key: InternalKey

    def __post_init__(self) -> None:
        if (self.case is None) == (self.patient is None):
            raise InvalidValue("a withdrawal is of one case, or of one patient")
        screen(self.reason, "a reason")
        self.record(Said.WITHDRAWN)

    @property
    def scope(self) -> Scope:
        """How far it reaches."""
        return Scope.PATIENT if self.case is None else Scope.CASE

    def record(self, said: Said) -> ConsentRecord:
        """Give the answer as it is recorded: about every purpose.

        Raises
        ------
        InvalidValue
            If the role and the rank do not fit.
        """
        return ConsentRecord(said=said, giver=self.giver, rank=self.rank, by=self.by)


@dataclass(frozen=True, slots=True)
class Ended:
    """A case whose use was ended: its slides, and what was and is recorded of its consent."""

    case: Code
    slides: tuple[Code, ...]
    before: Consent
    after: Consent


@dataclass(frozen=True, slots=True)
class TakenOut:
    """A slide that was taken out of a teaching collection; ``number`` is its place there, counted from 1."""

    slide: Code
    collection: str
    number: int


@dataclass(frozen=True, slots=True)
class GivenBefore:
    """What a project was given before, under its own codes, and the acts by which it got a cohort."""

    project: str
    slides: tuple[Code, ...]
    acts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a withdrawal did, or would do; ``act`` is the number of its entry in the trail, None if nothing was done.

    ``record`` is the key of the consent record that says so, under which the key vault keeps the evidence.
    A case of which nothing was given is recorded as refused: the wish is the same, and nothing was there to withdraw.
    """

    ended: tuple[Ended, ...]
    handlings: tuple[Handling, ...]
    taken_out: tuple[TakenOut, ...]
    given_before: tuple[GivenBefore, ...]
    record: InternalKey = field(repr=False)
    act: int | None = None
