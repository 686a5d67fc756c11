"""What came in on a day, what became of it, and what is missing: on a page, and as a table to take away."""

from datetime import date, timedelta

from starlette.requests import Request
from starlette.responses import Response

from archive.accounts import Action
from archive.amounts import bytes_told
from archive.errors import UnknownCode
from ingest.desk.frames import Frames
from ingest.desk.page import Page
from ingest.desk.room import Room
from ingest.keyvault import State
from ingest.pipeline.reporting import DayReport, Hold, gather
from ingest.pipeline.reporting.table import csv_of

FAR_OFF_DAYS = 730
"""Beyond this, a number of days would tell more than the past weeks can know."""

Figures = list[tuple[str, str]]


def report_routes(room: Room, frames: Frames) -> list[Page]:
    """Build the routes."""

    def page(request: Request, day: date) -> Response:
        report = gather(room.archive, room.vault, day)
        return frames.page(
            request,
            "report.html",
            report=report,
            figures=_figures(report),
            held=[(hold.value, number) for hold, number in report.sources.items() if hold is not Hold.NOTHING],
            before=day - timedelta(1),
            after=day + timedelta(1) if day < date.today() else None,
        )

    async def today(request: Request) -> Response:
        return page(request, date.today())

    async def of_day(request: Request) -> Response:
        return page(request, _day(request))

    async def table(request: Request) -> Response:
        day = _day(request)
        name = f'attachment; filename="report-{day.isoformat()}.csv"'
        text = csv_of(gather(room.archive, room.vault, day))
        return Response(text, media_type="text/csv; charset=utf-8", headers={"content-disposition": name})

    return [
        Page("/report", today, needs=Action.INGEST),
        Page("/report/{day}", of_day, needs=Action.INGEST),
        Page("/report/{day}/table.csv", table, needs=Action.INGEST),
    ]


def figures_of_today(room: Room) -> Figures:
    """Give today's figures as far as the register alone knows them: the first page must not wait for more."""
    last = {event.number: event for event in room.vault.register.day(date.today())}
    new = sum(event.is_first for event in room.vault.register.day(date.today()))

    def ended(state: State) -> str:
        return f"{sum(event.state is state for event in last.values()):,}"

    return [
        ("arrived", f"{new:,}"),
        ("kept", ended(State.KEPT)),
        ("known already", ended(State.KNOWN)),
        ("delivered", bytes_told(sum(event.source_bytes for event in last.values()))),
    ]


def _figures(report: DayReport) -> Figures:
    days = report.disk.days_until_full
    return [
        ("expected by a list", f"{report.expected:,}"),
        ("arrived", f"{report.arrived:,}"),
        ("kept", f"{report.count(State.KEPT):,}"),
        ("known already", f"{report.count(State.KNOWN):,}"),
        ("refused for good", f"{report.count(State.REFUSED):,}"),
        ("still missing", f"{len(report.missing):,}"),
        ("delivered", bytes_told(report.delivered_bytes)),
        ("stored", bytes_told(report.stored_bytes)),
        ("sources that may be deleted", f"{report.releasable:,}"),
        ("free on the archive's disk", bytes_told(report.disk.free_bytes)),
        ("until it is full", _duration(days)),
    ]


def _duration(days: float | None) -> str:
    if days is None:
        return "–"
    return f"{days:,.0f} days" if days < FAR_OFF_DAYS else "more than two years"


def _day(request: Request) -> date:
    try:
        return date.fromisoformat(request.path_params["day"])
    except ValueError:
        raise UnknownCode from None
