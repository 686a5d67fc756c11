"""A laboratory's trails at rest, signed; and a random change to one of their databases or of the signed files."""

import hashlib
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from archive.accounts import AccountStore, Grant, Role
from archive.auditchain.signing import PublicKey, SigningKey
from archive.errors import ArchiveError
from archive.holdings.auditing import sign, verify
from archive.holdings.second_place import SecondPlace
from ingest.cli.auditing import laboratory_books
from ingest.cli.places import Places
from ingest.keyvault import PersonalIdentity

ENTRIES = 25
"""That each trail is given."""

TRAILS = {
    "catalogue": ("archive/catalogue.sqlite", "audit"),
    "access": ("archive/accounts.sqlite", "trail"),
    "vault": ("archive-vault/vault.sqlite", "audit"),
}
"""The file and the table of each trail."""

FILES = ("second/audit-statements", "second/audit-key.pub")

Rows = list[tuple[int, str, str]]


@dataclass
class Kept:
    """A laboratory in a folder, with the auditor's own copy of the public key."""

    home: Path
    public: PublicKey
    firsts: dict[str, str] = field(default_factory=dict)
    """The digest before the first entry, of each trail."""

    @classmethod
    def make(cls, home: Path) -> "Kept":
        """Set a laboratory up, let things happen in all three trails, and sign them three times."""
        places = Places.of(home / "archive")
        places.create()
        with AccountStore.open(places.archive, create=True) as store:
            store.add("c.ustodian", None, [Grant(Role.CUSTODIAN)])
        (home / "second").mkdir()
        key = SigningKey.create(home / "archive-key" / "audit.key")
        for _ in range(3):
            _act(places)
            with laboratory_books(places, read_only=False) as (books, _):
                sign(books.holdings, books.trails, SecondPlace(home / "second"), key)
            firsts = {trail.name: trail.first.digest for trail in books.trails}
        kept = cls(home, key.public, firsts)
        for file, _ in TRAILS.values():
            kept.empty_log(file)
        return kept

    def empty_log(self, file: str) -> None:
        """Move what a database's log holds into its file, so that a copy of the file is whole."""
        with closing(sqlite3.connect(self.home / file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def copied(self, home: Path) -> "Kept":
        """Copy everything to another place."""
        return Kept(Path(shutil.copytree(self.home, home)), self.public, self.firsts)

    def is_sound(self) -> bool:
        """Tell whether nothing is found; what cannot be read any more is found as well."""
        try:
            with laboratory_books(Places.of(self.home / "archive")) as (books, _):
                return verify(books.trails, SecondPlace(self.home / "second"), self.public, books.must).sound
        except ArchiveError:
            return False

    def rows(self, trail: str) -> Rows:
        file, table = TRAILS[trail]
        with closing(sqlite3.connect(self.home / file)) as connection:
            return connection.execute(f"SELECT number, text, digest FROM {table} ORDER BY number").fetchall()

    def put(self, trail: str, rows: Rows, head: tuple[int, str] | None = None) -> None:
        """Put other entries in the place of all that a trail has, and the head that its database keeps of it."""
        file, table = TRAILS[trail]
        with closing(sqlite3.connect(self.home / file)) as connection, connection:
            connection.execute(f"DELETE FROM {table}")
            connection.executemany(f"INSERT INTO {table} (number, text, digest) VALUES (?, ?, ?)", rows)
            if head and trail == "access":
                connection.execute("UPDATE store SET head_number = ?, head_digest = ?", head)
            elif head and trail == "vault":
                connection.execute("UPDATE head SET number = ?, digest = ?", head)


def _act(places: Places) -> None:
    with places.opened() as (holdings, vault), AccountStore.open(places.archive) as store:
        for number in range(ENTRIES // 3):
            with holdings.catalogue.writing() as writing:
                writing.tell("test", reason=f"reason {number}")
            store.note("test", "c.ustodian", reason=f"reason {number}")
            vault.note_reading("c.ustodian", f"reason {number}")
        vault.keys_for(PersonalIdentity("943 476 5919"), "S26-1", "A1", "HE")


def edit(rows: Rows, chance: random.Random) -> Rows:
    """Change one character of one entry, or of its digest."""
    place, column = chance.randrange(len(rows)), chance.choice((1, 2))
    row = list(rows[place])
    text = str(row[column])
    at = chance.randrange(len(text))
    row[column] = text[:at] + chance.choice([c for c in "0123456789abcdef" if c != text[at]]) + text[at + 1 :]
    return [*rows[:place], (rows[place][0], str(row[1]), str(row[2])), *rows[place + 1 :]]


def delete(rows: Rows, chance: random.Random) -> Rows:
    """Take some entries out, from anywhere but the end alone."""
    first = chance.randrange(len(rows) - 1)
    return rows[:first] + rows[first + chance.randint(1, len(rows) - 1 - first) :]


def reorder(rows: Rows, chance: random.Random) -> Rows:
    """Exchange two entries; their numbers stay in their places."""
    one, other = chance.sample(range(len(rows)), 2)
    new = list(rows)
    new[one], new[other] = (rows[one][0], *rows[other][1:]), (rows[other][0], *rows[one][1:])
    return new


def truncate(rows: Rows, chance: random.Random) -> Rows:
    """Cut the end off: one entry at least, all at most."""
    return rows[: chance.randrange(len(rows))]


def insert(rows: Rows, chance: random.Random) -> Rows:
    """Put a copy of an entry in before another, and count the rest anew.

    Behind the last it would be what whoever may write the database can do anyway: say something new.
    """
    place = chance.randrange(len(rows))
    new = [*rows[:place], chance.choice(rows), *rows[place:]]
    return [(number, text, digest) for number, (_, text, digest) in enumerate(new, start=1)]


WAYS: tuple[Callable[[Rows, random.Random], Rows], ...] = (edit, delete, reorder, truncate, insert)


def resealed(rows: Rows, first: str) -> Rows:
    """Count and seal all entries anew, as whoever knows the format could."""
    new: Rows = []
    for number, (_, text, _) in enumerate(rows, start=1):
        first = hashlib.sha256(f"{first}\0{number}\0{text}".encode()).hexdigest()
        new.append((number, text, first))
    return new


def tamper_with_trail(kept: Kept, chance: random.Random) -> str:
    """Change one trail in one way, plainly or with all seals and the database's own head made anew."""
    trail, way, skilled = chance.choice(list(TRAILS)), chance.choice(WAYS), chance.random() < 0.5
    before = kept.rows(trail)
    after = before
    while after == before:  # a digest that is edited and then made anew is what it was
        after = way(before, chance)
        after = resealed(after, kept.firsts[trail]) if skilled else after
    head = (after[-1][0], after[-1][2]) if after else (0, kept.firsts[trail])
    kept.put(trail, after, head if skilled else None)
    return f"{trail}: {way.__name__}{' and reseal' if skilled else ''}"


def tamper_with_file(kept: Kept, chance: random.Random) -> str:
    """Change one byte of a signed file, or its lines."""
    name = chance.choice(FILES)
    file = kept.home / name
    content = file.read_bytes()
    lines = content.splitlines(keepends=True)
    ways: dict[str, Callable[[], bytes]] = {
        "edit": lambda: _changed_byte(content, chance),
        "truncate": lambda: content[: chance.randrange(len(content))],
        "delete": lambda: b"",
    }
    if len(lines) > 1:
        ways["reorder"] = lambda: b"".join([*lines[1:], lines[0]])
        ways["delete"] = lambda: b"".join(lines[:-1] if chance.random() < 0.5 else lines[:1] + lines[2:])
    way = chance.choice(list(ways))
    after = ways[way]()
    assert after != content
    file.write_bytes(after)
    return f"{name}: {way}"


def _changed_byte(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    return content[:place] + bytes([content[place] ^ chance.randint(1, 255)]) + content[place + 1 :]


@dataclass
class Tampered:
    """What was tried, and what went unseen."""

    tried: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)


def tamper(kept: Kept, count: int, scratch: Path, seed: int = 0) -> Tampered:
    """Tamper so often, each time with a copy of what was kept."""
    found = Tampered()
    for number in range(count):
        chance, copy = random.Random(f"{seed} {number}"), kept.copied(scratch / "copy")
        what = (tamper_with_file if chance.random() < 0.25 else tamper_with_trail)(copy, chance)
        found.tried[what] += 1
        if copy.is_sound():
            found.missed.append(f"{number} (seed {seed}): {what}")
        shutil.rmtree(copy.home)
    return found
