"""Who acts is proven where the archive has accounts; where it has none, the system's own user acts.

A person proves it by password, which is asked for and never an argument, so that it is in no history of a shell and no
list of processes. A service proves it by a token, which lies in a file that a setting names, for the same reason: the
environment of a process can be read, too.
"""

import os
import pwd
import stat
from pathlib import Path
from typing import Annotated, TypedDict

import typer

from archive.accounts import AccountState, AccountStore, Action, Actor, Grant
from archive.cli.passwords import typed
from archive.errors import InvalidValue, NotAllowed

TOKEN_FILE = "COVERSLIP_TOKEN_FILE"  # noqa: S105 - the name of a setting
"""Names the file that a service's token lies in, such as one that systemd lends by ``LoadCredential=``."""

MOST_BYTES = 200
"""Of a file that holds one token and the end of its line."""

Who = Annotated[
    str | None,
    typer.Option(
        "--who",
        envvar="COVERSLIP_WHO",
        metavar="ACCOUNT",
        help="The account that acts; where the archive has accounts, its password is asked for. Unless given: "
        "the system's user, or a service, whose token is in the file that COVERSLIP_TOKEN_FILE names.",
    ),
]

WhoElse = Annotated[
    str | None,
    typer.Option(
        "--who",
        envvar="COVERSLIP_WHO",
        metavar="ACCOUNT",
        help="A custodian, who does it for the account and is asked for their password; the account itself unless "
        "given.",
    ),
]


class By(TypedDict):
    """Who the catalogue's trail says did something: a role, and its account where the archive has accounts."""

    actor: str
    account: str | None


def actor_of(archive: Path, who: str | None, action: Action, project: str | None = None) -> Actor | None:
    """Give who acts, after they have proven it and that one of their roles may do this; None without accounts.

    Parameters
    ----------
    archive
        The archive's folder.
    who
        The account that was named, which is asked for its password. None for the program whose token lies in the file
        that ``COVERSLIP_TOKEN_FILE`` names or, without one, for the account that is named like the system's user.
    action
        What is to be done.
    project
        The project that it is done for; whose role is for one project alone must have it for this one.

    Raises
    ------
    SignInRefused, TokenRefused, NotAllowed
        If password or token does not fit, or no role of the account may do this; all are in the access trail.
    InvalidValue
        If there should be a token and is none.
    """
    if not AccountStore.exists(archive):
        return None
    with AccountStore.open(archive) as store:
        token = None if who else _token()
        if token is not None:
            return store.act_by_token(token, action, project)
        name = who or _own_account(store)
        return store.act_as(name, typed(f"Password of {name}"), action, project)


def require_still(archive: Path, actor: Actor | None, action: Action) -> None:
    """Refuse to go on with what was begun for days, once whoever began it may not do it any more.

    Raises
    ------
    NotAllowed
        If the account was disabled, its role taken away or its token ended, or the archive was given accounts.
    """
    if actor is None:
        if AccountStore.exists(archive):
            raise NotAllowed("the archive has accounts now; begin this again, and prove who you are")
        return
    with AccountStore.open(archive) as store:
        if actor.only is None:
            account = store.account(actor.account)
            holds = Grant(actor.role, actor.project) in account.grants and account.state is AccountState.ACTIVE
        else:
            now = store.actor_of_token(_token() or "")
            holds = now is not None and now.account == actor.account and now.may(action)
    if not holds:
        raise NotAllowed("the account or the token with which this was begun may not do it any more")


def acting(archive: Path, who: str | None, action: Action, project: str | None = None) -> str:
    """Give the name of who acts, proven as for `actor_of`; without accounts, whoever is named is believed."""
    return named(actor_of(archive, who, action, project), who)


def named(actor: Actor | None, who: str | None) -> str:
    """Give the name of who acts; without accounts, whoever is named is believed."""
    return actor.account if actor is not None else who or system_user()


def proven(archive: Path, who: str | None, action: Action, project: str | None = None) -> str:
    """Give the name of who acts, proven as for `actor_of`; without accounts, it is the system's user and nobody else.

    For acts that two people do together, in which nobody may speak for another one.

    Raises
    ------
    InvalidValue
        If an account is named and the archive has none; and as `actor_of`.
    """
    actor, user = actor_of(archive, who, action, project), system_user()
    if actor is not None:
        return actor.account
    if who not in (None, user):
        raise InvalidValue("this archive has no accounts, so the system's own user acts; leave --who out")
    return user


def in_person(actor: Actor | None) -> Actor | None:
    """Give who acts back, if it is a person: a program's token is nobody's word.

    Raises
    ------
    NotAllowed
        If a program acts.
    """
    if actor is not None and actor.only is not None:
        raise NotAllowed("somebody answers for this in person: name your account with --who, and give its password")
    return actor


def signed(actor: Actor | None, alone: str) -> By:
    """Say who opens an archive, for its trail.

    Parameters
    ----------
    actor
        Who acts; None where the archive has no accounts.
    alone
        The role that the trail names then.
    """
    return By(actor=str(actor.role), account=actor.account) if actor is not None else By(actor=alone, account=None)


def system_user() -> str:
    """Give the name of the user that the system runs this program for."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user often has no name
        return f"user-{os.getuid()}"


def _own_account(store: AccountStore) -> str:
    """Give the account that is named like the system's user.

    Raises
    ------
    InvalidValue
        If there is none, so that nobody types a password for an account that nobody has.
    """
    user = system_user()
    if all(account.name != user for account in store.accounts()):
        raise InvalidValue("this archive has accounts: name yours with --who, and its password is asked for")
    return user


def _token() -> str | None:
    """Read the token of the service that runs this; None where no file is named."""
    named = os.environ.get(TOKEN_FILE)
    if not named:
        return None
    try:
        with Path(named).open("rb") as file:
            is_open = stat.S_IMODE(os.fstat(file.fileno()).st_mode) & stat.S_IRWXO
            token = file.read(MOST_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise InvalidValue(f"the file that {TOKEN_FILE} names cannot be read, or holds no token") from None
    if is_open:
        raise InvalidValue(f"everybody may read the file that {TOKEN_FILE} names; end that token and make a new one")
    return token
