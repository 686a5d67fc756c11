"""One command, ``coverslip``, for the laboratory: what ingest does, and everything that the archive does."""

import typer

from archive.cli import COMMANDS as ARCHIVE_COMMANDS
from archive.cli.commands import Commands, build

COMMANDS: Commands = {
    "demo": "ingest.cli.demo:demo",
    "setup": "ingest.cli.setting_up:setup",
    "init": "ingest.cli.setting_up:init",
    "feed": "ingest.cli.listing:feed_app",
    "delivery": "ingest.cli.listing:delivery_app",
    "inspect": "ingest.cli.inspecting:inspect",
    "ingest": "ingest.cli.taking_in:ingest",
    "worker": "ingest.cli.working:worker",
    "watch": "ingest.cli.watching:watch",
    "quarantine": "ingest.cli.quarantining:quarantine_app",
    "rescreen": "ingest.cli.rescreening:rescreen",
    "redact": "ingest.cli.redacting:redact",
    "report": "ingest.cli.reporting:report",
    "desk": "ingest.cli.desk:desk",
    "find": "ingest.cli.finding:find",
    "correct": "ingest.cli.correcting:correct_app",
    "consent": "ingest.cli.consenting:consent_app",
    "obligations": "ingest.cli.obliging:obligations_app",
    "identify": "ingest.cli.identifying:identify",
    "identify-list": "ingest.cli.identifying:identify_list",
    "approve": "ingest.cli.identifying:approve",
    "erase": "ingest.cli.erasing:erase",
    **ARCHIVE_COMMANDS,
    "audit": "ingest.cli.auditing:audit_app",
    "backup": "ingest.cli.backing_up:backup",
    "restore": "ingest.cli.backing_up:restore",
    "check": "ingest.cli.checking:check",
    "doctor": "ingest.cli.doctor:doctor",
}
"""In the order in which a laboratory meets them."""


def app(only: str | None = None) -> typer.Typer:
    """Build the command line, or as much of it as one command needs."""
    return build(
        "Coverslip keeps every pixel of a pathology slide, and no name. Begin with: coverslip demo", COMMANDS, only
    )
