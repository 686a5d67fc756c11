"""Commands by name, each imported when it is asked for: a command starts as fast as what it needs, and no slower."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer

Commands = Mapping[str, str]
"""Name of a command or of a group of commands -> ``module:attribute`` of its function or its app."""


ENDS = (
    "Exit codes: 0 done; 1 could not be done, and a sentence says why; 2 a wrong call; 3 some slides were refused; "
    "4 something was found that a person has to look at; 5 time was up before its end; 130 Ctrl-C ended it."
)
"""What ``--help`` says last."""


def build(help_text: str, commands: Commands, only: str | None = None) -> typer.Typer:
    """Build an app of commands, in their order.

    Parameters
    ----------
    help_text : str
        What ``--help`` says first.
    commands : Mapping
        The commands.
    only : str, optional
        The one that will be run, if that is known; then nothing else is imported.
    """
    app = typer.Typer(
        help=help_text,
        epilog=ENDS,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback()(_several)  # without it, an app of one command would not want the command's name
    for name in [only] if only is not None and only in commands else commands:
        module, attribute = commands[name].split(":")
        found: Any = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app


def _several() -> None:
    pass
