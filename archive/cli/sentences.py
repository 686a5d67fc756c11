"""How a command ends that cannot do what was asked: one sentence on standard error, and an exit code. No traceback."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ParamSpec, TypeVar

import typer
from rich.console import Console

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


PIPED_WIDTH = 120
"""Columns where there is no terminal to ask: codes must not be cut in a file."""


def out() -> Console:
    """Give the terminal that results are shown on."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPED_WIDTH)


def said(command: Callable[P, R]) -> Callable[P, R]:
    """Turn every error that is raised on purpose into its sentence and exit code 1.

    The command's help text is its docstring, as paragraphs of any width.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except ArchiveError as error:
            Console(stderr=True, highlight=False).print(f"[red]coverslip:[/red] {error}", soft_wrap=True)
            raise typer.Exit(FAILED) from None

    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    run.__doc__ = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    return run
