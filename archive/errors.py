"""What can go wrong in the archive, one class for each condition that a caller would handle differently.

The text of every error is written for the person at the screen: one sentence that says what, where and what to do.
It never holds an identifier, so it may be logged and shown.
"""


class ArchiveError(Exception):
    """Base of all errors that the archive raises on purpose."""


class InvalidValue(ArchiveError, ValueError):
    """A value that cannot be: refused when the value type is made, so that nobody has to check it later."""


class UnknownCode(ArchiveError, LookupError):
    """No slide, scan, case or collection of that code or handle; forbidden ones look exactly the same."""


class ConsentRefused(ArchiveError):
    """The decision table says no, or not yet. ``row`` and ``paragraph`` say why."""

    def __init__(self, sentence: str, *, row: str = "", paragraph: str = "") -> None:
        super().__init__(sentence)
        self.row = row
        self.paragraph = paragraph


class TileOutsideLevel(ArchiveError, IndexError):
    """A level, tile or region address that the pyramid does not have."""


class DamagedPyramid(ArchiveError):
    """Stored bytes are not what was stored. Never shown as white glass.

    ``place`` is relative to the scan's folder; ``expected`` and ``found`` are short.
    """

    def __init__(self, place: str, expected: str, found: str) -> None:
        super().__init__(
            f"stored data is damaged at {place}: expected {expected}, found {found}; "
            "restore this scan from its source file or from a second copy"
        )
        self.place = place
        self.expected = expected
        self.found = found


class ColoursUnknown(ArchiveError):
    """A scan's colours cannot be turned into sRGB: it has no colour profile, or none that is understood."""


class CatalogueUnavailable(ArchiveError):
    """The catalogue cannot be read or written now; nothing is served until it can."""


class ClockUnreliable(CatalogueUnavailable):
    """The clock of this machine stands wrong, so that nobody can tell how old a decision is; nothing is shown."""


class RulesNotInForce(CatalogueUnavailable):
    """The program has other rules than those that are in force here; nothing is decided until somebody looked."""

    def __init__(self, in_force: str | None, of_program: str) -> None:
        super().__init__(
            f"this program has version {of_program} of the rules and version {in_force or 'none'} is in force here, so "
            "nothing is decided; see what would change, and put them in force: coverslip consent review"
        )


class FreeTextRefused(ArchiveError, ValueError):
    """Free text that looks as if it might hold an identifier."""


class FactsConflict(ArchiveError):
    """A delivery says something else about a case's tissue or consent than what is recorded."""


class HoldingsUnavailable(ArchiveError):
    """The archive's folder cannot be read or written now: it is missing, full, or its disk is failing."""


class AccountsUnavailable(ArchiveError):
    """The accounts cannot be read or written now; nobody is let in until they can."""


class UnknownAccount(ArchiveError, LookupError):
    """No account of that name; only whoever manages accounts is told so."""


class SignInRefused(ArchiveError):
    """Not let in. The sentence is the same for an unknown name, a wrong password, a locked and a disabled account."""

    def __init__(self) -> None:
        super().__init__(
            "name and password do not fit, or the account cannot be used now; after several failed tries, "
            "wait a quarter of an hour or ask a custodian"
        )


class TryLater(ArchiveError):
    """Not now; ``seconds`` says how long to wait before it is worth another try."""

    def __init__(self, sentence: str, seconds: float) -> None:
        super().__init__(sentence)
        self.seconds = seconds


class TooManyTries(TryLater):
    """Too many failed sign-ins came from one address; the sentence is the same whether or not this one would fit."""

    def __init__(self, seconds: float) -> None:
        super().__init__("too many failed sign-ins came from this address; try again later", seconds)


class Crowded(TryLater):
    """More want to sign in at this moment than can wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__("too many are signing in at this moment; try again in a few seconds", seconds)


class RestartNeeded(ArchiveError):
    """The archive was given accounts after this program was started without; it shows nothing more."""


class TokenRefused(ArchiveError):
    """A program's token is unknown or has ended, or waits while somebody looks codes up under its account."""

    def __init__(self) -> None:
        super().__init__(
            "the token is not good, or not good any more; make another one with: coverslip account token make, and put "
            "it into the file that COVERSLIP_TOKEN_FILE names"
        )


class NotAllowed(ArchiveError):
    """The account may not do this in any role it holds, or not in the one it acts in."""


class NotVouchedFor(ArchiveError):
    """The hospital's own sign-in vouches for nobody, or not in answer to the attempt of the browser that came back."""


class ProviderUnavailable(ArchiveError):
    """The hospital's own sign-in cannot be reached, or is set up differently there and here."""


class AuditFaulty(ArchiveError):
    """The audit trails have faults, so they are not signed."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"the audit trails have {count:,} fault{'s' if count != 1 else ''} and were not signed; "
            "see what they are with: coverslip audit verify"
        )
