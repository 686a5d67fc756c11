"""A glass slide has a patient, a case and a block; each gets an internal key, and only here does a key lead back.

Who turns one into the other is written down, in the transaction that does it.
"""

import re

from archive.codes import InternalKey
from archive.errors import UnknownCode
from ingest.keyvault import entries, erasure, files, trail
from ingest.keyvault.corrections import find_or_make_case
from ingest.keyvault.database import writing
from ingest.keyvault.entries import Owner, find_or_make
from ingest.keyvault.identity import Identity, Keys, Kind, PersonalIdentity, checked, compared
from ingest.keyvault.room import Room, require_reason

_INTERNAL_KEY = re.compile(r"[0-9a-f]{32}")
_NOBODY = InternalKey("")


class Slides(Room):
    """The patients, cases, blocks and slides of an open key vault."""

    def keys_for(self, person: PersonalIdentity, case: str, block: str, slide: str, *, who: str = "ingest") -> Keys:
        """Return the internal keys of a glass slide and what it comes from, making those that are new.

        The same words give the same keys, from any process; ``slide`` is the stain and the slide's number in its block,
        so that a second scan of one glass finds its slide.

        Raises
        ------
        InvalidValue
            If one of the words is empty, too long or holds control characters.
        """
        number = compared(Kind.PATIENT, checked(person.patient, Kind.PATIENT))
        with writing(self._engine) as connection:
            owner = Owner(*self._store.patient(number))
            erasure.refuse_if_begun(connection, owner.patient)
            patient = find_or_make(connection, owner, Kind.PATIENT, _NOBODY, person.patient, key=owner.patient)
            if person.name:
                find_or_make(connection, owner, Kind.NAME, patient, person.name)
            if person.birth_date:
                find_or_make(connection, owner, Kind.BIRTH_DATE, patient, person.birth_date.isoformat())
            case_key = find_or_make_case(connection, self._store, owner, case)
            block_key = find_or_make(connection, owner, Kind.BLOCK, case_key, block)
            slide_key = find_or_make(connection, owner, Kind.SLIDE, block_key, slide)
            trail.append(connection, owner.key, "coded", who, slide_key, patient=patient)
        return Keys(patient, case_key, block_key, slide_key)

    def needles(self, case: InternalKey, *, who: str = "ingest") -> tuple[str, ...]:
        """Return what must not be found in anything that is stored for a case, as it was delivered.

        The patient's number, names and birth dates (as 1948-07-05), the case's number and the names of its files.
        """
        with writing(self._engine) as connection:
            row, owner = self._entry(connection, case)
            known = [entries.unsealed(owner, row)]
            for kind in (Kind.PATIENT, Kind.NAME, Kind.BIRTH_DATE):
                known += entries.labels(connection, owner, kind)
            known += files.names(connection, owner, entries.slides_of(connection, case))
            trail.append(connection, owner.key, "searched for", who, case, patient=owner.patient)
        return tuple(dict.fromkeys(known))

    def identify(self, key: InternalKey, who: str, reason: str) -> Identity:
        """Tell whom an internal key belongs to: a patient's, case's, block's, slide's or scan's.

        Who asked and why is written down first, also when there is no such key.

        Raises
        ------
        UnknownCode
            If the vault has no such key.
        InvalidValue
            If no account or no reason is given.
        """
        require_reason(reason)
        with writing(self._engine) as connection:
            found = self._identity(connection, key)
            if found is None:
                subject = key if _INTERNAL_KEY.fullmatch(key) else ""
                trail.append(connection, self._store.vault_key, "not identified", who, subject, reason)
            else:
                owner, answer = found
                trail.append(connection, owner.key, "identified", who, key, reason, patient=owner.patient)
        if found is None:
            raise UnknownCode("the key vault has no entry for this; check the code or the number")
        return answer

    def note_opening(self, slide: InternalKey, who: str, purpose: str) -> None:
        """Write down that somebody who looked a case up opened one of its slides, and what for.

        Raises
        ------
        UnknownCode
            If the vault has no such slide.
        InvalidValue
            If no account or no purpose is given.
        """
        require_reason(purpose)
        with writing(self._engine) as connection:
            _, owner = self._entry(connection, slide)
            trail.append(connection, owner.key, "opened slide", who, slide, purpose, patient=owner.patient)
