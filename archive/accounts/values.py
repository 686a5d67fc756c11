"""An account is a staff login with the roles it was given; an actor is that account in the one role it acts in now."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from archive.accounts.authority import allowed
from archive.accounts.roles import Action, Role
from archive.errors import InvalidValue

_NAME = re.compile(r"[a-z0-9._-]{1,64}")

LONGEST_PROJECT = 64
"""Characters of a project's name."""


def require_name(name: str) -> str:
    """Give the name of an account back if it can be one.

    Raises
    ------
    InvalidValue
        If it is none. The sentence does not repeat it: people type passwords into the wrong field.
    """
    if not _NAME.fullmatch(name):
        raise InvalidValue(
            "the name of an account is a staff login: small letters, digits, dots, hyphens, underscores, at most 64"
        )
    return name


class AccountState(StrEnum):
    """Whether an account can be used."""

    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A role that an account was given. A researcher is one in a project; every other role is for the whole archive."""

    role: Role
    project: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", Role(self.role))
        if (self.role is Role.RESEARCHER) != bool(self.project):
            raise InvalidValue("a researcher is one in a named project, and no other role has a project")
        if self.project is not None and len(self.project) > LONGEST_PROJECT:
            raise InvalidValue(f"the name of a project has {LONGEST_PROJECT} characters at most")

    def __str__(self) -> str:
        return f"{self.role} in {self.project}" if self.project else str(self.role)


@dataclass(frozen=True, slots=True)
class Account:
    """A staff login and what it may act as."""

    name: str
    grants: tuple[Grant, ...] = ()
    state: AccountState = AccountState.ACTIVE
    locked_until: datetime | None = None
    """When it can be tried again after too many wrong passwords; None where it is not locked."""
    has_password: bool = True
    """False where the account signs in through the hospital's own sign-in only."""

    def __post_init__(self) -> None:
        require_name(self.name)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts now: an account in one role."""

    account: str
    role: Role
    project: str | None = None
    only: frozenset[Action] | None = None
    """What a token was made for; None for a person, who may do all that the role may."""

    def __post_init__(self) -> None:
        require_name(self.account)
        Grant(self.role, self.project)

    def may(self, action: Action) -> bool:
        """Tell whether the actor may do something: the role may, and a token was made for it."""
        return allowed(self.role, action) and (self.only is None or action in self.only)


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is signed in."""

    token: str = field(repr=False)
    """256 random bits, for the cookie; the archive keeps only its SHA-256."""
    account: str
    grants: tuple[Grant, ...]
    """What the person may choose to act as."""
    actor: Actor | None
    """Who acts; None until a role was chosen by somebody who has several."""
    ends: datetime
    """When it ends however much it is used; it ends earlier when it is not used."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom a sign-in provider vouches for.

    ``name`` is what the provider calls the account, ``issuer`` the provider's own name, and ``subject`` its word for
    this person, which it never gives to another one.
    """

    name: str
    issuer: str = field(repr=False)
    subject: str = field(repr=False)

    @property
    def person(self) -> str:
        """What tells this person from everybody else, whatever they are called: a SHA-256."""
        return hashlib.sha256(json.dumps([self.issuer, self.subject]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a program's token: all but the secret."""

    number: int
    account: str
    grant: Grant
    actions: frozenset[Action] | None
    expires: datetime


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token as it is shown once, to the person who asked for it."""

    number: int
    secret: str = field(repr=False)
    expires: datetime
