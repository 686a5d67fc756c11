"""How an error looks from outside: one table from error class to HTTP status and sentence.

The sentences are fixed, so that no identifier, path or detail of a fault can leave with them. Whatever is unknown,
forbidden or withdrawn looks exactly the same.
"""

import logging
import math
from dataclasses import dataclass, replace

from archive.errors import (
    AccountsUnavailable,
    ArchiveError,
    CatalogueUnavailable,
    ColoursUnknown,
    ConsentRefused,
    DamagedPyramid,
    HoldingsUnavailable,
    InvalidValue,
    NotAllowed,
    NotVouchedFor,
    ProviderUnavailable,
    RestartNeeded,
    SignInRefused,
    TileOutsideLevel,
    TokenRefused,
    TooManyTries,
    TryLater,
    UnknownAccount,
    UnknownCode,
)

logger = logging.getLogger("coverslip.server")


class MalformedAddress(ArchiveError):
    """An address that no page, slide or tile could ever have."""


class ForeignHost(ArchiveError):
    """A request under a name that is not this machine's own: another site tries to reach in through a browser."""


class NotSignedIn(ArchiveError):
    """Nobody is known to ask, or somebody who has not said in which role."""


class ForeignForm(InvalidValue):
    """A form that no page of the server's own sent, or that no page of its own could have sent."""


class WrongMethod(ArchiveError):
    """Something other than looking was asked for."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP status, the one sentence that goes with it, and when to come again."""

    status: int
    sentence: str
    retry_seconds: int | None = None
    """After how long it is worth another try."""


NOTHING_HERE = Refusal(404, "There is nothing at this address.")
MALFORMED = Refusal(400, "This address is malformed: tiles are numbered with whole numbers from 0.")
DAMAGED = Refusal(
    503, "This part of the slide cannot be shown, because its stored data is damaged; tell whoever runs the archive."
)
CLOSED = Refusal(503, "The catalogue cannot be asked now, so nothing is shown; try again in a moment.")
NOT_LET_IN = Refusal(
    403,
    "Name and password do not fit, or the account cannot be used now; after several failed tries, wait a quarter of an "
    "hour or ask a custodian.",
)
NOT_VOUCHED_FOR = Refusal(
    403, "The hospital's own sign-in vouched for nobody who has an account here; try again, or ask a custodian."
)
NOBODY_IS_LET_IN = Refusal(503, "It cannot be found out now who may come in, so nobody is let in; try again later.")
SIGN_IN = Refusal(401, "Sign in first, and choose the role to act in.")
FAULT = Refusal(500, "The server has a fault of its own and did not answer; tell whoever runs the archive.")

REFUSALS: dict[type[BaseException], Refusal] = {
    UnknownCode: NOTHING_HERE,
    ConsentRefused: NOTHING_HERE,
    TileOutsideLevel: NOTHING_HERE,
    ColoursUnknown: NOTHING_HERE,
    MalformedAddress: MALFORMED,
    InvalidValue: MALFORMED,
    ForeignForm: Refusal(
        403, "This form is of an earlier session or another site; open the page again and fill it in."
    ),
    ForeignHost: Refusal(421, "This server answers to its own name only; open the address that it was started for."),
    NotSignedIn: SIGN_IN,
    NotAllowed: NOTHING_HERE,
    UnknownAccount: NOTHING_HERE,
    SignInRefused: NOT_LET_IN,
    TooManyTries: Refusal(
        429, "Too many failed sign-ins came from your address; try again in a quarter of an hour, or elsewhere."
    ),
    TryLater: Refusal(503, "Too many people are signing in at this moment; try again in a few seconds."),
    RestartNeeded: Refusal(
        503, "This archive has accounts now, so nothing is shown without; whoever runs it must start the server again."
    ),
    TokenRefused: SIGN_IN,
    NotVouchedFor: NOT_VOUCHED_FOR,
    WrongMethod: Refusal(405, "Slides can only be looked at: use GET or HEAD."),
    DamagedPyramid: DAMAGED,
    OSError: DAMAGED,
    CatalogueUnavailable: CLOSED,
    HoldingsUnavailable: CLOSED,
    AccountsUnavailable: NOBODY_IS_LET_IN,
    ProviderUnavailable: NOBODY_IS_LET_IN,
}
"""The closest class of an error's line of ancestors counts; an error with none here is a fault of the server."""


def refusal_for(error: BaseException) -> Refusal:
    """Say how `error` looks from outside, and log it when whoever runs the archive must act.

    The log tells the error's class and, for damage, the place within its scan's folder: enough to know that
    ``coverslip check`` must run, and nothing that could name a slide.
    """
    refusal = next((REFUSALS[kind] for kind in type(error).__mro__ if kind in REFUSALS), FAULT)
    if isinstance(error, TryLater):  # no line in the log for each: a flood would fill the disk
        return replace(refusal, retry_seconds=max(1, math.ceil(error.seconds)))
    if isinstance(error, DamagedPyramid):
        logger.error("A stored scan is damaged at %s: run coverslip check.", error.place)
    elif refusal.status >= 500:
        logger.error("A request was answered with %d because of %s.", refusal.status, type(error).__name__)
    return refusal
