"""The report as one HTML file that needs nothing else: it can be printed, mailed and read in ten years."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from archive.amounts import bytes_told
from ingest.keyvault import State
from ingest.pipeline.reporting.releasing import Hold
from ingest.pipeline.reporting.telling import FULL_SOON_DAYS, DayReport

MOST_ROWS = 50
"""Missing rows that are listed; of more than these only the number is told."""

FAR_OFF_DAYS = 730
"""Beyond this, a number of days would tell more than the past weeks can know."""


def page_of(report: DayReport) -> str:
    """Write the report of a day as an HTML page."""
    held_back = {hold: count for hold, count in report.sources.items() if hold is not Hold.NOTHING}
    return _TEMPLATES.get_template("report.html").render(
        report=report,
        counts={state: report.count(state) for state in State},
        State=State,
        missing=report.missing[:MOST_ROWS],
        held_back=held_back,
        full_soon=FULL_SOON_DAYS,
    )


def days_told(days: float) -> str:
    """Tell how long a disk lasts."""
    return f"{days:,.0f} days" if days < FAR_OFF_DAYS else "more than two years"


_TEMPLATES = Environment(
    loader=PackageLoader("ingest.pipeline.reporting", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["bytes"] = bytes_told
_TEMPLATES.filters["days"] = days_told
_TEMPLATES.filters["count"] = lambda number: f"{number:,}"
