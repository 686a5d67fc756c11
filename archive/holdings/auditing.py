"""All trails are verified together, and signed together into a second place; a trail with a fault is not signed.

The catalogue's trail tells of every statement that was signed, so that the second place is watched as well. A second
place that was lost, or trails that were restored from an older backup, are begun anew by a person who gives a reason.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from archive.auditchain import Entry, Fault, FaultCode, Trail
from archive.auditchain.signing import PublicKey, SigningKey
from archive.auditchain.statement import NONE_BEFORE, Signed, Standing, Statement
from archive.auditchain.told import Told
from archive.auditchain.verifying import Checked, check_trail, not_here
from archive.catalogue import LABORATORY, Writing, audit, belonging, codes
from archive.codes import InternalKey, Kind
from archive.errors import AuditFaulty, InvalidValue
from archive.holdings import witness
from archive.holdings.archive import Archive
from archive.holdings.reading import ReadingRoom
from archive.holdings.second_place import SecondPlace

CATALOGUE = "catalogue"
SIGNED = "sign audit"
"""The act by which the catalogue's trail tells of a statement."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found of all trails and of the second place."""

    trails: tuple[Checked, ...]
    statements: tuple[Signed, ...]
    faults: tuple[Fault, ...]
    """Of the second place; each trail has its own."""

    @property
    def sound(self) -> bool:
        """Whether nothing at all was found wrong."""
        return self.count == 0

    @property
    def count(self) -> int:
        """How many faults there are."""
        return len(self.faults) + sum(len(one.faults) for one in self.trails)


@dataclass(frozen=True, slots=True)
class _Announced:
    """What the catalogue's trail tells of a statement, just before it is signed."""

    number: int
    before: str
    anew: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """What was read of the trails and of the second place."""

    checked: tuple[Checked, ...]
    announced: tuple[_Announced, ...]
    statements: tuple[Signed, ...] = ()
    faults: tuple[Fault, ...] = ()
    unsettled: Signed | None = None
    """A statement that was announced and, because its signing was interrupted, not added."""


def catalogue_trail(archive: ReadingRoom) -> Trail:
    """Give the catalogue's trail, with the heads that were witnessed after each act."""

    def entries() -> Iterator[Entry]:
        with archive.catalogue.reading() as connection:
            yield from audit.entries(connection)

    with archive.catalogue.reading() as connection:
        first = audit.first_head(connection)
    return Trail(CATALOGUE, first, entries, lambda: witness.heads(archive.second_place))


def told_by(trail: Trail) -> Iterator[Told]:
    """Give what a trail says, entry by entry; what is no entry is left to `verify`."""
    for entry in trail.entries():
        with suppress(ValueError):
            yield Told.of(trail.name, entry)


def names_of(archive: ReadingRoom, kind: Kind, key: InternalKey) -> frozenset[str]:
    """Give every code and handle by which trails may speak of a thing, or of what it holds."""
    with archive.catalogue.reading() as connection:
        return belonging.names_of(connection, belonging.with_all_below(connection, kind, key))


def projects_given(archive: ReadingRoom, patient: InternalKey) -> frozenset[str]:
    """Give the names of the projects that have a code of anything of a patient's, and so were given it once."""
    with archive.catalogue.reading() as connection:
        keys = belonging.with_all_below(connection, Kind.PATIENT, patient)
        return frozenset(name for key in keys for name in codes.projects_of(connection, key)) - {LABORATORY}


def codes_in_laboratory(archive: ReadingRoom, keys: Iterable[InternalKey]) -> dict[str, str]:
    """Give the laboratory's codes of patients, cases, slides and scans by their keys, without those that have none."""
    wanted, found = sorted(set(keys)), dict[str, str]()
    with archive.catalogue.reading() as connection:
        project = codes.project_number(connection, LABORATORY)
        for kind in Kind:
            found |= codes.codes_of(connection, project, kind, wanted)
    return found


def verify(
    trails: Sequence[Trail], place: SecondPlace | None, key: PublicKey | None = None, must: Sequence[str] = ()
) -> Verified:
    """Verify trails against themselves and against a second place.

    Parameters
    ----------
    trails
        Those that can be read here.
    place
        The second place; without one, an end that was cut off cannot be seen.
    key
        The public key as the person who verifies knows it; without it, the one that lies in the second place is taken.
    must
        Trails that are missed where statements speak of them, and that are not among ``trails``.

    Raises
    ------
    HoldingsUnavailable
        If the second place cannot be read, or nothing was ever signed there.
    """
    if place is None:
        checked, _ = _checked(trails, ())
        return Verified(checked, (), ())
    with place.held(shared=True):
        found = _find(trails, place, key)
    here = {trail.name for trail in trails}
    gone = [not_here(name, found.statements) for name in must if name not in here]
    missed = _missed(found.announced, found.statements)
    return Verified((*found.checked, *(one for one in gone if one)), found.statements, (*found.faults, *missed))


