"""Nothing is shown unless everything that a decision rests on is there: folder, catalogue, rules and clock."""

from datetime import UTC, datetime, timedelta

from archive.catalogue.standing import Standing
from archive.consent import RULES_VERSION
from archive.errors import CatalogueUnavailable, ClockUnreliable, RulesNotInForce
from archive.holdings.place import Place

CLOCK_SLACK = timedelta(minutes=2)
"""So far may a clock be behind the newest act, which may have been sealed by another machine's."""


def require_footing(place: Place, standing: Standing) -> None:
    """See that an archive stands as it must for anything to be decided.

    Raises
    ------
    CatalogueUnavailable, HoldingsUnavailable
        If the archive's folder is gone, or the catalogue is not its own.
    RulesNotInForce
        If this program has other rules than those in force.
    ClockUnreliable
        If the clock is behind the newest act.
    """
    if place.identity() != standing.identity:
        raise CatalogueUnavailable("this folder and this catalogue belong to different archives; check both paths")
    if standing.rules != RULES_VERSION:
        raise RulesNotInForce(standing.rules, RULES_VERSION)
    if standing.newest_act is not None and datetime.now(UTC) < standing.newest_act - CLOCK_SLACK:
        raise ClockUnreliable("the clock of this machine is behind the newest act of the archive; set it right")
