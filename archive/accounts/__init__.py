"""Who may act, as what, and what they did: accounts, roles, sessions, tokens and the access trail.

This room knows no slide and no consent. Whether a slide may be shown is decided elsewhere, after this room has told
who asks and in which role.
"""

from archive.accounts.authority import AUTHORITY, UNATTENDED, allowed, looks_codes_up
from archive.accounts.limits import Limits
from archive.accounts.office import COMMAND_LINE
from archive.accounts.roles import Action, Role
from archive.accounts.store import AccountStore
from archive.accounts.values import Account, AccountState, Actor, Grant, NewToken, Session, Token, Vouched

__all__ = [
    "AUTHORITY",
    "COMMAND_LINE",
    "UNATTENDED",
    "Account",
    "AccountState",
    "AccountStore",
    "Action",
    "Actor",
    "Grant",
    "Limits",
    "NewToken",
    "Role",
    "Session",
    "Token",
    "Vouched",
    "allowed",
    "looks_codes_up",
]