def _find(trails: Sequence[Trail], place: SecondPlace, key: PublicKey | None) -> _Found:
    own, faults = _key(place, key)
    if own is None:
        return _Found(*_checked(trails, ()), (), faults)
    statements, more = place.read(own)
    checked, announced = _checked(trails, statements)
    last = place.read_prepared(own)
    number = last.statement.number if last else 0
    if last is None or number in _numbers(statements) or number not in {one.number for one in announced}:
        return _Found(checked, announced, statements, (*faults, *more))
    statements = (*statements, last)
    return _Found(*_checked(trails, statements), statements, (*faults, *more), unsettled=last)


def _numbers(statements: Sequence[Signed]) -> set[int]:
    return {one.statement.number for one in statements}


def _key(place: SecondPlace, known: PublicKey | None) -> tuple[PublicKey | None, tuple[Fault, ...]]:
    """Give the key to verify with: the one that is known, else the one that lies there."""
    try:
        there = place.key()
    except InvalidValue:
        there = None
    if there is not None and known in (None, there):
        return there, ()
    return known, (Fault(0, FaultCode.STATEMENT, "the public key of the audit trail", "another key"),)


def _checked(
    trails: Sequence[Trail], statements: Sequence[Signed]
) -> tuple[tuple[Checked, ...], tuple[_Announced, ...]]:
    """Check trails, and give what the catalogue's tells of statements."""
    announced: list[_Announced] = []

    def note(entry: Entry) -> None:
        content = entry.content
        if content.get("act") == SIGNED:
            number, before = content.get("statement", 0), content.get("before", "")
            announced.append(_Announced(number, before, bool(content.get("anew"))))

    checked = [
        check_trail(trail, statements, note) if trail.name == CATALOGUE else check_trail(trail, statements)
        for trail in trails
    ]
    return tuple(checked), tuple(announced)


def _missed(announced: Sequence[_Announced], statements: Sequence[Signed]) -> tuple[Fault, ...]:
    """Find statements that were announced, since a second place was last begun, and that are gone."""
    begun = max((place for place, one in enumerate(announced) if one.anew), default=0)
    known = {one.statement.number: one.statement.before for one in statements}
    return tuple(
        Fault(one.number, FaultCode.STATEMENT_MISSING, f"statement {one.number}", "none that follows the one before")
        for one in announced[begun:]
        if known.get(one.number) != one.before
    )


def sign(
    archive: Archive, trails: Sequence[Trail], place: SecondPlace, key: SigningKey, *, anew: str | None = None
) -> Signed:
    """Sign how far all trails go, put it into the second place, and tell the catalogue's trail.

    Parameters
    ----------
    archive
        Open for writing; its own trail is among ``trails``.
    trails
        All trails of the laboratory.
    place
        The second place.
    key
        The private key; the same each time.
    anew
        Why a second place is begun although there was one before, or although the trails have faults; None as a rule.

    Raises
    ------
    AuditFaulty
        If a trail or the second place has a fault, which a signature would hide.
    InvalidValue
        If the second place was signed with another key, or is to be begun anew and is not empty.
    FreeTextRefused
        If the reason looks as if it held an identifier.
    """
    with place.held():
        if anew is not None and place.begun:
            raise InvalidValue("a second place is begun anew in an empty folder; name another one")
        if place.begun and place.key() != key.public:
            raise InvalidValue("this second place was signed with another key; name that key, or another folder")
        found = _find(trails, place, key.public) if place.begun else _Found(*_checked(trails, ()))
        if found.unsettled is not None:
            place.add(found.unsettled)
        missed = _missed(found.announced, found.statements)
        count = len(found.faults) + len(missed) + sum(len(one.faults) for one in found.checked)
        if count and anew is None:
            raise AuditFaulty(count)
        if not place.begun:
            place.begin(key.public)
        with archive.catalogue.writing() as writing:
            signed = _announce(writing, found, key, anew)
            place.prepare(signed)
        place.add(signed)
    return signed


def _announce(writing: Writing, found: _Found, key: SigningKey, anew: str | None) -> Signed:
    """Tell the catalogue's trail of the next statement, and sign that statement, which covers being told of it."""
    number, before = 1, NONE_BEFORE
    if found.statements:
        number, before = found.statements[-1].statement.number + 1, found.statements[-1].digest
    elif found.announced:
        number = found.announced[-1].number + 1
    writing.tell(SIGNED, reason=anew, statement=number, before=before, anew=anew is not None)
    standings = {one.name: one.standing for one in found.checked}
    own = next(one for one in found.checked if one.name == CATALOGUE)
    last = own.last
    for entry in audit.entries(writing.connection, after=last.number):
        own.tree.add(entry.digest)
        last = entry.head
    standings[CATALOGUE] = Standing(last, own.tree.root)
    return Signed.by(key, Statement(number, before, datetime.now(UTC), standings))
