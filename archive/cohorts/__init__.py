"""Research cohorts: asked for in a line of text, decided by consent, and given under codes of one project alone."""

from archive.cohorts.counts import BREAKDOWNS, Counts, count
from archive.cohorts.giving import Cohort, cohort, open_scan
from archive.cohorts.projects import add_project, all_projects, projects_with
from archive.cohorts.query import Fault, Query, QueryRefused, parse
from archive.cohorts.rows import CohortRow
from archive.cohorts.suppressing import Count

__all__ = [
    "BREAKDOWNS",
    "Cohort",
    "CohortRow",
    "Count",
    "Counts",
    "Fault",
    "Query",
    "QueryRefused",
    "add_project",
    "all_projects",
    "cohort",
    "count",
    "open_scan",
    "parse",
    "projects_with",
]
