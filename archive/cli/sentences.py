"""How a command ends that cannot do what was asked: one sentence on standard error, and an exit code. No traceback."""

import functools
import inspect
import os
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from archive import logs
from archive.errors import ArchiveError

FAILED = 1
"""Exit code of a command that could not do what was asked; 2 is a wrong call, as usual."""

P = ParamSpec("P")
R = TypeVar("R")

ArchiveFolder = Annotated[
    Path,
    typer.Option("--archive", envvar="COVERSLIP_ARCHIVE", help="Folder of the archive.", show_default=True),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for another program to read.")]

_PREFIXES = {"LogSettings": "COVERSLIP_LOG", "DeskSettings": "COVERSLIP_DESK"}
"""What the variables of settings begin with that are not the archive's own."""

PIPED_WIDTH = 120
"""Columns where there is no terminal to ask: codes must not be cut in a file."""


WIDE = 100
"""Columns from which a table may have all that is told of a slide; a usual terminal has 80."""


def out() -> Console:
    """Give the terminal that results are shown on."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPED_WIDTH)


def tell(text: str, indent: int = 0) -> None:
    """Show lines of text; what is wrapped goes on under its own beginning, and not at the margin."""
    console = out()
    for line in text.splitlines():
        left = " " * (indent + len(line) - len(line.lstrip()))
        console.print(
            textwrap.fill(
                line.strip(), console.width, initial_indent=left, subsequent_indent=left, break_long_words=False
            ),
            markup=False,
            soft_wrap=True,
        )


def is_narrow() -> bool:
    """Tell whether a table of many columns would break on this terminal, so that it should have the first ones only."""
    return out().width < WIDE


def said(command: Callable[P, R]) -> Callable[P, R]:
    """Turn every error into a sentence and exit code 1.

    The command's help text is its docstring, as paragraphs of any width.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise  # an end that typer knows, or a reader such as `head` that has seen enough
        except Exception as error:  # noqa: BLE001 - the last line of defence: a traceback may show a name
            _tell(error)
            raise typer.Exit(FAILED) from None

    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    run.__doc__ = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    return run


def begin_log() -> None:
    """Begin to log as the settings say; where they cannot be followed, the program ends with a sentence."""
    try:
        logs.start(logs.LogSettings())
    except ValueError as error:  # a setting that cannot be, or a log that is not there
        _tell(error)
        raise SystemExit(FAILED) from None


def _tell(error: Exception) -> None:
    Console(stderr=True, highlight=False).print(f"[red]coverslip:[/red] {escape(_sentence(error))}", soft_wrap=True)


def _sentence(error: Exception) -> str:
    """Say what went wrong. Only what is raised on purpose speaks for itself: any other text may repeat a name."""
    from pydantic import ValidationError

    if isinstance(error, ArchiveError):
        return str(error)
    if isinstance(error, ValidationError):
        fault = error.errors(include_url=False, include_input=False)[0]
        prefix = _PREFIXES.get(error.title, "COVERSLIP")
        setting = "_".join(map(str, (prefix, *fault["loc"]))).upper()
        return f"the setting {setting} cannot have this value: {fault['msg']}"
    if isinstance(error, OSError) and error.errno:
        what = os.strerror(error.errno).lower()
        return f"a file or folder cannot be used ({what}); check the paths, their permissions and the disk"
    return f"the program has a fault of its own ({type(error).__name__} at {logs.place_of(error)}); please report this"
