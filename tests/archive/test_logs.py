"""The log says what was written to be told; no word of a library and no text of an error gets into it."""

import ast
import json
import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.logs import LOST, WITHHELD, Json, Plain, entry_of
from tests.slides.planted import SHORTEST

ROOT = Path(__file__).resolve().parents[2]
NAME = "Thistlewaite Dorothea"
SAYING = f"""
import logging, sys, threading, warnings
from archive.logs import LogSettings, start

class Restless:
    def __del__(self):
        raise ValueError({NAME!r})

start(LogSettings())
logging.getLogger("archive.catalogue.engine").warning("The log is %d lines long.", 3)
logging.getLogger("tifffile").warning("cannot read %s", {NAME!r})
warnings.warn({NAME!r})
thread = threading.Thread(target=lambda: open({NAME!r}))
thread.start()
thread.join()
Restless()
logging.getLogger("archive").info("Nobody asked for this.")
logging.getLogger("distributed").setLevel("INFO")
logging.getLogger("distributed").info("Nor for this, of a library that sets its own level.")
raise RuntimeError({NAME!r})
"""


def said(program: str = SAYING, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a program with these settings of the log."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("COVERSLIP_")}
    environment = own | {f"COVERSLIP_LOG_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def record_of(name: str, message: str, *values: object) -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, "reader.py", 7, message, values, None)


@pytest.mark.parametrize("form", ["plain", "json"])
def test_neither_a_library_nor_an_error_nor_a_warning_gets_a_name_into_the_log(form: str) -> None:
    result = said(form=form)
    assert result.returncode == 1
    assert NAME not in result.stderr + result.stdout
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == 6


def test_a_line_for_programs_is_an_object_that_says_what_happened_and_where() -> None:
    own, library, warned, *errors = map(json.loads, said(form="json").stderr.splitlines())
    assert (own["level"], own["message"]) == ("WARNING", "The log is 3 lines long.")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", own["time"])
    assert set(own) == {"time", "level", "logger", "process", "message"}
    assert (library["logger"], library["message"]) == ("tifffile", WITHHELD)
    assert warned["logger"] == "py.warnings"
    assert [error["fault"] for error in errors] == ["FileNotFoundError", "ValueError", "RuntimeError"]
    assert {error["level"] for error in errors} == {"CRITICAL"}


def test_only_what_is_asked_for_is_written() -> None:
    assert "Nobody asked" in said(level="info").stderr
    assert "lines long" not in said(level="error").stderr


@given(st.text(min_size=SHORTEST), st.text())
def test_whatever_a_library_says_stays_outside(text: str, value: str) -> None:
    record = record_of("PIL.Image", text.replace("%", "%%") + "%s", value)
    told, silent = entry_of(record), entry_of(record_of("PIL.Image", ""))
    assert told["message"] == WITHHELD
    assert told | {"time": ""} == silent | {"time": ""}


@given(st.text())
def test_one_record_is_one_line_whatever_is_in_it(text: str) -> None:
    record = record_of("archive.somewhere", "it says %s", text)
    assert Plain().format(record).isprintable()
    line = Json().format(record)
    assert line.isprintable()
    assert json.loads(line)["message"] == f"it says {text}"


@pytest.fixture
def system_log(tmp_path: Path) -> Iterator[socket.socket]:
    """Listen where a machine's log would."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "log"))
        listening.settimeout(10)
        yield listening


def test_the_systems_log_gets_the_same_lines_with_their_weight(system_log: socket.socket) -> None:
    result = said(to="syslog", form="json", socket=system_log.getsockname())
    assert result.stderr == ""
    found = [
        re.fullmatch(r"<(\d+)>coverslip: (\{.*\})\x00?", system_log.recv(65536).decode(), re.DOTALL) for _ in range(6)
    ]
    facility, warning, critical = 3 << 3, 4, 2
    assert [int(match[1]) - facility for match in found if match] == [warning] * 3 + [critical] * 3
    assert json.loads(found[0][2] if found[0] else "")["message"] == "The log is 3 lines long."


def test_a_systems_log_that_goes_away_and_comes_back_takes_nothing_with_it(tmp_path: Path) -> None:
    place = str(tmp_path / "log")
    program = f"""
import logging, os, socket
from archive.logs import LogSettings, start
def listening():
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind({place!r})
    made.settimeout(10)
    return made
first = listening()
start(LogSettings())
first.close()
os.unlink({place!r})
logging.getLogger("archive").warning("It is away, %s.", {NAME!r})
again = listening()
logging.getLogger("archive").warning("It is back.")
print(again.recv(1000).decode())
"""
    result = said(program, to="syslog", socket=place)
    assert result.stderr == LOST
    assert result.stdout == "<28>coverslip: WARNING It is back.\n"


def test_a_log_that_hangs_keeps_nobody_waiting(system_log: socket.socket) -> None:
    program = """
import logging, time
from archive.logs import LogSettings, start
start(LogSettings())
began = time.monotonic()
for number in range(2000):
    logging.getLogger("archive").warning("Line %d, which nobody reads.", number)
    if time.monotonic() - began > 5:
        break
print(number)
"""
    result = said(program, to="syslog", socket=system_log.getsockname())
    assert result.returncode == 0
    assert "could not be written" in result.stderr
    assert int(result.stdout) > 5


def test_a_machine_without_that_log_is_told_so_before_anything_begins(tmp_path: Path) -> None:
    program = "from ingest.__main__ import main; main()"
    result = said(program, to="syslog", socket=str(tmp_path / "nothing"))
    assert result.returncode == 1
    assert result.stderr.startswith("coverslip: the log of this machine is not at the socket")
    assert "Traceback" not in result.stderr


def test_a_setting_that_cannot_be_is_named() -> None:
    result = said("from archive.cli import main; main()", form="xml")
    assert result.returncode == 1
    assert "COVERSLIP_LOG_FORM" in result.stderr


def calls_of_loggers() -> Iterator[tuple[str, ast.Call]]:
    """Yield every line of the programs that logs something, with its place."""
    for path in sorted([*(ROOT / "archive").rglob("*.py"), *(ROOT / "ingest").rglob("*.py")]):
        if "node_modules" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Name(id="logger" | "_log" | "log" | "_logger"),
                        attr="debug" | "info" | "warning" | "error" | "critical" | "exception",
                    )
                ):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_every_sentence_that_is_logged_is_fixed_in_the_program() -> None:
    calls = dict(calls_of_loggers())
    assert len(calls) >= 4
    bent = [
        place
        for place, call in calls.items()
        if not (
            isinstance(call.args[0], ast.Constant) or (isinstance(call.args[0], ast.Name) and call.args[0].id.isupper())
        )
    ]
    assert bent == []
