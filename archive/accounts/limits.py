"""How long somebody is let in, and how often a wrong password is borne."""

from dataclasses import dataclass

from archive.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Limits:
    """What a store of accounts goes by."""

    idle_seconds: float = 30 * 60
    """A session that is not used ends: a viewer may be left open in a lecture hall."""
    session_seconds: float = 12 * 3600
    """A session ends however much it is used; a long working day."""
    failures: int = 5
    """Wrong passwords in a row that lock an account."""
    lock_seconds: float = 15 * 60
    """How long it stays locked: 480 guesses a day, which no password that was accepted falls to."""
    address_failures: int = 20
    """Wrong names and passwords from one address that are borne; so nobody locks more than four accounts from it."""
    address_seconds: float = 15 * 60
    """Within how long, and from the first of them on how long that address is then turned away."""
    opening_seconds: float = 3600
    """Opening the same slide again within this time is not told again."""

    def __post_init__(self) -> None:
        locks = (self.lock_seconds, self.address_seconds)
        spans = (self.idle_seconds, self.session_seconds, *locks, self.opening_seconds)
        if min(spans) <= 0 or min(self.failures, self.address_failures) < 1:
            raise InvalidValue("time limits of accounts are longer than nothing, and one failure at least is borne")
