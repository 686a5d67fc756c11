"""Which accounts there are and what each may act as. There is always a custodian who can sign in."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, and_, delete, func, insert, select, update

from archive.accounts.database import DAMAGED
from archive.accounts.roles import Role
from archive.accounts.schema import accounts, grants, sessions, tokens
from archive.accounts.values import Account, AccountState, Grant, require_name
from archive.errors import AccountsUnavailable, InvalidValue, UnknownAccount


def add(connection: Connection, name: str, password: str | None, given: Iterable[Grant]) -> None:
    """Add an account, with the hash of its password.

    Raises
    ------
    InvalidValue
        If the name cannot be one, or is taken.
    """
    if connection.scalar(select(accounts.c.name).where(accounts.c.name == require_name(name))) is not None:
        raise InvalidValue("there is an account of this name already; nothing was changed")
    connection.execute(
        insert(accounts).values(name=name, password=password, state=str(AccountState.ACTIVE), failures=0)
    )
    for grant in given:
        give(connection, name, grant)


def give(connection: Connection, name: str, grant: Grant) -> bool:
    """Give a role, and tell whether that changed anything."""
    if grant in grants_of(connection, name):
        return False
    connection.execute(insert(grants).values(account=name, role=str(grant.role), project=grant.project or ""))
    return True


def take(connection: Connection, name: str, grant: Grant) -> bool:
    """Take a role away, with the sessions and tokens in it, and tell whether that changed anything."""
    if grant not in grants_of(connection, name):
        return False
    for table in (grants, sessions, tokens):
        connection.execute(
            delete(table).where(
                and_(table.c.account == name, table.c.role == str(grant.role), table.c.project == (grant.project or ""))
            )
        )
    return True


def set_state(connection: Connection, name: str, state: AccountState) -> None:
    """Make an account usable or not."""
    connection.execute(update(accounts).where(accounts.c.name == name).values(state=str(state)))


def set_password(connection: Connection, name: str, password: str) -> None:
    """Keep the hash of a new password; wrong ones are forgotten."""
    connection.execute(
        update(accounts).where(accounts.c.name == name).values(password=password, failures=0, locked_until=None)
    )


def unlock(connection: Connection, name: str) -> None:
    """Forget wrong passwords."""
    connection.execute(update(accounts).where(accounts.c.name == name).values(failures=0, locked_until=None))


def require_custodian(connection: Connection) -> None:
    """Refuse what would leave nobody who can manage accounts.

    Raises
    ------
    InvalidValue
        If no active account is a custodian.
    """
    custodians = connection.scalar(
        select(func.count())
        .select_from(grants.join(accounts))
        .where(grants.c.role == str(Role.CUSTODIAN), accounts.c.state == str(AccountState.ACTIVE))
    )
    if not custodians:
        raise InvalidValue("this would leave no custodian, and nobody could manage accounts; add another one first")


def row_of(connection: Connection, name: str) -> Row[tuple[str, str | None, str, int, float | None]] | None:
    """Read the row of an account."""
    return connection.execute(select(accounts).where(accounts.c.name == name)).one_or_none()


def account_of(connection: Connection, name: str, now_seconds: float) -> Account:
    """Tell what is known of an account.

    Raises
    ------
    UnknownAccount
        If there is none of that name.
    """
    row = row_of(connection, name)
    if row is None:
        raise UnknownAccount("there is no such account; list them with: coverslip account list")
    locked = row.locked_until is not None and row.locked_until > now_seconds
    return Account(
        row.name,
        grants_of(connection, name),
        AccountState(row.state),
        datetime.fromtimestamp(row.locked_until, UTC) if locked and row.locked_until is not None else None,
        row.password is not None,
    )


def all_accounts(connection: Connection, now_seconds: float) -> tuple[Account, ...]:
    """Tell what is known of every account, in the order of names."""
    names = connection.scalars(select(accounts.c.name).order_by(accounts.c.name)).all()
    return tuple(account_of(connection, name, now_seconds) for name in names)


def grants_of(connection: Connection, name: str) -> tuple[Grant, ...]:
    """Give the roles that an account was given, in a fixed order."""
    found = connection.execute(select(grants.c.role, grants.c.project).where(grants.c.account == name))
    return tuple(sorted((stored_grant(role, project) for role, project in found), key=str))


def stored_grant(role: str, project: str) -> Grant:
    """Read a role as the database keeps it.

    Raises
    ------
    AccountsUnavailable
        If it is none: the database was changed by something else.
    """
    try:
        return Grant(Role(role), project or None)
    except ValueError:
        raise AccountsUnavailable(DAMAGED) from None
