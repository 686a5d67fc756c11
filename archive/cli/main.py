"""The archive's commands by name. ``ingest`` adds its own to the same list, so that one ``coverslip`` has them all."""

import sys

from archive.cli.commands import Commands, build
from archive.cli.sentences import begin_log

COMMANDS: Commands = {
    "list": "archive.cli.looking:list_slides",
    "show": "archive.cli.looking:show",
    "explain": "archive.cli.looking:explain_decision",
    "teach": "archive.cli.teaching:teach",
    "cohort": "archive.cli.cohorts:ask",
    "project": "archive.cli.cohorts:project_app",
    "account": "archive.cli.accounts:account_app",
    "serve": "archive.cli.serving:serve",
    "audit": "archive.cli.auditing:audit_app",
    "check": "archive.cli.checking:check",
    "rebuild-catalogue": "archive.cli.rebuilding:rebuild_catalogue",
    "review": "archive.cli.rebuilding:review",
}


def main() -> None:
    """Run a command."""
    begin_log()
    build("Coverslip's archive: coded slides, kept and shown.", COMMANDS, next(iter(sys.argv[1:]), None))()
