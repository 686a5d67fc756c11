"""Names are given on to other people; so an account belongs to whom the hospital's sign-in vouched for first under it.

A provider promises to call a person by one subject for ever and to give it to nobody else (OpenID Connect Core 1.0, 2),
which it promises of no name and no e-mail address. Only the SHA-256 of issuer and subject is kept.
"""

from sqlalchemy import Connection, delete, insert, select

from archive.accounts.schema import persons


def is_free_or_theirs(connection: Connection, account: str, person: str) -> bool:
    """Tell whether an account is a person's or nobody's yet, and the person has no other."""
    whose = connection.scalar(select(persons.c.person).where(persons.c.account == account))
    theirs = connection.scalar(select(persons.c.account).where(persons.c.person == person))
    return whose in (None, person) and theirs in (None, account)


def tie(connection: Connection, account: str, person: str) -> bool:
    """Tie an account to a person, and tell whether it was not before."""
    if connection.scalar(select(persons.c.account).where(persons.c.account == account)) is not None:
        return False
    connection.execute(insert(persons).values(account=account, person=person))
    return True


def untie(connection: Connection, account: str) -> bool:
    """Let an account be tied to somebody else, and tell whether it was tied."""
    return connection.execute(delete(persons).where(persons.c.account == account)).rowcount > 0
