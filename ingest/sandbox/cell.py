"""Inside a jail: put up the walls, then carry out what is asked, one call after the other."""

import os
from collections.abc import Callable
from errno import ENOMEM
from pathlib import PurePath
from typing import Any, NoReturn

from ingest.errors import SlideRefused
from ingest.sandbox.confinement import Confinement, confine, leave_family
from ingest.sandbox.messages import Mouth, next_order


def live(orders: int, answers: int, fork_server: int) -> NoReturn:
    """Live and die as a jailed process.

    Parameters
    ----------
    orders, answers
        Descriptors of the two pipes.
    fork_server
        Process number of the parent.
    """
    try:
        _live(orders, answers, fork_server)
    finally:
        os._exit(0)


def _live(orders: int, answers: int, fork_server: int) -> None:
    leave_family(fork_server)
    with open(orders, "rb") as stream:
        confinement: Confinement = next_order(stream)[0]
        mouth = Mouth(answers, confinement.limits.message_bytes)
        try:
            confine(confinement)
        except Exception:  # noqa: BLE001 - whatever it is, there is no jail
            mouth.say("unavailable", None)
            return
        mouth.say("ready", None)
        while True:
            try:
                function, arguments = next_order(stream)
            except EOFError:
                return
            except Exception as error:  # noqa: BLE001 - a function or argument that cannot be made here
                mouth.say("failed", place_of(error))
                continue
            _answer(mouth, function, arguments)


def _answer(mouth: Mouth, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Carry out one call and say what came of it; an exception's text stays here, for it may hold a name."""
    try:
        mouth.say("answer", function(mouth.tell, *arguments))
    except SlideRefused as refused:
        mouth.say("refused", refused.reason.value)
    except MemoryError:
        mouth.say("out of memory", None)
    except Exception as error:  # noqa: BLE001 - readers raise eleven unrelated kinds
        if isinstance(error, OSError) and error.errno == ENOMEM:  # so says a mapping that found no room
            mouth.say("out of memory", None)
        else:
            mouth.say("failed", place_of(error))


def place_of(error: BaseException) -> str:
    """Say what kind of exception it was and in which line it arose, in words of the program and not of the file."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    line = f" in {PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{line}"
