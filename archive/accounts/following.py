"""Who may act as what follows from what the access trail tells, or somebody changed the database itself.

A role that was written into the database with an SQL statement opens doors as any other does; but no entry tells of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from archive.accounts.register import grants_of
from archive.accounts.schema import accounts, tokens, trail
from archive.accounts.values import AccountState
from archive.auditchain import Entry, Fault, FaultCode


@dataclass(slots=True)
class _Told:
    """What the trail tells of an account."""

    grants: set[str] = field(default_factory=set)
    state: AccountState = AccountState.ACTIVE
    tokens: set[int] = field(default_factory=set)


def faults(connection: Connection) -> tuple[Fault, ...]:
    """Find the accounts that are not as the trail tells; one that was added, changed or removed otherwise."""
    told = _told(connection)
    states = {row.name: row.state for row in connection.execute(select(accounts.c.name, accounts.c.state))}
    found = (_faults_of(connection, name, told.get(name), states.get(name)) for name in sorted({*told, *states}))
    return tuple(fault for some in found for fault in some)


def _faults_of(connection: Connection, name: str, told: _Told | None, state: str | None) -> Iterator[Fault]:
    if told is None or state is None:
        yield _fault(f"account {name}: {'none' if told is None else 'one'}", "one" if told is None else "none")
        return
    if state != told.state:
        yield _fault(f"account {name}: {told.state}", state)
    grants = {str(grant) for grant in grants_of(connection, name)}
    if grants != told.grants:
        yield _fault(f"account {name}: {_listed(told.grants)}", _listed(grants))
    numbers = set(connection.scalars(select(tokens.c.number).where(tokens.c.account == name)))
    if not numbers <= told.tokens:
        yield _fault(f"account {name}: no other tokens than were made", f"{len(numbers - told.tokens)} more")


def _told(connection: Connection) -> dict[str, _Told]:
    """Read the trail for what was done to accounts."""
    told: dict[str, _Told] = {}
    rows = select(trail).where(trail.c.text.contains('"account":')).order_by(trail.c.number)
    for row in connection.execution_options(yield_per=1_000).execute(rows):
        content = Entry.stored(row.number, row.text, row.digest).content
        act, name = content.get("act"), str(content.get("account"))
        if act == "add account":
            told[name] = _Told(set(content.get("grants", ())))
        account = told.get(name)
        if account is None:
            continue
        match act:
            case "grant role":
                account.grants.add(content.get("grant", ""))
            case "revoke role":
                account.grants.discard(content.get("grant", ""))
            case "disable account":
                account.state = AccountState.DISABLED
            case "enable account" | "rescue account":
                account.state = AccountState.ACTIVE
            case "make token":
                account.tokens.add(content.get("token", 0))
    return told


def _listed(grants: set[str]) -> str:
    return ", ".join(sorted(grants)) or "no role"


def _fault(expected: str, found: str) -> Fault:
    return Fault(0, FaultCode.ROWS, expected, found)
