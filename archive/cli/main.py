"""The commands by name. ``ingest`` adds its own to the same list, so that one ``coverslip`` has them all."""

from collections.abc import Callable
from typing import Any

import typer

from archive.cli.looking import explain_decision, list_slides, show
from archive.cli.serving import serve
from archive.cli.teaching import teach

COMMANDS: dict[str, Callable[..., Any]] = {
    "list": list_slides,
    "show": show,
    "explain": explain_decision,
    "teach": teach,
    "serve": serve,
}

app = typer.Typer(
    help="Coverslip's archive: coded slides, kept and shown.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for name, command in COMMANDS.items():
    app.command(name)(command)


def main() -> None:
    """Run a command."""
    app()
